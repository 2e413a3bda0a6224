"""Undoing a posting: a journal is never changed, another one takes it back."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.breaks import A_SENTENCE
from payments.models.ledger import Journal


class Reversal(StatusModel):
    """A member of staff asks to undo a journal; above a limit another one has to agree.

    asked ─→ posted     (at once when it is small, otherwise when a second person approves)
      └────→ refused
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        POSTED = "posted", _("Posted")
        REFUSED = "refused", _("Refused")

    MOVES: ClassVar[dict[str, set[str]]] = {"asked": {"posted", "refused"}}

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.ASKED)
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="reversals")
    reason = models.TextField(max_length=1000)
    # What the journal moved: the sum of its credits, in its largest currency.
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # Fixed when it was asked, by the limit of that day's policy.
    needs_second = models.BooleanField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    # The second person; nobody when it was small.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # Why the second person approved or refused.
    answer = models.TextField(max_length=1000, blank=True)
    # The journal that undoes the other one.
    posted = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("reversal")
        permissions = [("act_on_reversal", _("Can reverse journals, and approve that"))]
        constraints = [
            models.UniqueConstraint(
                fields=["journal"],
                condition=Q(status__in=["asked", "posted"]),
                name="reversal_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="reversal_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "posted", "refused"]), name="reversal_status"
            ),
            models.CheckConstraint(
                condition=Q(reason__regex=A_SENTENCE), name="reversal_has_reason"
            ),
            # Nobody is their own second pair of eyes.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="reversal_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(status="posted", needs_second=True) | Q(decided_by__isnull=False),
                name="reversal_large_needs_second",
            ),
            models.CheckConstraint(
                condition=Q(status="posted") ^ Q(posted__isnull=True), name="reversal_has_journal"
            ),
            models.CheckConstraint(
                condition=Q(status="asked") ^ Q(decided_at__isnull=False),
                name="reversal_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, answer="")
                | Q(decided_by__isnull=False, answer__regex=A_SENTENCE),
                name="reversal_decision_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | Q(decided_by__isnull=False),
                name="reversal_refused_by_person",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(status="asked"), name="reversal_waiting"),
        ]

    def __str__(self) -> str:
        return f"reversal {self.ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
