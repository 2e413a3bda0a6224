"""What a freelancer offers."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from projects.models.projects import Project

# At commit: a bid without steps is fine, steps that do not sum to the price are not.
STEPS_SUM = """
    IF EXISTS (
        SELECT 1 FROM projects_bid bid JOIN projects_bidmilestone step ON step.bid_id = bid.id
        WHERE bid.id = {bid} GROUP BY bid.id HAVING sum(step.amount_minor) <> bid.price_minor
    ) THEN
        RAISE EXCEPTION 'the milestones of bid % do not sum to its price', {bid}
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bid_milestones_sum';
    END IF;
    RETURN NULL;
"""


class NotChosenReason(models.TextChoices):
    """Why somebody was not chosen, when the client does not say it in their own words."""

    PRICE = "price", _("The price does not fit our budget")
    SKILLS = "skills", _("We need other experience")
    TIMING = "timing", _("The timing does not fit")
    ANOTHER = "another", _("Somebody else was chosen")
    CLOSED = "closed", _("The project was closed without hiring")


class Bid(StatusModel):
    """A sealed offer: only the two sides ever see its price and words.

    sent ⇄ shortlisted → accepted
      └──────┴─────────→ not_chosen | withdrawn | expired
    withdrawn → sent (the freelancer sends it again while the project is open)
    not_chosen → sent (the client thinks again while the project is open)
    """

    class Status(models.TextChoices):
        SENT = "sent", _("Sent")
        SHORTLISTED = "shortlisted", _("Shortlisted")
        ACCEPTED = "accepted", _("Accepted")
        NOT_CHOSEN = "not_chosen", _("Not chosen")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    class AiUse(models.TextChoices):
        NO = "no", _("No")
        ASSIST = "assist", _("To assist me")
        DISCUSS = "discuss", _("I want to discuss it")

    LIVE = ("sent", "shortlisted")
    MOVES: ClassVar[dict[str, set[str]]] = {
        "sent": {"shortlisted", "accepted", "not_chosen", "withdrawn", "expired"},
        "shortlisted": {"sent", "accepted", "not_chosen", "withdrawn", "expired"},
        "withdrawn": {"sent"},
        "not_chosen": {"sent"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.SENT)
    project = models.ForeignKey(Project, models.PROTECT, related_name="bids")
    freelancer = models.ForeignKey(Party, models.PROTECT, related_name="bids")
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    days = models.PositiveSmallIntegerField(_("delivery time in working days"))
    message = models.TextField(_("why you"), max_length=1500)
    ai_use = models.CharField(_("AI tools"), max_length=8, choices=AiUse)
    # Rises with every edit; the client accepts the version they saw.
    version = models.PositiveSmallIntegerField(default=1)
    sent_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    # Since when the client knows whose it is, where names are hidden: it is not hidden again.
    name_shown_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # A NotChosenReason, or the client's own words.
    not_chosen_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("bid")
        constraints = [
            models.UniqueConstraint(fields=["project", "freelancer"], name="bid_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(status="accepted"), name="bid_one_accepted"
            ),
            models.CheckConstraint(condition=Q(price_minor__gt=0), name="bid_price_positive"),
            models.CheckConstraint(condition=Q(days__range=(1, 365)), name="bid_days"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "sent",
                        "shortlisted",
                        "accepted",
                        "not_chosen",
                        "withdrawn",
                        "expired",
                    ]
                ),
                name="bid_status",
            ),
            models.CheckConstraint(
                condition=Q(ai_use__in=["no", "assist", "discuss"]), name="bid_ai_use"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["sent", "shortlisted"]) ^ Q(closed_at__isnull=False),
                name="bid_end_has_time",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="milestones_sum",
                operation=pgtrigger.UpdateOf("price_minor"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=STEPS_SUM.format(bid="NEW.id"),
            ),
        ]
        indexes = [
            models.Index(fields=["freelancer", "-id"], name="bid_of_freelancer"),
            models.Index(fields=["project", "status", "-id"], name="bid_of_project"),
        ]

    def __str__(self) -> str:
        return f"bid {self.ref}"

    def get_absolute_url(self) -> str:
        return reverse("projects:bid-detail", args=[self.ref])

    @property
    def why_not(self) -> str:
        """The reason the client gave, in the reader's language when it is one of ours."""
        reason = self.not_chosen_reason
        return str(NotChosenReason(reason).label) if reason in NotChosenReason.values else reason

    @property
    def is_live(self) -> bool:
        """Whether it still waits for the client's choice."""
        return self.status in self.LIVE

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)


class BidMilestone(models.Model):
    """A step the bidder proposes; the steps sum to the price (checked at commit)."""

    bid = models.ForeignKey(Bid, models.CASCADE, related_name="milestones")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=120)
    amount_minor = models.BigIntegerField()
    # Working days from the start of the contract.
    days = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["bid", "position"], name="bid_milestone_position"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="bid_milestone_positive"),
            models.CheckConstraint(condition=Q(days__range=(1, 365)), name="bid_milestone_days"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="sum_is_price",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=STEPS_SUM.format(bid="COALESCE(NEW.bid_id, OLD.bid_id)"),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.bid.currency)
