"""Card disputes: a bank takes back what a payer paid, or asks whether it should."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.guards import append_only
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.funding import Funding
from payments.models.holds import Hold

# Where a dispute can go from each state, in Stripe's words; banks may change their mind.
_DECIDED = {"won", "lost"}
_APPEALS = {"appeal_needs_response", "appeal_under_review"}
_DISPUTED = {"needs_response", "under_review", "prevented"} | _DECIDED


class Chargeback(StatusModel):
    """A bank's dispute of one payment, as Stripe last described it.

    warning_needs_response → warning_under_review → warning_closed     (an inquiry: no money yet)
                └─────────────────┴─→ needs_response → under_review → won | lost
                                          won | lost → appeal_needs_response → appeal_under_review
    """

    class Status(models.TextChoices):
        WARNING_NEEDS_RESPONSE = "warning_needs_response", _("Inquiry, to be answered")
        WARNING_UNDER_REVIEW = "warning_under_review", _("Inquiry, at the bank")
        WARNING_CLOSED = "warning_closed", _("Inquiry closed")
        NEEDS_RESPONSE = "needs_response", _("To be answered")
        UNDER_REVIEW = "under_review", _("At the bank")
        APPEAL_NEEDS_RESPONSE = "appeal_needs_response", _("Appeal, to be answered")
        APPEAL_UNDER_REVIEW = "appeal_under_review", _("Appeal, at the bank")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")
        PREVENTED = "prevented", _("Prevented")

    ENDS: ClassVar[set[str]] = {"warning_closed", "won", "lost", "prevented"}
    # The payment stands after all.
    CLEARED: ClassVar[set[str]] = {"warning_closed", "won", "prevented"}
    TO_ANSWER: ClassVar[set[str]] = {
        "warning_needs_response",
        "needs_response",
        "appeal_needs_response",
    }
    MOVES: ClassVar[dict[str, set[str]]] = {
        "warning_needs_response": {"warning_under_review", "warning_closed"} | _DISPUTED,
        "warning_under_review": {"warning_closed"} | _DISPUTED,
        "warning_closed": _DISPUTED,
        "needs_response": {"under_review", "prevented"} | _DECIDED,
        "under_review": _DECIDED,
        "won": {"lost"} | _APPEALS,
        "lost": {"won"} | _APPEALS,
        "appeal_needs_response": {"appeal_under_review"} | _DECIDED,
        "appeal_under_review": _DECIDED,
    }

    class Evidence(models.TextChoices):
        """How far our answer is."""

        NONE = "none", _("Not collected")
        STAGED = "staged", _("Collected, waiting for a person")
        SUBMITTING = "submitting", _("On its way to the bank")
        SUBMITTED = "submitted", _("With the bank")

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status)
    stripe_id = models.CharField(max_length=80, unique=True)
    funding = models.ForeignKey(Funding, models.PROTECT, related_name="chargebacks")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # Stripe's words for why, and the card network's code.
    reason = models.CharField(max_length=40)
    network_reason = models.CharField(max_length=20, blank=True)
    # After this the bank takes no answer any more.
    due_by = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # What we say to the bank, by the names of Stripe's fields, and how far that is.
    evidence = models.JSONField(default=dict)
    evidence_state = models.CharField(max_length=12, choices=Evidence, default=Evidence.NONE)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    # No person had sent it shortly before the deadline, so the rule did (C7); once per round.
    sent_by_rule_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("chargeback")
        permissions = [("act_on_chargeback", _("Can answer chargebacks and lift warnings"))]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="chargeback_positive"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "warning_needs_response",
                        "warning_under_review",
                        "warning_closed",
                        "needs_response",
                        "under_review",
                        "appeal_needs_response",
                        "appeal_under_review",
                        "won",
                        "lost",
                        "prevented",
                    ]
                ),
                name="chargeback_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["warning_closed", "won", "lost", "prevented"])
                ^ Q(ended_at__isnull=True),
                name="chargeback_end_has_time",
            ),
            # Nothing goes to the bank without a named person, or the rule they left it to.
            models.CheckConstraint(
                condition=Q(
                    evidence_state__in=["none", "staged"],
                    submitted_by__isnull=True,
                    submitted_at__isnull=True,
                )
                | (
                    Q(evidence_state__in=["submitting", "submitted"], submitted_at__isnull=False)
                    & (Q(submitted_by__isnull=False) | Q(sent_by_rule_at__isnull=False))
                ),
                name="chargeback_answer_has_basis",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_by"],
                condition=Q(ended_at__isnull=True),
                name="chargeback_open",
            ),
        ]

    def __str__(self) -> str:
        return f"chargeback {self.ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def is_open(self) -> bool:
        """Whether the bank has still to decide."""
        return self.status not in self.ENDS


class ChargebackMovement(models.Model):
    """One movement of our balance at Stripe because of a dispute: taken, given back, or a fee."""

    chargeback = models.ForeignKey(Chargeback, models.PROTECT, related_name="movements")
    stripe_id = models.CharField(max_length=80, unique=True)
    # As Stripe counts: what was taken is negative, a fee we pay positive.
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    # What was taken and is given back by this.
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    moved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("movement of a chargeback")
        constraints = [
            models.CheckConstraint(
                condition=~Q(amount_minor=0) | ~Q(fee_minor=0), name="chargeback_movement_moves"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.stripe_id


class ChargebackPart(models.Model):
    """Who bears what of a movement: one leg of its journal."""

    class Bearer(models.TextChoices):
        HELD = "held", _("Held money")
        DISPUTE_HOLD = "dispute_hold", _("Held money in a dispute")
        CLIENT_FEE_HELD = "client_fee_held", _("Client fee of held money")
        PAYEE = "payee", _("The freelancer")
        RESERVE = "reserve", _("The reserve for card disputes")
        PLATFORM = "platform", _("The platform")
        SUSPENSE = "suspense", _("Nobody yet")

    movement = models.ForeignKey(ChargebackMovement, models.PROTECT, related_name="parts")
    hold = models.ForeignKey(Hold, models.PROTECT, null=True, related_name="chargeback_parts")
    bearer = models.CharField(max_length=16, choices=Bearer)
    # Always positive; the movement says which way.
    amount_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("part of a chargeback")
        verbose_name_plural = _("parts of chargebacks nobody has placed")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="chargeback_part_positive"
            ),
            models.CheckConstraint(
                condition=Q(
                    bearer__in=[
                        "held",
                        "dispute_hold",
                        "client_fee_held",
                        "payee",
                        "reserve",
                        "platform",
                        "suspense",
                    ]
                ),
                name="chargeback_part_bearer",
            ),
            models.CheckConstraint(
                condition=Q(bearer__in=["platform", "suspense"]) | Q(hold__isnull=False),
                name="chargeback_part_has_hold",
            ),
            models.UniqueConstraint(
                fields=["movement", "hold", "bearer"], name="chargeback_part_once"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.bearer} of {self.movement_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.movement.chargeback.currency)


class FraudWarning(StatusModel):
    """An early suspicion. A bank's: held money waits until a person has looked. Ours: what was
    released of the payment waits for that.

    open → lifted (a named person, with a reason) | overtaken (the dispute came)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("To be looked at")
        LIFTED = "lifted", _("Lifted")
        OVERTAKEN = "overtaken", _("Overtaken by a dispute")

    MOVES: ClassVar[dict[str, set[str]]] = {"open": {"lifted", "overtaken"}}

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.OPEN)
    stripe_id = models.CharField(max_length=80, unique=True)
    funding = models.ForeignKey(Funding, models.PROTECT, related_name="fraud_warnings")
    fraud_type = models.CharField(max_length=60)
    # Nobody at a bank said so: it looks to us like one person on both sides (case S1).
    ours = models.BooleanField(default=False)
    warned_at = models.DateTimeField()
    seen_at = models.DateTimeField(default=clock.now)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.TextField(blank=True)

    class Meta:
        verbose_name = _("early fraud warning")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "lifted", "overtaken"]),
                name="fraud_warning_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="lifted")
                | (Q(lifted_by__isnull=False, lifted_at__isnull=False) & ~Q(lifted_because="")),
                name="fraud_warning_lifted_by_person",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | Q(lifted_at__gte=F("seen_at")),
                name="fraud_warning_lifted_after",
            ),
        ]

    def __str__(self) -> str:
        return f"fraud warning {self.ref}"
