"""What is counted every night, so that a page asks one small table.

All of it can be made anew from projects, bids and contracts at any time, except `available` of
past months: nobody can say afterwards who was free then. Counting by the night also keeps what
one contract cost from being read off the difference it makes.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party, Profile, Skill
from marketplace.core import clock
from projects.models import Contract, Project


class FinishedPrice(models.Model):
    """What one finished contract came to, and the skills its project asked for.

    `client` and `freelancer` are people rather than companies: of all parties that the same people
    manage, one stands for every one of them.
    """

    contract = models.OneToOneField(
        Contract, models.CASCADE, primary_key=True, related_name="finished_price"
    )
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    client = models.ForeignKey(Party, models.CASCADE, related_name="+", db_index=False)
    freelancer = models.ForeignKey(Party, models.CASCADE, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    price_minor = models.BigIntegerField()
    skills = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name = _("price of finished work")
        indexes = [GinIndex(fields=["skills"], name="finished_price_skills")]
        constraints = [
            models.CheckConstraint(condition=Q(price_minor__gt=0), name="finished_price_positive"),
        ]

    def __str__(self) -> str:
        return f"price of contract {self.pk}"


class UsualMilestone(models.Model):
    """The median milestone of finished contracts in one currency, where enough people share it."""

    currency = models.CharField(max_length=3, primary_key=True)
    median_minor = models.BigIntegerField()
    milestones = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("usual milestone")

    def __str__(self) -> str:
        return f"usual milestone in {self.currency}"


class SkillYear(models.Model):
    """Demand and supply of a skill over the twelve months before the last night."""

    skill = models.OneToOneField(
        Skill, models.CASCADE, primary_key=True, related_name="market_year"
    )
    posted = models.PositiveIntegerField()
    # Different clients behind them; below the policy's floor nothing of the row is shown.
    clients = models.PositiveIntegerField()
    bids = models.PositiveIntegerField()
    bidders = models.PositiveIntegerField()
    hired = models.PositiveIntegerField()
    # Freelancers with the skill who take work now.
    available = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("skill over a year")
        verbose_name_plural = _("skills over a year")
        indexes = [models.Index(fields=["-posted", "skill"], name="skill_year_most_asked")]

    def __str__(self) -> str:
        return f"{self.skill_id}: {self.posted}"


class SkillMonth(models.Model):
    """Demand and supply of a skill in one calendar month (UTC)."""

    skill = models.ForeignKey(Skill, models.CASCADE, related_name="market_months")
    month = models.DateField()
    posted = models.PositiveIntegerField(default=0)
    clients = models.PositiveIntegerField(default=0)
    bids = models.PositiveIntegerField(default=0)
    bidders = models.PositiveIntegerField(default=0)
    hired = models.PositiveIntegerField(default=0)
    # As of the last night of the month; null for months before anybody counted.
    available = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("skill in a month")
        verbose_name_plural = _("skills in a month")
        constraints = [
            models.UniqueConstraint(fields=["skill", "month"], name="skill_month_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="skill_month_is_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.skill_id}, {self.month:%Y-%m}"


class SkillPair(models.Model):
    """Two skills that projects of the last twelve months ask for together more than by chance.

    Only pairs that enough different clients asked for are here at all.
    """

    skill = models.ForeignKey(Skill, models.CASCADE, related_name="asked_with")
    other = models.ForeignKey(Skill, models.CASCADE, related_name="+")
    together = models.PositiveIntegerField()
    asked = models.PositiveIntegerField()
    # How much more often than chance would have it.
    lift = models.FloatField()
    # together times ln(lift): much evidence for a strong link comes first.
    weight = models.FloatField()

    class Meta:
        verbose_name = _("pair of skills")
        verbose_name_plural = _("pairs of skills")
        constraints = [
            models.UniqueConstraint(fields=["skill", "other"], name="skill_pair_once"),
            models.CheckConstraint(condition=~Q(skill=F("other")), name="skill_pair_of_two"),
            models.CheckConstraint(
                condition=Q(together__lte=F("asked"), together__gt=0), name="skill_pair_within"
            ),
        ]
        indexes = [models.Index(fields=["skill", "-weight"], name="skill_pair_strongest")]

    def __str__(self) -> str:
        return f"{self.skill_id} with {self.other_id}"


class DismissedSkill(models.Model):
    """A suggested skill a freelancer does not want to hear of again."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="dismissed_skills")
    skill = models.ForeignKey(Skill, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("dismissed skill")
        constraints = [
            models.UniqueConstraint(fields=["profile", "skill"], name="dismissed_skill_once"),
        ]

    def __str__(self) -> str:
        return f"{self.skill_id} of {self.profile_id}"


class CountedNight(models.Model):
    """One counting: until when it looked, and what it found. Pages say how old figures are."""

    at = models.DateTimeField(_("time"), default=clock.now)
    until = models.DateTimeField(_("counted until"))
    prices = models.PositiveIntegerField(_("finished contracts"))
    months = models.PositiveIntegerField(_("skills and months"))
    pairs = models.PositiveIntegerField(_("pairs of skills"))
    took_ms = models.PositiveIntegerField(_("milliseconds"))

    class Meta:
        verbose_name = _("counted night")

    def __str__(self) -> str:
        return f"{self.until:%Y-%m-%d}"
