"""Payees who are asked for what tax offices must be told, and what follows if they do not say."""

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.status import StatusModel
from payments.models.breaks import A_SENTENCE
from payments.models.policy import PlatformPolicy

# Directive (EU) 2021/514, annex V, section IV A 2: payments are withheld after two reminders, and
# not before sixty days have passed.
REMINDERS, EARLIEST_PAUSE = 2, dt.timedelta(days=60)


class TaxRequest(StatusModel):
    """A payee whose tax details a European tax office must be told, and who has not told us.

    asked ─ two reminders, no answer ─→ paused (nothing is paid out to their bank)
      ├─────────────────────────────────┴──→ answered
      └─────────────────────────────────┴──→ lifted (a named person, with a reason)
    One that was lifted is not repeated for the same year.
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Asked for")
        PAUSED = "paused", _("Payouts wait for it")
        ANSWERED = "answered", _("Answered")
        LIFTED = "lifted", _("Lifted")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "asked": {"paused", "answered", "lifted"},
        "paused": {"answered", "lifted"},
    }
    OPEN: ClassVar[tuple[str, ...]] = ("asked", "paused")

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.ASKED)
    party = models.ForeignKey(Party, models.PROTECT, related_name="tax_requests")
    # The basis: this version of the rules. And the year in which they earned something.
    policy = models.ForeignKey(PlatformPolicy, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField(default=clock.now)
    reminders = models.PositiveSmallIntegerField(default=0)
    # The next reminder, or the pause.
    due_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    # When somebody looks at the pause again, also if nobody appeals.
    review_due_at = models.DateTimeField(null=True)
    appeal = models.TextField(_("your side of it"), max_length=2000, blank=True)
    appealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    appealed_at = models.DateTimeField(null=True)
    # The last time a person looked and let the pause stay.
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    kept_because = models.TextField(max_length=1000, blank=True)
    kept_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    lifted_because = models.TextField(max_length=1000, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("request for tax details")
        verbose_name_plural = _("requests for tax details")
        permissions = [("act_on_tax_request", _("Can lift a pause for missing tax details"))]
        constraints = [
            models.UniqueConstraint(
                fields=["party"],
                condition=Q(status__in=["asked", "paused"]),
                name="tax_request_one_open",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "paused", "answered", "lifted"]),
                name="tax_request_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "paused"]) ^ Q(ended_at__isnull=False),
                name="tax_request_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="asked") ^ Q(due_at__isnull=True), name="tax_request_due"
            ),
            # Whoever is not paid out was reminded twice, and had the time the law gives them.
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, review_due_at__isnull=True)
                & ~Q(status="paused")
                | Q(
                    reminders=REMINDERS,
                    paused_at__gte=F("asked_at") + EARLIEST_PAUSE,
                    review_due_at__isnull=False,
                ),
                name="tax_request_pause_has_basis",
            ),
            models.CheckConstraint(
                condition=Q(status="lifted", lifted_by__isnull=False)
                & Q(lifted_because__regex=A_SENTENCE)
                | ~Q(status="lifted") & Q(lifted_by__isnull=True, lifted_because=""),
                name="tax_request_lifted_by_person",
            ),
            models.CheckConstraint(
                condition=Q(kept_at__isnull=True, kept_by__isnull=True, kept_because="")
                | Q(kept_at__isnull=False, kept_by__isnull=False)
                & Q(kept_because__regex=A_SENTENCE),
                name="tax_request_kept_by_person",
            ),
            models.CheckConstraint(
                condition=Q(appealed_at__isnull=True, appealed_by__isnull=True, appeal="")
                | Q(appealed_at__isnull=False, appealed_by__isnull=False) & ~Q(appeal=""),
                name="tax_request_appeal_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="asked"), name="tax_request_due_at"),
        ]

    def __str__(self) -> str:
        return f"request {self.ref}"

    @property
    def appeal_waits(self) -> bool:
        """Whether somebody appealed and no person has answered yet."""
        if self.status != self.Status.PAUSED or not self.appealed_at:
            return False
        return self.kept_at is None or self.kept_at < self.appealed_at
