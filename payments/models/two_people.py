"""Acts on money that one person asks for and, above a limit, a second one has to approve."""

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


class TwoPeople(StatusModel):
    """What somebody asks for, with a reason; above a limit another person has to agree.

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
    reason = models.TextField(max_length=1000)
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
    # The journal it came to.
    posted = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="%(class)s_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "posted", "refused"]), name="%(class)s_status"
            ),
            models.CheckConstraint(
                condition=Q(reason__regex=A_SENTENCE), name="%(class)s_has_reason"
            ),
            # Nobody is their own second pair of eyes.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="%(class)s_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(status="posted", needs_second=True) | Q(decided_by__isnull=False),
                name="%(class)s_large_needs_second",
            ),
            models.CheckConstraint(
                condition=Q(status="posted") ^ Q(posted__isnull=True), name="%(class)s_has_journal"
            ),
            models.CheckConstraint(
                condition=Q(status="asked") ^ Q(decided_at__isnull=False),
                name="%(class)s_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, answer="")
                | Q(decided_by__isnull=False, answer__regex=A_SENTENCE),
                name="%(class)s_decision_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | Q(decided_by__isnull=False),
                name="%(class)s_refused_by_person",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=Q(status="asked"), name="%(class)s_waiting"
            ),
        ]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
