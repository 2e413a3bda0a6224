"""What one side suggests about a running milestone, and money on top of what was agreed."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models import Hold
from projects.models.contracts import Contract, Milestone, Side


class Proposal(StatusModel):
    """A new due date (rule M12) or a lower amount (rule M8), for the other side to accept.

    open → accepted | declined | withdrawn | lapsed (not answered in time: nothing changes)
      └──→ overtaken (the milestone went on without it)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting for an answer")
        ACCEPTED = "accepted", _("Agreed")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Taken back")
        LAPSED = "lapsed", _("Not answered in time")
        OVERTAKEN = "overtaken", _("Overtaken")

    class Kind(models.TextChoices):
        EXTENSION = "extension", _("A new due date")
        PART = "part", _("A lower amount")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "open": {"accepted", "declined", "withdrawn", "lapsed", "overtaken"}
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.OPEN)
    kind = models.CharField(max_length=12, choices=Kind)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="proposals")
    side = models.CharField(max_length=12, choices=Side)
    # An extension moves the date; the old one is kept, because the milestone forgets it.
    due_on = models.DateField(_("new due date"), null=True)
    due_was = models.DateField(null=True)
    # A lower amount pays the freelancer this much; the rest goes back.
    amount_minor = models.BigIntegerField(null=True)
    # The rest is held for the next milestone instead of going back (rule M2).
    carry = models.BooleanField(default=False)
    # For which one, and how much of it: nobody agrees to anything else than they have read.
    carry_to = models.ForeignKey(Milestone, models.PROTECT, null=True, related_name="+")
    carry_minor = models.BigIntegerField(null=True)
    reason = models.TextField(_("why"), max_length=2000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    answer_due_at = models.DateTimeField()
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("proposal")
        constraints = [
            models.UniqueConstraint(
                fields=["milestone", "kind"], condition=Q(status="open"), name="proposal_one_open"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "open",
                        "accepted",
                        "declined",
                        "withdrawn",
                        "lapsed",
                        "overtaken",
                    ]
                ),
                name="proposal_status",
            ),
            models.CheckConstraint(
                condition=Q(kind="extension", due_on__isnull=False, amount_minor__isnull=True)
                | Q(kind="part", due_on__isnull=True, amount_minor__gt=0),
                name="proposal_says_what",
            ),
            models.CheckConstraint(
                condition=Q(carry=False) | Q(kind="part"), name="proposal_carries_a_rest"
            ),
            models.CheckConstraint(
                condition=Q(carry_to=None, carry_minor=None)
                | Q(carry_to__isnull=False, carry_minor__gt=0, kind="part"),
                name="proposal_carries_so_much_there",
            ),
            models.CheckConstraint(
                condition=Q(status="open") ^ Q(answered_at__isnull=False),
                name="proposal_answer_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["answer_due_at"], condition=Q(status="open"), name="proposal_due"),
        ]

    def __str__(self) -> str:
        return f"proposal {self.ref}"

    @property
    def amount(self) -> Money | None:
        """What the freelancer would get, before the fee."""
        if self.amount_minor is None:
            return None
        return Money(self.amount_minor, self.milestone.contract.currency)

    @property
    def back(self) -> Money | None:
        """What of the milestone's amount would go back."""
        return None if self.amount is None else self.milestone.amount - self.amount


class Bonus(models.Model):
    """Money the client gives on top (rule M14). Where it is, its hold says."""

    ref = RefField()
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="bonuses")
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="bonus")
    note = models.TextField(_("note"), max_length=500, blank=True)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=clock.now)
    # Set when it was paid: then it is released.
    release_due_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bonus")
        verbose_name_plural = _("bonuses")
        indexes = [
            models.Index(fields=["contract", "-id"], name="bonus_of_contract"),
            models.Index(
                fields=["release_due_at"],
                condition=Q(release_due_at__isnull=False),
                name="bonus_release_due",
            ),
        ]

    def __str__(self) -> str:
        return f"bonus {self.ref}"
