"""Which weights rank, which are tried beside them, who decided that, and the switch of it all."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.guards import Guard, append_only
from marketplace.core.ids import RefField
from marketplace.core.status import StatusModel
from payments.models.breaks import A_SENTENCE

CONTENT_STAYS = """
    IF TG_OP = 'DELETE'
        OR to_jsonb(NEW) - ARRAY['status', 'replaced_id', 'shadow_since', 'active_since']
            IS DISTINCT FROM
            to_jsonb(OLD) - ARRAY['status', 'replaced_id', 'shadow_since', 'active_since']
    THEN
        RAISE EXCEPTION '% on % is refused: weights are written once', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
"""


class MatchModel(StatusModel):
    """One set of weights with where it comes from. Only its status moves, the numbers never do.

    staging ⇄ shadow (ranks beside the active one, for comparison only) ─→ active
       └────────┴─→ retired ⇄ active (another one takes over, or we go back to it)
    """

    class Status(models.TextChoices):
        STAGING = "staging", _("Not in use yet")
        SHADOW = "shadow", _("Tried beside the active one")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("No longer in use")

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("Came with the software")
        ENTERED = "entered", _("Entered by staff")

    MOVES: ClassVar[dict[str, set[str]]] = {
        "staging": {"shadow", "retired"},
        "shadow": {"staging", "active", "retired"},
        "active": {"retired"},
        "retired": {"active"},
    }

    status = models.CharField(_("status"), max_length=24, choices=Status, default=Status.STAGING)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin)
    # A number for every feature of the engine, and the SHA-256 of them (engine/weights.py).
    weights = models.JSONField(_("weights"))
    sha256 = models.CharField(max_length=64)
    # The version of the engine they were made for.
    engine = models.CharField(_("engine"), max_length=40)
    # How and on what they were fitted, as the file of weights says: method, window, data hash.
    fitted = models.JSONField(_("how they were fitted"), default=dict)
    # nDCG@10 on labelled outcomes per suite: {"suite": {"ndcg10": 0.21, "n": 68}}.
    figures = models.JSONField(_("benchmark"), default=dict)
    created_at = models.DateTimeField(_("entered"), default=clock.now)
    # Where going back leads; nothing for the first one, and for those never in use.
    replaced = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("replaced")
    )
    shadow_since = models.DateTimeField(_("tried since"), null=True)
    # Lists older than this are made again; not those of the first weights, there were none before.
    active_since = models.DateTimeField(_("active since"), null=True)

    class Meta:
        verbose_name = _("weights of the matcher")
        verbose_name_plural = _("weights of the matcher")
        permissions = [("act_on_matchmodel", _("Can try, propose and confirm weights"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["staging", "shadow", "active", "retired"]),
                name="match_model_status",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["shipped", "entered"]), name="match_model_origin"
            ),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="active"), name="match_model_one_active"
            ),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="shadow"), name="match_model_one_shadow"
            ),
            models.CheckConstraint(
                condition=~Q(status="shadow") | Q(shadow_since__isnull=False),
                name="match_model_shadow_has_time",
            ),
        ]
        triggers = [
            Guard(
                name="content_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=CONTENT_STAYS,
            ),
            *(guard for guard in append_only() if guard.name == "no_truncate"),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def version(self) -> str:
        """What people and logs call it: its number here, and the beginning of its digest."""
        return f"{self.pk}-{self.sha256[:8]}"


class ModelAct(models.Model):
    """What was done with weights: by whom, when and why. Append-only."""

    class What(models.TextChoices):
        ENTERED = "entered", _("Entered")
        TRIED = "tried", _("Tried beside the active one")
        RESTED = "rested", _("No longer tried")
        PROPOSED = "proposed", _("Proposed")
        REFUSED = "refused", _("Refused by the second person")
        PROMOTED = "promoted", _("Put to use")
        SHIPPED = "shipped", _("Put to use with a new version of the software")
        ROLLED_BACK = "rolled_back", _("Put back to use")
        RETIRED = "retired", _("Retired")

    model = models.ForeignKey(MatchModel, models.PROTECT, related_name="acts")
    what = models.CharField(max_length=12, choices=What)
    # Nobody when a rule did it.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    why = models.TextField(max_length=1000)

    class Meta:
        verbose_name = _("act on weights")
        verbose_name_plural = _("acts on weights")
        constraints = [
            models.CheckConstraint(condition=Q(why__regex=A_SENTENCE), name="model_act_has_reason"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.model_id}: {self.what}"


class Promotion(StatusModel):
    """One person asks to put tried weights to use, another one decides.

    asked ─→ done
      └────→ refused
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        DONE = "done", _("Put to use")
        REFUSED = "refused", _("Refused")

    MOVES: ClassVar[dict[str, set[str]]] = {"asked": {"done", "refused"}}

    ref = RefField()
    status = models.CharField(_("status"), max_length=24, choices=Status, default=Status.ASKED)
    model = models.ForeignKey(MatchModel, models.PROTECT, related_name="promotions")
    reason = models.TextField(_("reason"), max_length=1000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked"), default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    answer = models.TextField(_("answer"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("proposal to use weights")
        verbose_name_plural = _("proposals to use weights")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["asked", "done", "refused"]), name="promotion_status"
            ),
            models.CheckConstraint(
                condition=Q(reason__regex=A_SENTENCE), name="promotion_has_reason"
            ),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="asked"), name="promotion_one_waits"
            ),
            # Nobody is their own second pair of eyes.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="promotion_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status="asked", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(status="asked")
                & Q(decided_by__isnull=False, decided_at__isnull=False, answer__regex=A_SENTENCE),
                name="promotion_decided_by_person",
            ),
        ]

    def __str__(self) -> str:
        return f"proposal {self.ref}"


class ShadowFigure(models.Model):
    """One list, ranked with the active and with the tried weights: how they differ. Append-only.

    Figures only: neither whose list it was nor who stood in it.
    """

    model = models.ForeignKey(MatchModel, models.PROTECT, related_name="figures_tried")
    against = models.ForeignKey(MatchModel, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8)
    at = models.DateTimeField(default=clock.now)
    # How many stood in the first ten.
    listed = models.PositiveSmallIntegerField()
    # Share of the first ten that both have; Kendall's tau-b of those in either.
    overlap = models.FloatField()
    tau = models.FloatField()
    # Newcomers among the first ten of the active and of the tried list.
    new = models.PositiveSmallIntegerField()
    new_tried = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("comparison of weights")
        verbose_name_plural = _("comparisons of weights")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["people", "projects"]), name="shadow_figure_kind"
            ),
            models.CheckConstraint(
                condition=Q(overlap__range=(0, 1), tau__range=(-1, 1)),
                name="shadow_figure_bounded",
            ),
            models.CheckConstraint(condition=~Q(model=F("against")), name="shadow_figure_of_two"),
        ]
        indexes = [models.Index(fields=["model", "against"], name="shadow_figure_pair")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.model_id} beside {self.against_id}"


class Mode(models.TextChoices):
    """Whether this site ranks, from the most cautious on."""

    OFF = "off", _("Off: nothing is ranked, lists are newest first")
    SHADOW = "shadow", _("Ranked and logged, but lists are newest first")
    ON = "on", _("On")


class MatcherSwitch(models.Model):
    """Somebody switched matching on or off; the newest row holds. Append-only."""

    mode = models.CharField(_("matching"), max_length=8, choices=Mode)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("time"), default=clock.now)
    why = models.TextField(_("reason"), max_length=1000)

    class Meta:
        verbose_name = _("switch of matching")
        verbose_name_plural = _("switches of matching")
        permissions = [("act_on_matcherswitch", _("Can switch matching on and off"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=["off", "shadow", "on"]), name="matcher_switch_mode"
            ),
            models.CheckConstraint(
                condition=Q(why__regex=A_SENTENCE), name="matcher_switch_has_reason"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.mode
