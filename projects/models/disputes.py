"""When the two disagree about held money, and a person decides."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.guards import Guard, append_only
from marketplace.core.ids import RefField
from marketplace.core.models import StoredFile
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from projects.models.contracts import Milestone

models.TextField.register_lookup(Length)

# Both parts of a decision sum to what the dispute paused.
SPLIT_SUMS = """
    IF NEW.to_freelancer_minor + NEW.to_client_minor <> (
        SELECT paused_minor FROM projects_dispute WHERE id = NEW.dispute_id
    ) THEN
        RAISE EXCEPTION 'the parts of decision % do not sum to the paused amount', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_split_sums';
    END IF;
    RETURN NULL;
"""


class Dispute(StatusModel):
    """A disagreement about the money held for one milestone, paused since it was opened.

    open → settled (both agreed) | decided (staff) | withdrawn (the opener)
         → overtaken (the bank took the payment back: nothing is left to split)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        SETTLED = "settled", _("Settled by both")
        DECIDED = "decided", _("Decided")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        OVERTAKEN = "overtaken", _("Ended by the client’s bank")

    class Reason(models.TextChoices):
        NOT_AS_AGREED = "not_as_agreed", _("The work is not what we agreed")
        NOT_DELIVERED = "not_delivered", _("Nothing was delivered")
        NO_ANSWER = "no_answer", _("The other side does not answer")
        SCOPE = "scope", _("More is asked than we agreed")
        OTHER = "other", _("Something else")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "open": {"settled", "decided", "withdrawn", "overtaken"}
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.OPEN)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="disputes")
    # Where the milestone goes back to when the dispute is withdrawn.
    milestone_was = models.CharField(max_length=24)
    # Time left of a stopped review window, seconds; it runs on after a withdrawal.
    review_left = models.PositiveIntegerField(null=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_for = models.ForeignKey(Party, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=16, choices=Reason)
    paused_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField(default=clock.now)
    answer_due_at = models.DateTimeField()
    decide_due_at = models.DateTimeField()
    # The next deadline to tell people about.
    notice_due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Who settled or withdrew it; a decision names its own person.
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # The other side's proposal that was accepted.
    accepted = models.OneToOneField(
        "projects.DisputeStatement", models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("dispute")
        permissions = [("decide_dispute", _("Can decide disputes"))]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"], condition=Q(status="open"), name="dispute_one_open"
            ),
            models.CheckConstraint(condition=Q(paused_minor__gt=0), name="dispute_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "settled", "decided", "withdrawn", "overtaken"]),
                name="dispute_status",
            ),
            models.CheckConstraint(
                condition=Q(status="open") ^ Q(ended_at__isnull=False),
                name="dispute_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="settled") ^ Q(accepted__isnull=True),
                name="dispute_settlement_has_proposal",
            ),
        ]
        indexes = [
            models.Index(
                fields=["notice_due_at"], condition=Q(status="open"), name="dispute_notice_due"
            ),
            models.Index(
                fields=["decide_due_at"], condition=Q(status="open"), name="dispute_decide_due"
            ),
        ]

    def __str__(self) -> str:
        return f"dispute {self.ref}"

    def get_absolute_url(self) -> str:
        return reverse("projects:dispute", kwargs={"ref": self.ref})

    @property
    def paused(self) -> Money:
        return Money(self.paused_minor, self.currency)


class DisputeStatement(models.Model):
    """What a side says and what split it thinks fair. Append-only evidence."""

    ref = RefField()
    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="statements")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    side = models.ForeignKey(Party, models.PROTECT, related_name="+")
    body = models.TextField(_("what happened"), max_length=6000)
    # Their proposal: this much to the freelancer, the rest back to the client.
    to_freelancer_minor = models.BigIntegerField(null=True)
    files = models.ManyToManyField(StoredFile, related_name="+", blank=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_freelancer_minor__isnull=True) | Q(to_freelancer_minor__gte=0),
                name="statement_split_positive",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"statement {self.ref}"

    @property
    def to_freelancer(self) -> Money | None:
        """The proposed part of the freelancer, if this statement proposes one."""
        if self.to_freelancer_minor is None:
            return None
        return Money(self.to_freelancer_minor, self.dispute.currency)


class Decision(models.Model):
    """A named person's decision with its reason. Append-only."""

    dispute = models.OneToOneField(Dispute, models.PROTECT, related_name="decision")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    to_freelancer_minor = models.BigIntegerField()
    to_client_minor = models.BigIntegerField()
    reason = models.TextField(_("reason, shown to both"), max_length=6000)
    decided_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_freelancer_minor__gte=0, to_client_minor__gte=0)
                & Q(to_freelancer_minor__gt=-F("to_client_minor")),
                name="decision_split",
            ),
            models.CheckConstraint(condition=Q(reason__length__gte=80), name="decision_has_reason"),
        ]
        triggers = [
            *append_only(),
            Guard(
                name="split_sums",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                func=SPLIT_SUMS,
            ),
        ]

    def __str__(self) -> str:
        return f"decision on {self.dispute_id}"
