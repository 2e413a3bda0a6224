"""Where a payee's money goes, and its last way there: from their account at Stripe to a bank."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.breaks import A_SENTENCE
from payments.models.outgoing import Outgoing


class PayoutAccount(models.Model):
    """A payee's account at Stripe, as Stripe last described it to us."""

    class Interval(models.TextChoices):
        DAILY = "daily", _("Every working day")
        WEEKLY = "weekly", _("Every week")
        MONTHLY = "monthly", _("Every month")
        MANUAL = "manual", _("When I ask for it")

    class Weekday(models.TextChoices):
        MONDAY = "monday", _("Monday")
        TUESDAY = "tuesday", _("Tuesday")
        WEDNESDAY = "wednesday", _("Wednesday")
        THURSDAY = "thursday", _("Thursday")
        FRIDAY = "friday", _("Friday")

    party = models.OneToOneField(Party, models.PROTECT, related_name="payout_account")
    stripe_id = models.CharField(max_length=80, blank=True)
    # Where the bank account is; Stripe does not let it change.
    country = models.CharField(max_length=2, blank=True)
    can_receive = models.BooleanField(default=False)
    payouts_enabled = models.BooleanField(default=False)
    details_submitted = models.BooleanField(default=False)
    # Stripe's names of what is still missing, of what should have been there, and until when.
    requirements = models.JSONField(default=list)
    past_due = models.JSONField(default=list)
    deadline = models.DateTimeField(null=True)
    # Stripe's name for why it pays nothing out.
    disabled_reason = models.CharField(max_length=80, blank=True)
    # Since when an account that could receive cannot any more.
    stopped_at = models.DateTimeField(null=True)
    # How many tries to open it are over: because Stripe gave up that account, or answered with an
    # error of its own, which it repeats to the same key for a day.
    openings = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(null=True)
    # When to ask Stripe again, whatever events told us.
    look_at = models.DateTimeField(default=clock.now)
    # What can go to the bank at once, by currency, as Stripe last said.
    available = models.JSONField(default=dict)
    available_at = models.DateTimeField(null=True)
    # What of it can be there within minutes, less the fee for that, and the fee, by currency.
    at_once = models.JSONField(default=dict)
    # When the payee wants to be paid out.
    interval = models.CharField(max_length=8, choices=Interval, default=Interval.DAILY)
    weekday = models.CharField(max_length=9, choices=Weekday, blank=True)
    month_day = models.PositiveSmallIntegerField(null=True)
    # On demand, and by itself as soon as this much is there.
    threshold_minor = models.BigIntegerField(null=True)
    threshold_currency = models.CharField(max_length=3, blank=True)
    # The schedule we asked Stripe for last, how often we asked, and the one Stripe has said yes to.
    schedule_asked = models.CharField(max_length=20, default="daily")
    schedule_attempt = models.PositiveIntegerField(default=0)
    schedule_set = models.CharField(max_length=20, default="daily")

    class Meta:
        verbose_name = _("payout account")
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_id"], condition=~Q(stripe_id=""), name="payout_account_once"
            ),
            models.CheckConstraint(
                condition=~Q(stripe_id="") | Q(can_receive=False), name="payout_account_real"
            ),
            models.CheckConstraint(
                condition=Q(interval="daily", weekday="", month_day=None)
                | Q(interval="weekly", month_day=None) & ~Q(weekday="")
                | Q(interval="monthly", weekday="", month_day__range=(1, 31))
                | Q(interval="manual", weekday="", month_day=None),
                name="payout_account_schedule",
            ),
            models.CheckConstraint(
                condition=Q(threshold_minor=None, threshold_currency="")
                | Q(interval="manual", threshold_minor__gt=0) & ~Q(threshold_currency=""),
                name="payout_account_threshold",
            ),
        ]
        indexes = [
            models.Index(
                fields=["look_at"], condition=~Q(stripe_id=""), name="payout_account_look"
            ),
        ]

    def __str__(self) -> str:
        return f"payout account of {self.party_id}"

    # Our name for an account that is no longer connected to us: Stripe does not show it any more.
    LOST: ClassVar[str] = "disconnected"

    @property
    def is_lost(self) -> bool:
        """Whether the payee or Stripe cut the account off from us."""
        return self.disabled_reason == self.LOST

    @property
    def chosen_schedule(self) -> str:
        """The payee's choice in one word, like "weekly:monday"."""
        day = self.weekday or self.month_day
        return f"{self.interval}:{day}" if day else self.interval

    @property
    def threshold(self) -> Money | None:
        """From how much on an account on demand pays out by itself."""
        if self.threshold_minor is None:
            return None
        return Money(self.threshold_minor, self.threshold_currency)


class BankDetails(StatusModel):
    """Where the payouts of one currency went from `seen_at` on; the number itself we never see.

    cooling ─ nobody objects until `due_at` ─→ trusted
       └─→ dropped (replaced before anybody trusted it)
    each of them ─ the payee says: not me ─→ reported ─ a person of ours has looked ─→ trusted while
    it is in use, else dropped
    A payee's first details are trusted at once unless released money waited for them; so are those
    the last trusted ones come back with.
    """

    class Status(models.TextChoices):
        COOLING = "cooling", _("New, payouts wait")
        TRUSTED = "trusted", _("Payouts may go there")
        REPORTED = "reported", _("The payee says it was not them")
        DROPPED = "dropped", _("Never trusted, and replaced")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "cooling": {"trusted", "reported", "dropped"},
        "trusted": {"reported"},
        "dropped": {"reported"},
        "reported": {"trusted", "dropped"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.TRUSTED)
    account = models.ForeignKey(PayoutAccount, models.PROTECT, related_name="banks")
    stripe_id = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    # The same for the same number, wherever Stripe sees it; not the number.
    fingerprint = models.CharField(max_length=80, blank=True)
    bank_name = models.CharField(max_length=120, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    country = models.CharField(max_length=2, blank=True)
    # A payout came back, so Stripe sends nothing there any more.
    errored = models.BooleanField(default=False)
    seen_at = models.DateTimeField(default=clock.now)
    replaced_at = models.DateTimeField(null=True)
    # When payouts start again.
    due_at = models.DateTimeField(null=True)
    # The addresses of the payee's people then: told when somebody changes the details later, in
    # case that somebody changed the addresses first.
    known_addresses = models.JSONField(default=list)
    reported_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    settled_because = models.TextField(blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bank details")
        verbose_name_plural = _("bank details")
        permissions = [("act_on_payout", _("Can let paused payouts go on"))]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency"],
                condition=Q(replaced_at=None),
                name="bank_details_one_in_use",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["trusted", "dropped"])
                | Q(status="cooling", due_at__isnull=False)
                | Q(status="reported", reported_at__isnull=False),
                name="bank_details_status",
            ),
            models.CheckConstraint(
                condition=Q(settled_by=None, settled_because="", settled_at=None)
                | Q(settled_because__regex=A_SENTENCE, settled_at__isnull=False)
                & Q(settled_by__isnull=False),
                name="bank_details_settled_with_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "stripe_id"], name="bank_details_stripe"),
            models.Index(fields=["due_at"], condition=Q(status="cooling"), name="bank_details_due"),
        ]

    def __str__(self) -> str:
        return f"{self.bank_name} ••{self.last4}".strip()


class PayoutAlert(models.Model):
    """Something about a payee's payouts a person of ours should look at, until it is over."""

    class Kind(models.TextChoices):
        STOPPED = "stopped", _("We owe money to an account that stopped receiving")
        REPORTED = "reported", _("The payee says the bank details were not changed by them")

    account = models.ForeignKey(PayoutAccount, models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=10, choices=Kind)
    opened_at = models.DateTimeField(default=clock.now)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("payout alert")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind"],
                condition=Q(closed_at=None),
                name="payout_alert_open_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["stopped", "reported"]), name="payout_alert_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.account.party.name}"


class Payout(Outgoing):
    """Money on its way from a payee's account at Stripe to their bank.

    requested ─→ pending → in_transit → paid → failed (banks send money back days later)
        └─→ refused  └──────────┴─→ paid | failed | canceled
    Only a payout somebody asked for is requested; the others Stripe makes by the schedule. Stripe
    may tell us late, so each arrow may also be taken in one step.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Asked for")
        REFUSED = "refused", _("Not sent")
        PENDING = "pending", _("Being prepared")
        IN_TRANSIT = "in_transit", _("On its way to your bank")
        PAID = "paid", _("In your bank")
        FAILED = "failed", _("Came back from the bank")
        CANCELED = "canceled", _("Called off")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "requested": {"refused", "pending", "in_transit", "paid", "failed", "canceled"},
        "pending": {"in_transit", "paid", "failed", "canceled"},
        "in_transit": {"paid", "failed", "canceled"},
        "paid": {"failed"},
    }
    # What it carries has neither arrived nor come back.
    RUNNING: ClassVar[tuple[str, ...]] = ("requested", "pending", "in_transit")

    status = models.CharField(max_length=24, choices=Status, default=Status.PENDING)
    account = models.ForeignKey(PayoutAccount, models.PROTECT, related_name="payouts")
    # Where it goes; nothing when Stripe names an account we never saw as the one in use.
    bank = models.ForeignKey(BankDetails, models.PROTECT, null=True, related_name="payouts")
    automatic = models.BooleanField(default=True)
    # Within minutes, and what the payee pays for that beside the amount (rule M10).
    at_once = models.BooleanField(default=False)
    fee_minor = models.BigIntegerField(default=0)
    # Names the wish, so that a second click is the same payout.
    asked_as = models.CharField(max_length=80, blank=True)
    arrives_on = models.DateField(null=True)
    paid_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The payee says the bank details were not theirs, so Stripe was asked to call it off; and why
    # that was too late, if it was.
    call_off_at = models.DateTimeField(null=True)
    call_off_failure = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = _("payout")
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_id"], condition=~Q(stripe_id=""), name="payout_stripe_once"
            ),
            models.UniqueConstraint(
                fields=["account", "asked_as"],
                condition=~Q(asked_as=""),
                name="payout_asked_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_positive"),
            models.CheckConstraint(
                condition=Q(fee_minor=0) | Q(fee_minor__gt=0, at_once=True),
                name="payout_fee_is_for_speed",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        *("requested", "refused"),
                        *("pending", "in_transit", "paid", "failed", "canceled"),
                    ]
                ),
                name="payout_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "refused"], automatic=False)
                | ~Q(status__in=["requested", "refused"]) & ~Q(stripe_id=""),
                name="payout_at_stripe_has_proof",
            ),
            models.CheckConstraint(
                condition=Q(call_off_failure="") | Q(call_off_at__isnull=False),
                name="payout_call_off_was_asked",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(paid_at__isnull=False),
                name="payout_paid_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["failed", "canceled", "refused"]) ^ Q(ended_at=None),
                name="payout_end_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="payout_of_account"),
            models.Index(
                fields=["account"],
                condition=Q(status__in=["requested", "pending", "in_transit"]),
                name="payout_running",
            ),
        ]

    def __str__(self) -> str:
        return f"payout {self.ref}"

    @property
    def fee(self) -> Money:
        """What Stripe kept beside the amount, because it went at once."""
        return Money(self.fee_minor, self.currency)

    @property
    def why(self) -> str:
        """Why it was not sent, or came back: Stripe's code as a sentence."""
        for codes, words in WHY:
            if self.failure in codes:
                return str(words)
        if self.status == self.Status.REFUSED:
            return gettext("Stripe refused it.")
        return gettext("The bank sent it back.")


WHY = (
    (
        {"balance_insufficient", "insufficient_funds"},
        _("The money was not there any more when it should leave."),
    ),
    ({"paused"}, _("Payouts were paused before it could leave.")),
    (
        {"account_closed", "account_frozen", "bank_account_restricted"},
        _("The bank says that this account is closed or blocked."),
    ),
    (
        {"no_account", "invalid_account_number", "incorrect_account_holder_details"},
        _("The bank does not know this account number or the name with it."),
    ),
    (
        {"incorrect_account_holder_name", "incorrect_account_holder_address"},
        _("The name or address at the bank is not the one you gave Stripe."),
    ),
    ({"invalid_currency"}, _("The bank account cannot take this currency.")),
    (
        {"declined", "could_not_process", "bank_ownership_changed", "debit_not_authorized"},
        _("The bank refused it without saying more."),
    ),
)
