"""What the two agreed, and what happened to it."""

import datetime as dt
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.guards import Guard, append_only
from marketplace.core.ids import RefField
from marketplace.core.models import StoredFile
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models import Hold, PlatformPolicy
from projects.models.bids import Bid
from projects.models.projects import Project

# At commit: a contract has milestones, and with what was given back of them, or is held for others
# instead, they sum to its price.
MILESTONES_SUM = """
    IF EXISTS (
        SELECT 1 FROM projects_contract contract
        WHERE contract.id = {contract} AND contract.price_minor <> (
            SELECT coalesce(sum(step.amount_minor + step.returned_minor + step.carried_minor), 0)
            FROM projects_milestone step
            WHERE step.contract_id = contract.id
        )
    ) THEN
        RAISE EXCEPTION 'the milestones of contract % do not sum to its price', {contract}
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_milestones_sum';
    END IF;
    RETURN NULL;
"""


class Side(models.TextChoices):
    """The two seats at a contract."""

    CLIENT = "client", _("Client")
    FREELANCER = "freelancer", _("Freelancer")

    @property
    def other(self) -> "Side":
        """The one across the table."""
        return Side.FREELANCER if self is Side.CLIENT else Side.CLIENT


class Contract(StatusModel):
    """An accepted bid: milestones, terms, and the policy version it was signed under.

    active → completed | ended_early
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        COMPLETED = "completed", _("Completed")
        ENDED_EARLY = "ended_early", _("Ended early")

    MOVES: ClassVar[dict[str, set[str]]] = {"active": {"completed", "ended_early"}}
    WITH_EXTRA_ROUNDS = 2

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.ACTIVE)
    project = models.ForeignKey(Project, models.PROTECT, related_name="contracts")
    bid = models.OneToOneField(Bid, models.PROTECT, related_name="contract")
    client = models.ForeignKey(Party, models.PROTECT, related_name="contracts_as_client")
    freelancer = models.ForeignKey(Party, models.PROTECT, related_name="contracts_as_freelancer")
    policy = models.ForeignKey(PlatformPolicy, models.PROTECT, related_name="+")
    title = models.CharField(max_length=120)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    review_days = models.PositiveSmallIntegerField()
    change_rounds = models.PositiveSmallIntegerField()
    # Which of our terms it was signed under: 1 knows no extra rounds, so nothing about them keeps
    # silence from releasing the money.
    terms_version = models.PositiveSmallIntegerField(default=WITH_EXTRA_ROUNDS)
    ai_policy = models.CharField(max_length=4)
    ai_use = models.CharField(max_length=8)
    # The text both agreed to, frozen, with its digest.
    terms = models.TextField()
    terms_sha256 = models.CharField(max_length=64)
    # The freelancer agreed by sending the accepted version of the bid, the client by hiring.
    freelancer_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    freelancer_agreed_at = models.DateTimeField()
    client_agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    client_agreed_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("contract")
        constraints = [
            models.CheckConstraint(condition=Q(price_minor__gt=0), name="contract_positive"),
            models.CheckConstraint(condition=~Q(client=F("freelancer")), name="contract_two_sides"),
            models.CheckConstraint(
                condition=Q(status__in=["active", "completed", "ended_early"]),
                name="contract_status",
            ),
            models.CheckConstraint(
                condition=Q(status="active") ^ Q(ended_at__isnull=False),
                name="contract_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(review_days__range=(3, 30)), name="contract_review_days"
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="contract_of_client"),
            models.Index(fields=["freelancer", "-id"], name="contract_of_freelancer"),
            # What has been finished since the matcher last looked.
            models.Index(fields=["ended_at"], name="contract_ended"),
        ]
        triggers = [
            Guard(
                name="milestones_sum",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("price_minor"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=MILESTONES_SUM.format(contract="NEW.id"),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("projects:contract", kwargs={"ref": self.ref})

    @property
    def orders_stop_silence(self) -> bool:
        """Whether a wish for an extra round keeps silence from releasing the money."""
        return self.terms_version >= self.WITH_EXTRA_ROUNDS

    def party(self, side: Side) -> Party:
        """Who sits on that side."""
        return self.client if side is Side.CLIENT else self.freelancer

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)


class Milestone(StatusModel):
    """A step with an amount. Its hold is where the money is.

    planned → funding → funded → submitted ⇄ changes_requested
                 └→ planned  │       └→ approved (by the client, by silence, by the custody stop)
                             └ disputed (from funded, submitted, changes_requested) → settled
    funded | submitted | changes_requested ⇄ frozen (the card payment is questioned) → cancelled
    planned | funded → cancelled
    funded | submitted | changes_requested → settled (both agreed on less, it was given back, or
    it fell asleep and a rule ended it)
    """

    class Status(models.TextChoices):
        PLANNED = "planned", _("Not funded")
        FUNDING = "funding", _("Payment on its way")
        FUNDED = "funded", _("Funded")
        SUBMITTED = "submitted", _("In review")
        CHANGES_REQUESTED = "changes_requested", _("Changes asked for")
        APPROVED = "approved", _("Approved")
        DISPUTED = "disputed", _("Disputed, paused")
        FROZEN = "frozen", _("On hold, the card payment is questioned")
        SETTLED = "settled", _("Settled")
        CANCELLED = "cancelled", _("Cancelled")

    class Dormancy(models.TextChoices):
        """How far a milestone is on which nobody does anything (rule M11).

        "" → first → last → client → freelancer → the money goes back, if nothing was delivered
                              └──────────┴─→ asked → released, if the client does not answer
                                             └─→ open (an end the two, or a person, must decide)
        """

        AWAKE = "", _("No")
        FIRST = "first", _("Both were told once")
        LAST = "last", _("Both were told twice")
        CLIENT = "client", _("The client decides")
        FREELANCER = "freelancer", _("The freelancer may ask for the money")
        ASKED = "asked", _("The freelancer asked, the client answers")
        OPEN = "open", _("Nobody decided")

    # Nothing more can happen to it.
    ENDED = ("approved", "settled", "cancelled")
    # Its money is with us.
    HELD = ("funded", "submitted", "changes_requested")
    MOVES: ClassVar[dict[str, set[str]]] = {
        "planned": {"funding", "funded", "cancelled"},
        "funding": {"planned", "funded"},
        "funded": {"submitted", "disputed", "cancelled", "settled", "frozen"},
        "submitted": {"changes_requested", "approved", "disputed", "settled", "frozen"},
        "changes_requested": {"submitted", "approved", "disputed", "settled", "frozen"},
        "disputed": {"settled", "funded", "submitted", "changes_requested", "cancelled"},
        "frozen": {"funded", "submitted", "changes_requested", "cancelled"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.PLANNED)
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="milestones")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=120)
    # What is agreed now; what the freelancer gave back of it while it was held is apart (rule C3).
    amount_minor = models.BigIntegerField()
    returned_minor = models.BigIntegerField(default=0)
    # What is held for the next milestone instead, because both agreed on less (rule M2).
    carried_minor = models.BigIntegerField(default=0)
    due_on = models.DateField(_("due"), null=True)
    hold = models.OneToOneField(Hold, models.PROTECT, null=True, related_name="milestone")
    funded_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    # End of the review window: silence until then counts as yes (rule M5).
    review_due_at = models.DateTimeField(null=True)
    # The next reminder to the client before that (rule M4).
    remind_at = models.DateTimeField(null=True)
    # The next warning of the custody stop, or the stop itself (rule 2.1).
    custody_due_at = models.DateTimeField(null=True)
    # When it is late, then when it is very late (rule M13).
    late_due_at = models.DateTimeField(null=True)
    # While nobody does anything (rule M11): how far that has come, and when the next step is.
    dormant = models.CharField(max_length=12, choices=Dormancy, blank=True)
    dormant_due_at = models.DateTimeField(null=True)
    # Since when a dispute or a questioned payment stops it; its deadlines move on by as much.
    stopped_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    changes_asked = models.PositiveSmallIntegerField(default=0)
    # Where it goes back to when the payment is cleared, and the rest of its review time, seconds.
    frozen_was = models.CharField(max_length=24, blank=True)
    frozen_left = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["position"]
        verbose_name = _("milestone")
        constraints = [
            models.UniqueConstraint(fields=["contract", "position"], name="milestone_position"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="milestone_positive"),
            models.CheckConstraint(
                condition=Q(returned_minor=0) | Q(returned_minor__gt=0, hold__isnull=False),
                name="milestone_returned_was_held",
            ),
            models.CheckConstraint(
                condition=Q(carried_minor=0) | Q(carried_minor__gt=0, hold__isnull=False),
                name="milestone_carried_was_held",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "planned",
                        "funding",
                        "funded",
                        "submitted",
                        "changes_requested",
                        "approved",
                        "disputed",
                        "frozen",
                        "settled",
                        "cancelled",
                    ]
                ),
                name="milestone_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "cancelled"]) | Q(hold__isnull=False),
                name="milestone_money_has_hold",
            ),
            models.CheckConstraint(
                condition=~Q(status="frozen")
                | Q(frozen_was__in=["funded", "submitted", "changes_requested"]),
                name="milestone_frozen_was",
            ),
            models.CheckConstraint(
                condition=Q(
                    dormant__in=["", "first", "last", "client", "freelancer", "asked", "open"]
                ),
                name="milestone_dormant",
            ),
            models.CheckConstraint(
                condition=~Q(dormant__in=["client", "freelancer", "asked"])
                | Q(dormant_due_at__isnull=False),
                name="milestone_dormant_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(status="submitted") | Q(review_due_at__isnull=False),
                name="milestone_review_has_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["review_due_at"],
                condition=Q(status="submitted"),
                name="milestone_review_due",
            ),
            models.Index(
                fields=["remind_at"], condition=Q(status="submitted"), name="milestone_remind_due"
            ),
            models.Index(
                fields=["custody_due_at"],
                condition=Q(
                    status__in=["funded", "submitted", "changes_requested", "disputed"],
                ),
                name="milestone_custody_due",
            ),
            models.Index(
                fields=["dormant_due_at"],
                condition=Q(status__in=["funded", "changes_requested"]),
                name="milestone_dormant_due",
            ),
            models.Index(
                fields=["late_due_at"], condition=Q(status="funded"), name="milestone_late_due"
            ),
        ]
        triggers = [
            Guard(
                name="milestones_sum",
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf(
                    "amount_minor", "returned_minor", "carried_minor", "contract_id"
                ),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=MILESTONES_SUM.format(contract="NEW.contract_id"),
            ),
            Guard(
                name="milestones_sum_left",
                operation=pgtrigger.Delete | pgtrigger.UpdateOf("contract_id"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=MILESTONES_SUM.format(contract="OLD.contract_id"),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.contract.currency)

    @property
    def returned(self) -> Money:
        """What the freelancer gave back of it before its release."""
        return Money(self.returned_minor, self.contract.currency)

    @property
    def carried(self) -> Money:
        """What of it is held for the next milestone instead."""
        return Money(self.carried_minor, self.contract.currency)

    @property
    def custody_ends_at(self) -> dt.datetime | None:
        """When its money must have left us (rule 2.1); None while there is none."""
        if self.hold is None or self.hold.held_at is None:
            return None
        return self.hold.held_at + dt.timedelta(days=self.contract.policy.deposit_max_days)

    @property
    def late_at(self) -> dt.datetime | None:
        """When its due date has passed, UTC; None when the money came only after that."""
        if self.due_on is None or self.funded_at is None:
            return None
        next_day = self.due_on + dt.timedelta(days=1)
        end = dt.datetime.combine(next_day, dt.time.min, tzinfo=dt.UTC)
        return end if self.funded_at < end else None

    @property
    def very_late_at(self) -> dt.datetime | None:
        """When the client may call it off alone if nothing was delivered (rule M13)."""
        late = self.late_at
        return late and late + dt.timedelta(hours=self.contract.policy.very_late_hours)


class Delivery(models.Model):
    """Work handed over for a milestone; a new round is a new row."""

    ref = RefField()
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="deliveries")
    round = models.PositiveSmallIntegerField()
    note = models.TextField(_("note"), max_length=4000)
    link = models.URLField(_("link"), blank=True)
    files = models.ManyToManyField(StoredFile, related_name="+", blank=True)
    delivered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    delivered_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["round"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["milestone", "round"], name="delivery_round"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.round}"


class ChangeRequest(models.Model):
    """What the client wants changed in a delivery."""

    delivery = models.OneToOneField(Delivery, models.PROTECT, related_name="change_request")
    points = models.TextField(_("what should change"), max_length=4000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("request for changes")
        verbose_name_plural = _("requests for changes")

    def __str__(self) -> str:
        return f"changes to {self.delivery}"


class Cancellation(StatusModel):
    """A client's wish to get the held money of a milestone back.

    open → accepted (the freelancer agrees) | lapsed (silence, rules C1 and C2)
      ├──→ unanswered (silence, but work was delivered: the two settle, or a person decides)
      └──→ declined | withdrawn | overtaken (work was delivered, or a dispute opened)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting for an answer")
        ACCEPTED = "accepted", _("Agreed")
        LAPSED = "lapsed", _("Not answered in time")
        UNANSWERED = "unanswered", _("Not answered, and work was delivered")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Taken back")
        OVERTAKEN = "overtaken", _("Overtaken")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "open": {"accepted", "lapsed", "unanswered", "declined", "withdrawn", "overtaken"}
    }

    status = models.CharField(max_length=24, choices=Status, default=Status.OPEN)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="cancellations")
    # The client wants to end the whole contract (rule C2), not only this milestone.
    ends_contract = models.BooleanField(default=False)
    # When the freelancer is reminded to answer.
    remind_at = models.DateTimeField(null=True)
    reason = models.TextField(_("why"), max_length=2000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    answer_due_at = models.DateTimeField()
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    # Until when a yes to end the whole contract holds while other money is still out.
    consent_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("cancellation")
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"], condition=Q(status="open"), name="cancellation_one_open"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "open",
                        "accepted",
                        "lapsed",
                        "unanswered",
                        "declined",
                        "withdrawn",
                        "overtaken",
                    ]
                ),
                name="cancellation_status",
            ),
            models.CheckConstraint(
                condition=Q(status="open") ^ Q(answered_at__isnull=False),
                name="cancellation_answer_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["answer_due_at"], condition=Q(status="open"), name="cancellation_due"
            ),
            models.Index(
                fields=["remind_at"], condition=Q(status="open"), name="cancellation_remind"
            ),
            models.Index(
                fields=["consent_until"],
                condition=Q(consent_until__isnull=False),
                name="cancellation_consent",
            ),
        ]

    def __str__(self) -> str:
        return f"cancellation of {self.milestone_id}"


class ContractEvent(models.Model):
    """One line of the history both sides see; words come from `kind` and `facts`."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=40)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    milestone = models.ForeignKey(Milestone, models.PROTECT, null=True, related_name="+")
    amount_minor = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["contract", "-id"], name="contract_event_list")]
        triggers = append_only()

    def __str__(self) -> str:
        return self.kind

    @property
    def amount(self) -> Money | None:
        if self.amount_minor is None:
            return None
        return Money(self.amount_minor, self.contract.currency)
