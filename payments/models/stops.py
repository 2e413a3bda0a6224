"""Clients who may not publish: a card dispute they won has cost others money (rule C7)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.status import StatusModel
from payments.models.breaks import A_SENTENCE
from payments.models.chargebacks import Chargeback
from payments.models.policy import PlatformPolicy


class PostingStop(StatusModel):
    """The client of a lost chargeback publishes nothing new until it is settled. What runs, runs.

    active ⇄ over (the bank gave the money back, or takes it once more)
       └──→ lifted (a named person, with a reason)
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("May not publish")
        LIFTED = "lifted", _("Lifted")
        OVER = "over", _("Settled by the bank")

    MOVES: ClassVar[dict[str, set[str]]] = {"active": {"lifted", "over"}, "over": {"active"}}

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.ACTIVE)
    payer = models.ForeignKey(Party, models.PROTECT, related_name="posting_stops")
    chargeback = models.OneToOneField(Chargeback, models.PROTECT, related_name="posting_stop")
    # The basis: this version of the rules.
    policy = models.ForeignKey(PlatformPolicy, models.PROTECT, related_name="+")
    since = models.DateTimeField(default=clock.now)
    # When somebody looks at it again, also if nobody appeals.
    review_due_at = models.DateTimeField()
    appeal = models.TextField(_("your side of it"), max_length=2000, blank=True)
    appealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    appealed_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    lifted_because = models.TextField(max_length=1000, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("stop of publishing")
        verbose_name_plural = _("stops of publishing")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "lifted", "over"]), name="posting_stop_status"
            ),
            models.CheckConstraint(
                condition=Q(status="active") ^ Q(ended_at__isnull=False),
                name="posting_stop_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="lifted", lifted_by__isnull=False)
                & Q(lifted_because__regex=A_SENTENCE)
                | ~Q(status="lifted") & Q(lifted_by__isnull=True, lifted_because=""),
                name="posting_stop_lifted_by_person",
            ),
            models.CheckConstraint(
                condition=Q(appealed_at__isnull=True, appealed_by__isnull=True, appeal="")
                | Q(appealed_at__isnull=False, appealed_by__isnull=False) & ~Q(appeal=""),
                name="posting_stop_appeal_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["payer"], condition=Q(status="active"), name="posting_stop_active"
            ),
        ]

    def __str__(self) -> str:
        return f"stop {self.ref}"
