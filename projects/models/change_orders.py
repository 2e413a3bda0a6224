"""More than was agreed: an extra round of changes or extra work, for more money (rule M7)."""

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.guards import append_only
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from projects.models.contracts import Contract, Milestone, Side


class ChangeOrder(StatusModel):
    """What is added to a contract, for how much and until when. It becomes a milestone of its own.

    wanted (the client wants another round) → offered → agreed → in_force (it is paid: work starts)
       └→ granted (done without extra pay)      │         └→ unpaid (not paid in time: not in force)
    wanted | offered → declined | withdrawn | lapsed (not answered in time)
    wanted | offered | agreed → overtaken (what it was about went on or ended without it)
    """

    class Status(models.TextChoices):
        WANTED = "wanted", _("Waiting for a price")
        OFFERED = "offered", _("Waiting for an answer")
        AGREED = "agreed", _("Agreed, waiting for the payment")
        IN_FORCE = "in_force", _("In force")
        GRANTED = "granted", _("Done without extra pay")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Taken back")
        LAPSED = "lapsed", _("Not answered in time")
        UNPAID = "unpaid", _("Not paid in time")
        OVERTAKEN = "overtaken", _("Overtaken")

    class Kind(models.TextChoices):
        ROUND = "round", _("An extra round of changes")
        SCOPE = "scope", _("Extra work")

    # One at a time: the next one is offered against terms both know.
    OPEN: ClassVar[tuple[str, ...]] = ("wanted", "offered", "agreed")
    # Somebody has to say something.
    ASKING: ClassVar[tuple[str, ...]] = ("wanted", "offered")
    # Agreed, but it never came into force: what it had become is no part of the contract.
    OFF: ClassVar[tuple[str, ...]] = ("unpaid", "overtaken")
    MOVES: ClassVar[dict[str, set[str]]] = {
        "wanted": {"offered", "granted", "declined", "withdrawn", "lapsed", "overtaken"},
        "offered": {"agreed", "declined", "withdrawn", "lapsed", "overtaken"},
        "agreed": {"in_force", "unpaid", "overtaken"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.OFFERED)
    kind = models.CharField(max_length=12, choices=Kind)
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="change_orders")
    # The milestone in review whose included rounds are used up, if that is where it began.
    about = models.ForeignKey(Milestone, models.PROTECT, null=True, related_name="change_orders")
    # What it became when both had agreed.
    milestone = models.OneToOneField(
        Milestone, models.PROTECT, null=True, related_name="change_order"
    )
    # Who has spoken last; the other side answers.
    side = models.CharField(max_length=12, choices=Side)
    title = models.CharField(_("title"), max_length=120)
    # What should change, in the client's words, or what is added.
    body = models.TextField(_("what is added"), max_length=4000)
    amount_minor = models.BigIntegerField(null=True)
    # A round is due so many days after its payment, extra work on a date.
    days = models.PositiveSmallIntegerField(null=True)
    due_on = models.DateField(_("due"), null=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    offered_at = models.DateTimeField(null=True)
    # Until when the other side answers, then until when the client pays.
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change order")
        constraints = [
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(status__in=["wanted", "offered", "agreed"]),
                name="change_order_one_open",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        *("wanted", "offered", "agreed", "in_force", "granted"),
                        *("declined", "withdrawn", "lapsed", "unpaid", "overtaken"),
                    ]
                ),
                name="change_order_status",
            ),
            models.CheckConstraint(
                condition=Q(kind="round", about__isnull=False, due_on=None)
                | Q(kind="scope", days=None),
                name="change_order_round_of_what",
            ),
            models.CheckConstraint(
                condition=Q(offered_at=None, amount_minor=None, offered_by=None)
                | Q(offered_at__isnull=False, amount_minor__gt=0, offered_by__isnull=False)
                & (Q(days__gt=0) | Q(due_on__isnull=False)),
                name="change_order_offer_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(offered_at__isnull=False)
                | ~Q(status__in=["offered", "agreed", "in_force", "unpaid"]),
                name="change_order_agreed_to_an_offer",
            ),
            models.CheckConstraint(
                condition=Q(milestone__isnull=False)
                | ~Q(status__in=["agreed", "in_force", "unpaid"]),
                name="change_order_agreed_has_step",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["wanted", "offered", "agreed"]) ^ Q(ended_at__isnull=False),
                name="change_order_end_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=["wanted", "offered", "agreed"]),
                name="change_order_due",
            ),
            models.Index(fields=["contract", "-id"], name="change_order_of_contract"),
        ]

    def __str__(self) -> str:
        return f"change order {self.ref}"

    def get_absolute_url(self) -> str:
        return reverse(
            "projects:change-order", kwargs={"ref": self.contract.ref, "order": self.ref}
        )

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.status in self.OPEN

    @property
    def is_round(self) -> bool:
        return self.kind == self.Kind.ROUND

    @property
    def amount(self) -> Money | None:
        """What the freelancer would get on top, before the fee; None before an offer."""
        if self.amount_minor is None:
            return None
        return Money(self.amount_minor, self.contract.currency)

    def due_if_paid(self, at: dt.datetime) -> dt.date | None:
        """When the work is due if the payment comes then."""
        if self.days is not None:
            return at.date() + dt.timedelta(days=self.days)
        return self.due_on


class Amendment(models.Model):
    """The terms of a contract from a change order on: the text both agreed to, frozen.

    The contract's own terms are version 1; each amendment adds to what was there before.
    """

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="amendments")
    version = models.PositiveSmallIntegerField()
    order = models.OneToOneField(ChangeOrder, models.PROTECT, related_name="amendment")
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    client_agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    client_agreed_at = models.DateTimeField()
    freelancer_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    freelancer_agreed_at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        verbose_name = _("amendment")
        constraints = [
            models.UniqueConstraint(fields=["contract", "version"], name="amendment_version"),
            models.CheckConstraint(condition=Q(version__gt=1), name="amendment_after_terms"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"terms {self.version} of {self.contract_id}"
