"""What a client wants done."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models import Party, Skill
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.models import StoredFile
from marketplace.core.money import Money
from marketplace.core.status import StatusModel


class AiPolicy(models.TextChoices):
    """What the client says about AI tools; the bid's answer becomes part of the contract."""

    FINE = "fine", _("Fine")
    ASK = "ask", _("Ask first")
    NO = "no", _("No")


class Project(StatusModel):
    """A posting.

    draft → open → in_progress → completed
              └────────┴──────→ cancelled | expired (from open)
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", _("Open for bids")
        IN_PROGRESS = "in_progress", _("In progress")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Closed without hiring")
        EXPIRED = "expired", _("Expired")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "draft": {"open", "cancelled"},
        "open": {"in_progress", "cancelled", "expired"},
        "in_progress": {"completed", "cancelled"},
    }

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.DRAFT)
    client = models.ForeignKey(Party, models.PROTECT, related_name="projects")
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("description"), max_length=8000)
    content_language = models.CharField(max_length=8, default="en")
    # Fixed price; a range the client has in mind, or open when both are empty.
    budget_min_minor = models.BigIntegerField(null=True, blank=True)
    budget_max_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    deliver_by = models.DateField(_("deliver by"), null=True, blank=True)
    ai_policy = models.CharField(
        _("AI tools"), max_length=4, choices=AiPolicy, default=AiPolicy.ASK
    )
    # The client reads bids without names until they are on the short list.
    is_blind = models.BooleanField(_("hide names until the short list"), default=False)
    skills = models.ManyToManyField(Skill, related_name="projects", blank=True)
    files = models.ManyToManyField(StoredFile, related_name="+", blank=True)
    created_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Bids that were sent and not withdrawn: all a rival ever learns.
    bids_count = models.PositiveIntegerField(default=0)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("description", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("project")
        indexes = [
            GinIndex(fields=["search"], name="project_search"),
            models.Index(
                fields=["-published_at", "-id"], condition=Q(status="open"), name="project_newest"
            ),
            models.Index(
                fields=["currency", "-budget_max_minor", "-id"],
                condition=Q(status="open", budget_max_minor__isnull=False),
                name="project_budget",
            ),
            models.Index(fields=["expires_at"], condition=Q(status="open"), name="project_expiry"),
            models.Index(fields=["client", "-id"], name="project_of_client"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(budget_min_minor__isnull=True, budget_max_minor__isnull=True)
                | Q(budget_min_minor__gt=0, budget_max_minor__gte=F("budget_min_minor")),
                name="project_budget_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "open",
                        "in_progress",
                        "completed",
                        "cancelled",
                        "expired",
                    ]
                ),
                name="project_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"])
                | Q(published_at__isnull=False, expires_at__isnull=False),
                name="project_published_has_times",
            ),
            models.CheckConstraint(
                condition=Q(ai_policy__in=["fine", "ask", "no"]), name="project_ai_policy"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("projects:detail", args=[self.slug, self.ref])

    @property
    def is_open(self) -> bool:
        """Whether it takes bids now: the sweep that expires it may come a little later."""
        return (
            self.status == self.Status.OPEN
            and self.expires_at is not None
            and clock.now() < self.expires_at
        )

    @property
    def slug(self) -> str:
        """Cosmetic part of the address; the ref decides."""
        return slugify(self.title)[:60].strip("-") or "project"

    @property
    def budget_min(self) -> Money | None:
        return (
            None if self.budget_min_minor is None else Money(self.budget_min_minor, self.currency)
        )

    @property
    def budget_max(self) -> Money | None:
        return (
            None if self.budget_max_minor is None else Money(self.budget_max_minor, self.currency)
        )
