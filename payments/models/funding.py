"""Paying in: what the payer sees as one Checkout page."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.holds import Hold


class Funding(StatusModel):
    """One try to pay, with one Checkout Session at Stripe; it may fill several holds.

    starting → open → processing → paid          (processing: a slow method, like SEPA debit)
        └───────┴─────────┴─→ expired            (no money came; another try is a new row)
    any of them, and expired → returned          (paid, but nothing waits for it: it goes back)
                             → quarantined       (paid, but not what we asked for)
    """

    class Status(models.TextChoices):
        STARTING = "starting", _("Being prepared")
        OPEN = "open", _("Waiting for the payer")
        PROCESSING = "processing", _("Payment on its way")
        PAID = "paid", _("Paid")
        EXPIRED = "expired", _("Ended without payment")
        RETURNED = "returned", _("Paid too late and sent back")
        QUARANTINED = "quarantined", _("Not what we asked for")

    RUNNING: ClassVar[set[str]] = {"starting", "open", "processing"}
    _ENDS: ClassVar[set[str]] = {"paid", "expired", "returned", "quarantined"}
    MOVES: ClassVar[dict[str, set[str]]] = {
        "starting": {"open"} | _ENDS,
        "open": {"processing"} | _ENDS,
        "processing": _ENDS,
        # Stripe may have taken the money before it heard that we gave up. Then the hold may still
        # be waiting, or not.
        "expired": {"paid", "returned", "quarantined"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.STARTING)
    payer = models.ForeignKey(Party, models.PROTECT, related_name="fundings")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # What the Checkout page asks for: the sum of the parts with their fees.
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # Kept as sent, because a repeated command must be the same to the letter.
    success_url = models.CharField(max_length=300)
    cancel_url = models.CharField(max_length=300)
    customer_email = models.EmailField()
    expires_at = models.DateTimeField()
    session_id = models.CharField(max_length=120, blank=True)
    session_url = models.TextField(blank=True)
    charge_id = models.CharField(max_length=80, blank=True)
    # Stripe's name for the card that paid, the same wherever the card is used; says nothing else.
    card_fingerprint = models.CharField(max_length=80, blank=True)
    # Why Stripe refused, in its own word; for staff.
    failure = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("funding")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="funding_positive"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "starting",
                        "open",
                        "processing",
                        "paid",
                        "expired",
                        "returned",
                        "quarantined",
                    ]
                ),
                name="funding_status",
            ),
            models.UniqueConstraint(
                fields=["session_id"], condition=~Q(session_id=""), name="funding_session_once"
            ),
            models.UniqueConstraint(
                fields=["charge_id"], condition=~Q(charge_id=""), name="funding_charge_once"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["paid", "returned", "quarantined"]) | ~Q(charge_id=""),
                name="funding_paid_has_charge",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["starting", "open", "processing"])
                ^ Q(ended_at__isnull=False),
                name="funding_end_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(status__in=["starting", "open", "processing"]),
                name="funding_running",
            ),
            models.Index(fields=["payer", "-id"], name="funding_of_payer"),
            models.Index(
                fields=["card_fingerprint"],
                condition=~Q(card_fingerprint=""),
                name="funding_of_card",
            ),
        ]

    def __str__(self) -> str:
        return f"funding {self.ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def is_running(self) -> bool:
        """Whether money may still come."""
        return self.status in self.RUNNING

    @property
    def transfer_group(self) -> str:
        """Ties what leaves to what came in, at Stripe."""
        return f"funding_{self.ref}"


class FundingPart(models.Model):
    """What of a funding goes to one hold."""

    funding = models.ForeignKey(Funding, models.PROTECT, related_name="parts")
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="funding_parts")
    # Numbers the tries for a hold. Unique, so that two at once cannot both start one.
    attempt = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField()
    client_fee_minor = models.BigIntegerField()
    # The hold took this money; what came too late was sent back instead.
    taken = models.BooleanField(default=False)
    # It is no money of its own: it came out of another part of the same funding (rule M2).
    carried = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hold"], condition=Q(taken=True), name="hold_funded_once"
            ),
            models.UniqueConstraint(fields=["funding", "hold"], name="funding_part_once"),
            models.UniqueConstraint(fields=["hold", "attempt"], name="funding_attempt_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, client_fee_minor__gte=0),
                name="funding_part_positive",
            ),
            models.CheckConstraint(
                condition=Q(carried=False) | Q(taken=True), name="funding_part_carried_is_taken"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hold} in {self.funding}"

    @property
    def stays_minor(self) -> int:
        """What of it was not carried on to another part, fee included, minor units."""
        return self.amount_minor + self.client_fee_minor - self.hold.carried_on.minor
