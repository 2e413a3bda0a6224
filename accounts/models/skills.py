"""Skills: one canonical name each, found under many spellings."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least, Lower
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


class SkillLink(models.Model):
    """How two skills hang together; one link for a pair, whichever way round it is written."""

    class Kind(models.TextChoices):
        BROADER = "broader", _("is part of")
        RELATED = "related", _("goes with")

    # Of a broader link the narrower one; a related link reads the same from both ends.
    skill = models.ForeignKey(Skill, models.CASCADE, related_name="links", verbose_name=_("skill"))
    kind = models.CharField(_("link"), max_length=10, choices=Kind)
    other = models.ForeignKey(
        Skill, models.CASCADE, related_name="links_here", verbose_name=_("other skill")
    )

    class Meta:
        verbose_name = _("skill link")
        constraints = [
            models.UniqueConstraint(
                Least("skill", "other"), Greatest("skill", "other"), name="skill_link_once"
            ),
            models.CheckConstraint(condition=~Q(skill=F("other")), name="skill_link_two_skills"),
            models.CheckConstraint(
                condition=Q(kind__in=["broader", "related"]), name="skill_link_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {self.get_kind_display()} {self.other}"


class SkillCode(models.Model):
    """What a public classification calls a skill, so that importing it again finds it."""

    class Scheme(models.TextChoices):
        ESCO = "esco", "ESCO"
        ONET = "onet", "O*NET"

    skill = models.ForeignKey(Skill, models.CASCADE, related_name="codes")
    scheme = models.CharField(_("classification"), max_length=8, choices=Scheme)
    code = models.CharField(_("code"), max_length=200)

    class Meta:
        verbose_name = _("skill code")
        constraints = [
            models.UniqueConstraint(fields=["scheme", "code"], name="skill_code_once"),
            models.CheckConstraint(condition=Q(scheme__in=["esco", "onet"]), name="skill_scheme"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.code}"
