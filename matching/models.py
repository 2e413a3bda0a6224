"""Who was suggested for what, why, and a log of every ranking."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.guards import Guard, append_only
from marketplace.core.ids import RefField
from marketplace.core.status import StatusModel
from matching.engine import explain
from matching.engine.documents import Reason
from matching.insight import models as insight  # noqa: F401 - Django looks for models here
from matching.models_registry import (
    MatcherSwitch,
    MatchModel,
    Mode,
    ModelAct,
    Promotion,
    ShadowFigure,
)
from projects.models import Project

__all__ = [
    "FOR_NOW",
    "Attention",
    "BiasAudit",
    "Kind",
    "Match",
    "MatchAppeal",
    "MatchModel",
    "MatchRun",
    "MatchWishes",
    "MatcherSwitch",
    "Mode",
    "ModelAct",
    "Promotion",
    "ShadowFigure",
    "SkillReading",
    "TagLesson",
    "TextVector",
    "WhyNot",
]

# Ten characters or more between the first and the last that is no space.
A_SENTENCE = r"\S.{8,}\S"
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
    # How many could have been found, and what was found, best first: id, score, whether the place
    # was one of those kept for newcomers, score after looking at attention, what gave the place
    # (`placing.Flag`), and the chance of standing there. Before `record`, the first three.
    considered = models.PositiveIntegerField(_("considered"))
    results = models.JSONField(_("results"))
    # What the places were made from, so that they can be made again: `engine.record`. Null in
    # rankings that are older than this.
    seed = models.CharField(_("seed of the lots"), max_length=40, blank=True)
    record = models.JSONField(_("what it was made from"), null=True)
    # Of weights and policy.
    method = models.CharField(_("digest of the method"), max_length=64, blank=True)
    # Whether pages showed it; while matching is tried out they do not.
    is_shown = models.BooleanField(_("shown"), default=True)
    # What the person chose to count more, less or not at all, as `MatchWishes.chosen` had it.
    wishes = models.JSONField(_("wishes"), default=dict)

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


class Attention(models.Model):
    """What one list gave a person, and what their score in it earned; the newest list counts.

    In first places of a list: the second place is worth .63 of it, the eleventh nothing. Whoever
    fitted and was not listed has earned something and got nothing.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="attention")
    party = models.ForeignKey(Party, models.CASCADE, related_name="attention")
    at = models.DateTimeField(default=clock.now)
    seen = models.FloatField()
    earned = models.FloatField()

    class Meta:
        verbose_name = _("attention")
        verbose_name_plural = _("attention")
        constraints = [
            models.UniqueConstraint(fields=["project", "party"], name="attention_once"),
            models.CheckConstraint(
                condition=Q(seen__gte=0, earned__gte=0), name="attention_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["party", "at"], name="attention_lately"),
            models.Index(fields=["at"], name="attention_old"),
        ]

    def __str__(self) -> str:
        return f"{self.seen:.2f} of {self.earned:.2f}"


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


class MatchWishes(models.Model):
    """What somebody decided about suggestions. Without a row everything is as usual."""

    class Level(models.TextChoices):
        """How much a part counts in one's own list."""

        OFF = "off", _("Leave it out")
        LESS = "less", _("Half as much")
        USUAL = "usual", _("As usual")
        MORE = "more", _("Twice as much")

    party = models.OneToOneField(Party, models.CASCADE, related_name="match_wishes")
    # Off: their list is newest first, and no list of people for a project has them.
    is_on = models.BooleanField(_("personal suggestions"), default=True)
    # Off: what they finished here is not read, in neither direction (GDPR, article 21).
    uses_record = models.BooleanField(_("use my past work here"), default=True)
    skills = models.CharField(_("skills"), max_length=5, choices=Level, default=Level.USUAL)
    works = models.CharField(_("past work"), max_length=5, choices=Level, default=Level.USUAL)
    profile = models.CharField(_("profile text"), max_length=5, choices=Level, default=Level.USUAL)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("wishes about suggestions")
        verbose_name_plural = _("wishes about suggestions")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    skills__in=["off", "less", "usual", "more"],
                    works__in=["off", "less", "usual", "more"],
                    profile__in=["off", "less", "usual", "more"],
                ),
                name="match_wishes_levels",
            ),
            models.CheckConstraint(
                condition=~Q(skills="off", works="off", profile="off"),
                name="match_wishes_leave_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["party"],
                condition=Q(is_on=False) | Q(uses_record=False),
                name="match_wishes_against",
            ),
        ]

    def __str__(self) -> str:
        return f"wishes of party {self.party_id}"

    @property
    def chosen(self) -> dict[str, str]:
        """The parts that do not count as usual, with how they count."""
        levels = {"skills": self.skills, "works": self.works, "profile": self.profile}
        return {part: level for part, level in levels.items() if level != self.Level.USUAL}


class WhyNot(models.Model):
    """A freelancer's question why they are not among the first for a project, and its answer.

    The newest one stands. `answer` is what `engine.whynot.Answer` says of the asker, and of the
    others only means over at least five; nobody else is in it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    party = models.ForeignKey(Party, models.CASCADE, related_name="why_nots")
    asked_at = models.DateTimeField(default=clock.now)
    answered_at = models.DateTimeField(null=True)
    engine = models.CharField(max_length=80, blank=True)
    answer = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("question why not")
        verbose_name_plural = _("questions why not")
        constraints = [
            models.UniqueConstraint(fields=["project", "party"], name="why_not_once"),
        ]
        indexes = [models.Index(fields=["asked_at"], name="why_not_asked")]

    def __str__(self) -> str:
        return f"why not party {self.party_id} for project {self.project_id}"


class MatchAppeal(StatusModel):
    """Somebody thinks a suggestion, or its absence, is wrong; a person looks and says why.

    waiting → upheld (the suggestion was right) | changed (it was not, with a remedy)
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waits for a person")
        UPHELD = "upheld", _("Stays as it was")
        CHANGED = "changed", _("Was wrong")

    class Remedy(models.TextChoices):
        RANKED_AGAIN = "ranked_again", _("Compared again after correcting the data")
        RULE_CHANGED = "rule_changed", _("The method is changed")
        SHOWN_BY_HAND = "by_hand", _("A person put it right by hand")

    MOVES: ClassVar[dict[str, set[str]]] = {"waiting": {"upheld", "changed"}}

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.WAITING)
    kind = models.CharField(_("list"), max_length=8, choices=Kind)
    project = models.ForeignKey(Project, models.PROTECT, related_name="match_appeals")
    # Whose appeal it is: the freelancer, or the client of the project.
    party = models.ForeignKey(Party, models.PROTECT, related_name="match_appeals")
    appealed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    said = models.TextField(_("what is wrong"), max_length=2000)
    # What the machine went by at that time: the log forgets, the appeal does not.
    inputs = models.JSONField(_("what the matcher went by"))
    at = models.DateTimeField(_("time"), default=clock.now)
    due_at = models.DateTimeField(_("to be answered by"))
    # When staff are told that it still waits; moves on each time.
    remind_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("answered"), null=True)
    reason = models.TextField(_("reason"), max_length=2000, blank=True)
    remedy = models.CharField(_("remedy"), max_length=12, choices=Remedy, blank=True)

    class Meta:
        verbose_name = _("appeal against a suggestion")
        verbose_name_plural = _("appeals against suggestions")
        permissions = [("act_on_matchappeal", _("Can answer appeals against suggestions"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "upheld", "changed"]),
                name="match_appeal_status",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["people", "projects"]), name="match_appeal_kind"
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_by=None, decided_at=None, reason="")
                | ~Q(status="waiting")
                & Q(decided_by__isnull=False, decided_at__isnull=False)
                & Q(reason__regex=A_SENTENCE),
                name="match_appeal_decided_by_person",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="changed", remedy__in=["ranked_again", "rule_changed", "by_hand"]
                )
                | ~Q(status="changed") & Q(remedy=""),
                name="match_appeal_changed_has_remedy",
            ),
            models.UniqueConstraint(
                fields=["project", "party"],
                condition=Q(status="waiting"),
                name="match_appeal_one_waiting",
            ),
        ]
        indexes = [
            models.Index(
                fields=["remind_at"], condition=Q(status="waiting"), name="match_appeal_waiting"
            ),
            models.Index(fields=["party", "-id"], name="match_appeal_of_party"),
        ]
        triggers = [
            Guard(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.decided_at IS NOT NULL
                        OR (NEW.said, NEW.inputs, NEW.at, NEW.party_id, NEW.project_id)
                        IS DISTINCT FROM
                        (OLD.said, OLD.inputs, OLD.at, OLD.party_id, OLD.project_id) THEN
                        RAISE EXCEPTION 'what an appeal says, and its answer, stay as they are'
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"appeal {self.ref}"


class BiasAudit(models.Model):
    """One audit of the matcher as it came out. Written once; the figures are of nobody."""

    class Source(models.TextChoices):
        MARKET = "market", _("Simulated market")
        LISTS = "lists", _("Lists that people were shown")

    class Verdict(models.TextChoices):
        GREEN = "green", _("Green: within our goals")
        AMBER = "amber", _("Amber: to be watched")
        RED = "red", _("Red: to be mended before the next release")

    at = models.DateTimeField(_("time"), default=clock.now)
    source = models.CharField(_("measured on"), max_length=6, choices=Source)
    engine = models.CharField(_("engine version"), max_length=80)
    verdict = models.CharField(_("verdict"), max_length=5, choices=Verdict)
    # As in the audit's own JSON: how much was looked at, and a row per finding.
    about = models.JSONField(_("looked at"))
    findings = models.JSONField(_("findings"))
    # Of about and findings as canonical JSON; the sealed audit log has it, too.
    sha256 = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        verbose_name = _("audit of the matcher")
        verbose_name_plural = _("audits of the matcher")
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=["market", "lists"], verdict__in=["green", "amber", "red"]),
                name="bias_audit_known_words",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.get_source_display()}"
