"""Money that leaves: transfers to payees and refunds to payers."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.funding import Funding
from payments.models.givebacks import GiveBack
from payments.models.holds import Hold


class Outgoing(StatusModel):
    """What transfers and refunds share: one of each per hold and charge, and how often we asked."""

    ref = RefField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # Each deliberate try is a command with a key of its own.
    attempt = models.PositiveSmallIntegerField(default=0)
    stripe_id = models.CharField(max_length=80, blank=True)
    failure = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def command_id(self) -> str:
        """Names the running try in our outbox, in the ledger and in Stripe's metadata."""
        return f"{self._meta.model_name}:{self.ref}:{self.attempt}"


class Transfer(Outgoing):
    """What one charge gives a payee for one hold.

    waiting ─ security hold over ─→ sending ─→ sent | set_off (kept against what the payee owes)
       └─→ blocked (the payee cannot receive yet) ⇄ sending ⇄ failed (a person looks at it)
    waiting | blocked | failed → given_back (the payee returned all of it)
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("In the security hold")
        BLOCKED = "blocked", _("Waiting for payout details")
        SENDING = "sending", _("On its way")
        SENT = "sent", _("Paid out")
        SET_OFF = "set_off", _("Kept against what is owed")
        GIVEN_BACK = "given_back", _("Given back to the client")
        FAILED = "failed", _("Could not be sent")

    class Wait(models.TextChoices):
        """Why released money is not sent at once."""

        NONE = "", _("No security hold")
        EVERYBODY = "everybody", _("Every payment is held for a few days")
        FIRST_PAYMENT = "first", _("First payment of a new client")
        TIER_1 = "tier_1", _("Trust level 1")
        TIER_2 = "tier_2", _("Trust level 2")
        TIER_3 = "tier_3", _("Trust level 3")
        BONUS = "bonus", _("Bonus")
        REVIEW = "review", _("A person of ours looks at this payment first")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "waiting": {"blocked", "sending", "set_off", "given_back"},
        "blocked": {"sending", "set_off", "given_back"},
        "sending": {"sent", "blocked", "failed"},
        "failed": {"sending", "blocked", "set_off", "given_back"},
    }

    status = models.CharField(max_length=24, choices=Status, default=Status.WAITING)
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="transfers")
    funding = models.ForeignKey(Funding, models.PROTECT, related_name="transfers")
    payee = models.ForeignKey(Party, models.PROTECT, related_name="transfers")
    # The dispute we won: this gives back what was collected because of it.
    returns = models.ForeignKey(
        "payments.Chargeback", models.PROTECT, null=True, related_name="returns"
    )
    # Or a person's decision: this pays out what had waited for it in `suspense`.
    placement = models.OneToOneField(
        "payments.Placement", models.PROTECT, null=True, related_name="transfer"
    )
    # What of it was kept against what the payee owes us; the rest is sent.
    set_off_minor = models.BigIntegerField(default=0)
    # What the payee returned before it was sent.
    given_back_minor = models.BigIntegerField(default=0)
    # When the security hold ends, and which rule made it that long.
    due_at = models.DateTimeField()
    wait = models.CharField(max_length=10, choices=Wait, blank=True)
    destination = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("transfer")
        permissions = [("act_on_transfer", _("Can send failed transfers again"))]
        constraints = [
            models.UniqueConstraint(
                fields=["hold", "funding"],
                condition=Q(returns__isnull=True),
                name="transfer_once",
            ),
            models.CheckConstraint(
                condition=Q(placement__isnull=True) | Q(returns__isnull=False),
                name="transfer_placed_after_dispute",
            ),
            models.CheckConstraint(
                condition=Q(
                    set_off_minor__gte=0,
                    given_back_minor__gte=0,
                    amount_minor__gte=F("set_off_minor") + F("given_back_minor"),
                ),
                name="transfer_set_off_within",
            ),
            models.UniqueConstraint(
                fields=["stripe_id"], condition=~Q(stripe_id=""), name="transfer_stripe_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="transfer_positive"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "waiting",
                        "blocked",
                        "sending",
                        "sent",
                        "set_off",
                        "failed",
                        "given_back",
                    ]
                ),
                name="transfer_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="sent") | (~Q(stripe_id="") & Q(sent_at__isnull=False)),
                name="transfer_sent_has_proof",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="waiting"), name="transfer_due"),
            models.Index(fields=["payee"], condition=Q(status="blocked"), name="transfer_blocked"),
            models.Index(fields=["payee", "-id"], name="transfer_of_payee"),
        ]

    def __str__(self) -> str:
        return f"transfer {self.ref}"

    # Nothing of it waits any more.
    DONE: ClassVar[tuple[str, ...]] = ("sent", "set_off", "given_back")

    @property
    def to_send(self) -> Money:
        """What goes to the payee's account."""
        kept_here = self.set_off_minor + self.given_back_minor
        return Money(self.amount_minor - kept_here, self.currency)

    @property
    def unreversed(self) -> Money:
        """What of it was sent and is not being taken back."""
        taken = self.reversals.exclude(status=TransferReversal.Status.REFUSED)
        return self.to_send - Money(
            sum(taken.values_list("amount_minor", flat=True)), self.currency
        )


class TransferReversal(Outgoing):
    """What we take back of a transfer: its payment was charged back, or the payee gives it back.

    requested → done | refused (the payee's account does not have it; after a chargeback it stays
    owed)
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Asked for")
        DONE = "done", _("Taken back")
        REFUSED = "refused", _("Not there any more")

    MOVES: ClassVar[dict[str, set[str]]] = {"requested": {"done", "refused"}}

    status = models.CharField(max_length=24, choices=Status, default=Status.REQUESTED)
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="reversals")
    chargeback = models.ForeignKey(
        "payments.Chargeback", models.PROTECT, null=True, related_name="reversals"
    )
    give_back = models.OneToOneField(GiveBack, models.PROTECT, null=True, related_name="reversal")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("transfer reversal")
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_id"],
                condition=~Q(stripe_id=""),
                name="transfer_reversal_stripe_once",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="transfer_reversal_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "done", "refused"]),
                name="transfer_reversal_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | (~Q(stripe_id="") & Q(ended_at__isnull=False)),
                name="transfer_reversal_done_has_proof",
            ),
            models.CheckConstraint(
                condition=Q(chargeback__isnull=True) ^ Q(give_back__isnull=True),
                name="transfer_reversal_has_one_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"reversal {self.ref}"


class Refund(Outgoing):
    """What of one charge goes back to the payer for one hold.

    requested → pending (the bank takes its time) → succeeded → failed (banks change their mind)
         └──────────────┴─→ failed: it stands as credit of the payer, and a person looks at it
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("On its way")
        PENDING = "pending", _("At the bank")
        SUCCEEDED = "succeeded", _("Refunded")
        FAILED = "failed", _("Could not be refunded")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "requested": {"pending", "succeeded", "failed"},
        "pending": {"succeeded", "failed"},
        "succeeded": {"failed"},
    }

    status = models.CharField(max_length=24, choices=Status, default=Status.REQUESTED)
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="refunds")
    funding = models.ForeignKey(Funding, models.PROTECT, related_name="refunds")
    payer = models.ForeignKey(Party, models.PROTECT, related_name="refunds")
    # The payee returned it after the release.
    give_back = models.OneToOneField(GiveBack, models.PROTECT, null=True, related_name="refund")
    # A person gave it back after all, when it had waited for that in `suspense`.
    placement = models.OneToOneField(
        "payments.Placement", models.PROTECT, null=True, related_name="refund"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("refund")
        constraints = [
            models.UniqueConstraint(
                fields=["hold", "funding"],
                condition=Q(give_back__isnull=True, placement__isnull=True),
                name="refund_once",
            ),
            models.UniqueConstraint(
                fields=["stripe_id"], condition=~Q(stripe_id=""), name="refund_stripe_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "pending", "succeeded", "failed"]),
                name="refund_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="succeeded") | (~Q(stripe_id="") & Q(ended_at__isnull=False)),
                name="refund_done_has_proof",
            ),
        ]
        indexes = [
            models.Index(fields=["payer", "-id"], name="refund_of_payer"),
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=["requested", "pending"]),
                name="refund_running",
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.ref}"
