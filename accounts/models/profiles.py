"""How a freelancer presents their work."""

from urllib.parse import urlsplit

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.parties import Party
from accounts.models.skills import Skill
from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.models import StoredFile
from marketplace.core.money import Money


class Profile(models.Model):
    """A party's public page as a freelancer."""

    class Availability(models.TextChoices):
        NOW = "now", _("Free now")
        FROM_DATE = "from", _("Free from a date")
        BUSY = "busy", _("Not taking work")

    party = models.OneToOneField(Party, models.CASCADE, related_name="profile")
    handle = models.SlugField(_("address"), max_length=60, unique=True)
    headline = models.CharField(_("headline"), max_length=120, blank=True)
    bio = models.TextField(_("about you"), max_length=4000, blank=True)
    # Hourly range in the party's currency, minor units.
    rate_min_minor = models.PositiveBigIntegerField(null=True, blank=True)
    rate_max_minor = models.PositiveBigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    availability = models.CharField(
        _("availability"), max_length=5, choices=Availability, default=Availability.NOW
    )
    available_from = models.DateField(_("free from"), null=True, blank=True)
    hours_per_week = models.PositiveSmallIntegerField(_("hours a week"), null=True, blank=True)
    languages = models.CharField(_("languages you work in"), max_length=120, blank=True)
    # Hidden profiles keep their contracts; they are only not found or suggested.
    is_visible = models.BooleanField(_("show my profile"), default=True)
    skills = models.ManyToManyField(Skill, through="accounts.ProfileSkill", related_name="profiles")
    updated_at = models.DateTimeField(default=clock.now)
    # Name, skills and their other spellings, kept by the services, so that one index finds all.
    words = models.TextField(blank=True, editable=False)
    search = models.GeneratedField(
        expression=SearchVector("headline", weight="A", config="simple")
        + SearchVector("words", weight="B", config="simple")
        + SearchVector("bio", weight="C", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("profile")
        indexes = [
            GinIndex(fields=["search"], name="profile_search"),
            models.Index(
                fields=["-updated_at", "-id"],
                condition=Q(is_visible=True) & ~Q(headline=""),
                name="profile_newest",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(rate_min_minor__isnull=True, rate_max_minor__isnull=True)
                | Q(rate_min_minor__gt=0, rate_max_minor__gte=F("rate_min_minor")),
                name="profile_rate_range",
            ),
            models.CheckConstraint(
                condition=~Q(availability="from") | Q(available_from__isnull=False),
                name="profile_from_needs_date",
            ),
            models.CheckConstraint(
                condition=Q(hours_per_week__isnull=True) | Q(hours_per_week__range=(1, 80)),
                name="profile_hours",
            ),
        ]

    def __str__(self) -> str:
        return self.headline or self.handle

    @property
    def rate_low(self) -> Money | None:
        """What an hour costs at least."""
        return None if self.rate_min_minor is None else Money(self.rate_min_minor, self.currency)

    @property
    def rate_high(self) -> Money | None:
        """What an hour costs at most."""
        return None if self.rate_max_minor is None else Money(self.rate_max_minor, self.currency)

    @property
    def is_busy(self) -> bool:
        """Whether this person takes no work now."""
        return self.availability == self.Availability.BUSY

    @property
    def is_free_later(self) -> bool:
        """Whether the day this person is free from has not come yet."""
        return (
            self.availability == self.Availability.FROM_DATE
            and self.available_from is not None
            and self.available_from > timezone.localdate(clock.now())
        )


class ProfileSkill(models.Model):
    """A skill somebody says they have, and how well."""

    class Level(models.IntegerChoices):
        BASIC = 1, _("Basic")
        GOOD = 2, _("Good")
        EXPERT = 3, _("Expert")

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="profile_skills")
    skill = models.ForeignKey(Skill, models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.GOOD)

    class Meta:
        ordering = ["-level", "id"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "skill"], name="profile_skill_once"),
            models.CheckConstraint(condition=Q(level__range=(1, 3)), name="profile_skill_level"),
        ]

    def __str__(self) -> str:
        return f"{self.skill} ({self.get_level_display()})"


class PortfolioItem(models.Model):
    """A piece of work to show."""

    ref = RefField()
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="portfolio")
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("what you did"), max_length=2000, blank=True)
    url = models.URLField(_("link"), blank=True)
    image = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    image_alt = models.CharField(_("what the picture shows"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(image__isnull=True) | ~Q(image_alt=""), name="portfolio_picture_has_alt"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def url_host(self) -> str:
        """`museum.example`: where the link leads, for people to see before they follow it."""
        return urlsplit(self.url).netloc.removeprefix("www.")
