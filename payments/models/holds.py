"""Held money: set aside by a payer for one payee, until it is released or goes back."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.policy import PlatformPolicy


@dataclass(frozen=True)
class Shares:
    """How a hold falls to the two sides and to us; the parts sum to what the payer paid."""

    to_payee: Money
    freelancer_fee: Money
    client_fee: Money
    to_payer: Money

    @property
    def fees(self) -> Money:
        return self.freelancer_fee + self.client_fee


class Hold(StatusModel):
    """An amount for one piece of work, with the payer's fee beside it.

    pending ─ paid ─→ held ─→ released | refunded | split (both agreed)
       │               ↕
    cancelled        paused (a dispute) ─→ released | refunded | split

    held | paused ⇄ frozen (the card payment is questioned) ─→ refunded (by the bank)
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Not funded")
        HELD = "held", _("Held")
        PAUSED = "paused", _("Paused")
        FROZEN = "frozen", _("Frozen, the card payment is questioned")
        RELEASED = "released", _("Released")
        REFUNDED = "refunded", _("Refunded")
        SPLIT = "split", _("Split")
        CANCELLED = "cancelled", _("Cancelled")

    class Basis(models.TextChoices):
        """Why money left a hold: no outcome without one."""

        APPROVAL = "approval", _("The client approved")
        DECISION = "decision", _("A named person decided")
        SETTLEMENT = "settlement", _("Both sides agreed")
        RULE = "rule", _("A rule both signed")

    # Its money is here and nobody's yet.
    WITH_US = ("held", "paused", "frozen")
    MOVES: ClassVar[dict[str, set[str]]] = {
        "pending": {"held", "cancelled"},
        "held": {"paused", "released", "refunded", "split", "frozen"},
        "paused": {"held", "released", "refunded", "split", "frozen"},
        "frozen": {"held", "paused", "refunded"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.PENDING)
    payer = models.ForeignKey(Party, models.PROTECT, related_name="holds_paid")
    payee = models.ForeignKey(Party, models.PROTECT, related_name="holds_received")
    # What the two agreed on; the payee's fee comes out of it, the payer's fee on top of it.
    amount_minor = models.BigIntegerField()
    client_fee_minor = models.BigIntegerField()
    freelancer_fee_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    policy = models.ForeignKey(PlatformPolicy, models.PROTECT, related_name="+")
    # What it is for, as the payer reads it on the Checkout page and on invoices.
    label = models.CharField(max_length=200)
    # What the holds of one contract share. Payments does not know what stands behind it.
    work = models.CharField(max_length=10, blank=True)
    # A bonus: nobody pays us a fee on it.
    fee_free = models.BooleanField(default=False)
    basis = models.CharField(max_length=12, choices=Basis, blank=True)
    # The rule or the decision row behind the basis, e.g. "M5" or "decision:17".
    basis_detail = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    held_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # What the payee's side got of `amount_minor` in the end, before the fee; the rest went back.
    awarded_minor = models.BigIntegerField(null=True)
    # What was set aside of the award for card disputes (rule C7), by the policy.
    reserved_minor = models.BigIntegerField(default=0)
    # What of the award the payee gave back later; a sum of `GiveBack` rows that are done.
    given_back_minor = models.BigIntegerField(default=0)
    # What of it the payee gave back while it was held (rule C3), and the payer's fee of that. The
    # amounts above are what is left: the agreement is smaller by this.
    returned_minor = models.BigIntegerField(default=0)
    returned_fee_minor = models.BigIntegerField(default=0)
    # What of it both agreed to hold for other work instead (rule M2), and the payer's fee of that.
    carried_minor = models.BigIntegerField(default=0)
    carried_fee_minor = models.BigIntegerField(default=0)
    # Whose money it is that way: it came by the same charge, and its time is counted from there.
    carried_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="carried_to")
    # How often it was paused; each pause is a journal of its own.
    pauses = models.PositiveSmallIntegerField(default=0)
    # What it was before the card payment was questioned, and will be again.
    frozen_from = models.CharField(max_length=24, blank=True)

    class Meta:
        verbose_name = _("hold")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="hold_positive"),
            models.CheckConstraint(
                condition=Q(
                    client_fee_minor__gte=0,
                    freelancer_fee_minor__gte=0,
                    freelancer_fee_minor__lte=F("amount_minor"),
                ),
                name="hold_fees",
            ),
            models.CheckConstraint(
                condition=Q(fee_free=False) | Q(client_fee_minor=0, freelancer_fee_minor=0),
                name="hold_free_has_no_fees",
            ),
            models.CheckConstraint(condition=~Q(payer=F("payee")), name="hold_two_parties"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "pending",
                        "held",
                        "paused",
                        "frozen",
                        "released",
                        "refunded",
                        "split",
                        "cancelled",
                    ]
                ),
                name="hold_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "held", "paused", "frozen", "cancelled"])
                | (~Q(basis="") & Q(ended_at__isnull=False) & Q(awarded_minor__isnull=False)),
                name="hold_outcome_has_basis",
            ),
            models.CheckConstraint(
                condition=~Q(status="frozen") | Q(frozen_from__in=["held", "paused"]),
                name="hold_frozen_from",
            ),
            models.CheckConstraint(
                condition=Q(awarded_minor__isnull=True)
                | Q(awarded_minor__gte=0, awarded_minor__lte=F("amount_minor")),
                name="hold_award_within",
            ),
            models.CheckConstraint(
                condition=Q(given_back_minor=0)
                | Q(given_back_minor__gt=0, given_back_minor__lte=F("awarded_minor")),
                name="hold_given_back_within",
            ),
            models.CheckConstraint(
                condition=Q(
                    returned_minor__gte=0, returned_fee_minor__gte=0, reserved_minor__gte=0
                ),
                name="hold_returned_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(carried_minor__gte=0, carried_fee_minor__gte=0),
                name="hold_carried_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["payer", "-id"], name="hold_of_payer"),
            models.Index(fields=["payee", "-id"], name="hold_of_payee"),
        ]

    def __str__(self) -> str:
        return f"hold {self.ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def freelancer_fee(self) -> Money:
        return Money(self.freelancer_fee_minor, self.currency)

    @property
    def client_fee(self) -> Money:
        return Money(self.client_fee_minor, self.currency)

    @property
    def awarded(self) -> Money:
        """What counts as earned in the end; nothing before."""
        return Money(self.awarded_minor or 0, self.currency)

    @property
    def given_back(self) -> Money:
        """What of the award the payee has given back since."""
        return Money(self.given_back_minor, self.currency)

    @property
    def kept(self) -> Money:
        """What counts as earned now; the rest of the amount went back, sooner or later."""
        return self.awarded - self.given_back

    @property
    def client_pays(self) -> Money:
        return Money(self.amount_minor + self.client_fee_minor, self.currency)

    def to_reserve(self, earned: Money) -> Money:
        """What is set aside for card disputes when so much is earned; nothing where no fee is."""
        nothing = Money.zero(self.currency)
        return nothing if self.fee_free else earned.share(self.policy.reserve_bps)

    @property
    def returned(self) -> Money:
        """What of the first amount the payee gave back while it was held."""
        return Money(self.returned_minor, self.currency)

    @property
    def returned_to_payer(self) -> Money:
        """What the payer got back of it then, their fee included."""
        return self.returned + Money(self.returned_fee_minor, self.currency)

    @property
    def carried(self) -> Money:
        """What of the first amount is held for other work now."""
        return Money(self.carried_minor, self.currency)

    @property
    def carried_on(self) -> Money:
        """The same with the payer's fee of it."""
        return self.carried + Money(self.carried_fee_minor, self.currency)

    @property
    def paid_in(self) -> Money:
        """What the payer paid for it in the beginning; nothing for what was carried here."""
        if self.carried_from_id is not None:
            return Money.zero(self.currency)
        return self.client_pays + self.returned_to_payer + self.carried_on

    def returnable_until(self, policy: PlatformPolicy) -> dt.datetime | None:
        """Until when the payee may give back of it (rule C3), by its policy; None for nothing."""
        if self.ended_at is None or not self.kept:
            return None
        return self.ended_at + dt.timedelta(days=policy.give_back_days)

    def shares(self, awarded: Money) -> Shares:
        """Who gets what when `awarded` of it counts as earned by the payee.

        Fees follow the money (rule C4): what belongs to returned money is returned, or not taken.
        Each fee is rounded once; the rest is by subtraction.
        """
        freelancer_fee = self.freelancer_fee.portion(awarded.minor, self.amount.minor)
        client_fee = self.client_fee.portion(awarded.minor, self.amount.minor)
        return Shares(
            to_payee=awarded - freelancer_fee,
            freelancer_fee=freelancer_fee,
            client_fee=client_fee,
            to_payer=self.client_pays - awarded - client_fee,
        )
