"""Who was suggested for what, why, and a log of every ranking."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.guards import Guard
from matching.engine import explain
from matching.engine.documents import Reason
from projects.models import Project

# The engine of a ranking ends so while not all texts are read: it is ranked again once they are.
FOR_NOW = " read)"


class Kind(models.TextChoices):
    """Which way round: whom a client may ask, or what a freelancer may bid on."""

    PEOPLE = "people", _("People for a project")
    PROJECTS = "projects", _("Projects for a person")


class MatchRun(models.Model):
    """One ranking as it came out. Append-only, ids and figures only: no names, no texts."""

    class Why(models.TextChoices):
        CHANGED = "changed", _("Published or changed")
        OTHER_SIDE = "other_side", _("The other side changed")
        SWEEP = "sweep", _("Regular refresh")

    kind = models.CharField(_("direction"), max_length=8, choices=Kind)
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="match_runs"
    )
    party = models.ForeignKey(
        Party, models.PROTECT, null=True, blank=True, related_name="match_runs"
    )
    why = models.CharField(_("reason"), max_length=10, choices=Why)
    engine = models.CharField(_("engine version"), max_length=80)
    # When the reading of what was ranked began, and from when the other side was known.
    at = models.DateTimeField(_("time"), default=clock.now)
    as_of = models.DateTimeField(_("as of"), default=clock.now)
    took_ms = models.PositiveIntegerField(_("milliseconds"))
    # How many could have been found, and what was found, best first: id, score, and whether the
    # place was one of those kept for newcomers.
    considered = models.PositiveIntegerField(_("considered"))
    results = models.JSONField(_("results"))

    class Meta:
        verbose_name = _("ranking")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="people", project__isnull=False, party__isnull=True)
                | Q(kind="projects", project__isnull=True, party__isnull=False),
                name="match_run_for_one",
            ),
            models.CheckConstraint(
                condition=Q(why__in=["changed", "other_side", "sweep"]), name="match_run_why"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "-id"],
                condition=Q(project__isnull=False),
                name="match_run_of_project",
            ),
            models.Index(
                fields=["party", "-id"],
                condition=Q(party__isnull=False),
                name="match_run_of_party",
            ),
        ]
        triggers = [
            # Logs of automatic suggestions stay half a year at least (AI Act, article 26 (6)).
            Guard(
                name="append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' OR OLD.at > now() - interval '183 days' THEN
                        RAISE EXCEPTION '% on % is refused: rows are written once and kept for '
                            'half a year', TG_OP, TG_TABLE_NAME
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN OLD;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%Y-%m-%d %H:%M}"

    @property
    def is_for_now(self) -> bool:
        """Whether it was made with less than there is, and will be made again."""
        return self.engine.endswith(FOR_NOW)


class Match(models.Model):
    """One place in the newest ranking for a project or for a freelancer.

    `reasons` are the summands of `score` with their facts; `told` reads them back.
    """

    run = models.ForeignKey(MatchRun, models.PROTECT, related_name="matches")
    kind = models.CharField(max_length=8, choices=Kind)
    project = models.ForeignKey(Project, models.CASCADE, related_name="matches")
    # The freelancer, in both directions.
    party = models.ForeignKey(Party, models.CASCADE, related_name="matches")
    score = models.FloatField()
    rank = models.PositiveSmallIntegerField()
    features = models.JSONField()
    reasons = models.JSONField()
    engine = models.CharField(max_length=80)
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("match")
        verbose_name_plural = _("matches")
        constraints = [
            models.UniqueConstraint(fields=["project", "party", "kind"], name="match_once"),
            models.CheckConstraint(condition=Q(kind__in=["people", "projects"]), name="match_kind"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="match_rank_from_one"),
        ]
        indexes = [
            models.Index(
                fields=["project", "rank"], condition=Q(kind="people"), name="match_people"
            ),
            models.Index(
                fields=["party", "rank"], condition=Q(kind="projects"), name="match_projects"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, place {self.rank}"

    @property
    def told(self) -> tuple[Reason, ...]:
        """Why, strongest first, then what is missing."""
        return tuple(Reason(**reason) for reason in self.reasons)

    @property
    def strength(self) -> int:
        """3 strong, 2 good, 1 partial."""
        return explain.strength(self.told)


class TextVector(models.Model):
    """What a text means, as numbers, kept so that a new worker need not read it again.

    The text is not here: `digest` is that of the model and the redacted text.
    """

    digest = models.BinaryField(primary_key=True, max_length=16)
    model = models.CharField(_("model"), max_length=40)
    # One signed byte a number; a reader brings them to length 1, so no scale is kept.
    vector = models.BinaryField()
    used_on = models.DateField(_("last used"))

    class Meta:
        verbose_name = _("vector of a text")
        verbose_name_plural = _("vectors of texts")
        indexes = [models.Index(fields=["used_on"], name="text_vector_used")]

    def __str__(self) -> str:
        return f"{bytes(self.digest).hex()} ({self.model})"


class SkillReading(models.Model):
    """Which skills a text asks for, as the worker read it. The text itself goes once it is read.

    Found again by a digest of the text, so a page that asks twice is answered at once.
    """

    digest = models.CharField(max_length=64, unique=True)
    # Whose text it is, as "draft:7"; they have one that waits, the newest.
    asker = models.CharField(max_length=40, blank=True)
    # Empty as soon as it is read.
    text = models.TextField(blank=True)
    asked_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)
    engine = models.CharField(_("engine version"), max_length=60, blank=True)
    # Likeliest first: {"skill": pk, "likely": 0..1, "said": [start, end] of the text or null when
    # the skill comes from what clients chose for texts like it}.
    results = models.JSONField(default=list)

    class Meta:
        verbose_name = _("reading of skills")
        constraints = [
            models.CheckConstraint(
                condition=Q(read_at__isnull=True) | Q(text=""), name="skill_reading_keeps_no_text"
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], name="skill_reading_asked"),
            models.Index(
                fields=["asker"],
                condition=Q(read_at__isnull=True),
                name="skill_reading_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"


class TagLesson(models.Model):
    """One night's learning of which skills clients choose for which texts.

    Only a lesson that suggests better than looking for names is used; the newest of those.
    """

    at = models.DateTimeField(_("time"), default=clock.now)
    projects = models.PositiveIntegerField(_("postings learned from"))
    skills = models.PositiveIntegerField(_("skills among them"))
    # nDCG@10 on postings that were left out while learning, and that of looking for names.
    quality = models.FloatField(_("quality"))
    yardstick = models.FloatField(_("quality of looking for names"))
    is_used = models.BooleanField(_("good enough to be used"))
    needs_encoder = models.BooleanField(_("learned with meanings"))
    sha256 = models.CharField(max_length=64)
    # An npz file of plain numbers; see engine/tags.py.
    weights = models.BinaryField()

    class Meta:
        verbose_name = _("lesson in skills")
        verbose_name_plural = _("lessons in skills")
        constraints = [
            models.CheckConstraint(
                condition=Q(is_used=False) | Q(quality__gt=F("yardstick")),
                name="tag_lesson_used_is_better",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
