"""Skills: one canonical name each, found under many spellings."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Skill(models.Model):
    """A skill people can have and projects can ask for."""

    class State(models.TextChoices):
        CURATED = "curated", _("Curated")
        PROPOSED = "proposed", _("Proposed by a user")

    name = models.CharField(_("name"), max_length=60)
    slug = models.SlugField(max_length=70, unique=True)
    # The field of work a curated skill belongs to, as in data/skills.json.
    area = models.CharField(_("field of work"), max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)

    class Meta:
        verbose_name = _("skill")
        constraints = [
            models.UniqueConstraint(Lower("name"), name="skill_name_once"),
            models.CheckConstraint(
                condition=Q(state__in=["curated", "proposed"]), name="skill_state"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SkillAlias(models.Model):
    """Another spelling of a skill, stored folded: lower case, no accents, single spaces."""

    skill = models.ForeignKey(Skill, models.CASCADE, related_name="aliases")
    folded = models.CharField(max_length=60, unique=True)

    class Meta:
        verbose_name = _("skill alias")
        verbose_name_plural = _("skill aliases")

    def __str__(self) -> str:
        return self.folded
