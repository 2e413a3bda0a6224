"""Which weights rank here, whether anything ranks at all, and what stands against a change."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Avg, Count, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.core import clock
from matching.engine.weights import BadWeights, checked, digest_of
from matching.models import Kind, MatcherSwitch, MatchModel, Mode, ModelAct, ShadowFigure
from payments.services import policies

Status = MatchModel.Status

# The four-fifths rule, for newcomers: weights that show fewer of them are not put to use.
NEWCOMERS_KEPT = 0.8
FROM_CAUTIOUS = [Mode.OFF, Mode.SHADOW, Mode.ON]


@dataclass(frozen=True)
class Deployed:
    """Weights that were checked: what the engine ranks with."""

    pk: int
    version: str
    sha256: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class State:
    """Whether this site ranks, and why not: "environment", "switch", "weights" or ""."""

    mode: Mode
    why: str
    # What is wrong with the weights, for those who run the site.
    trouble: str = ""


@dataclass(frozen=True)
class Tried:
    """What trying weights has shown so far."""

    # Of people: newcomers are counted on those alone.
    lists: int
    overlap: float | None
    tau: float | None
    # Newcomers among the first ten people, as a share, with the active and with the tried weights.
    new: float | None
    new_tried: float | None


# --- What ranks -----------------------------------------------------------------------------


def state() -> State:
    """Whether this site ranks now. Reads one row; nothing is remembered, so a switch works at once.

    The most cautious wins: the environment, what staff switched, and weights that cannot be used.
    """
    asked = settings.MATCHER_MODE
    environment = Mode(asked) if asked in Mode.values else Mode.OFF
    if environment == Mode.OFF:
        return State(Mode.OFF, "environment")
    model = _active().annotate(switch=_switched()).first()
    if model is None:
        return State(Mode.OFF, "weights", _("No weights are active."))
    switch = Mode(vars(model)["switch"] or Mode.ON)
    if switch == Mode.OFF:
        return State(Mode.OFF, "switch")
    try:
        check(model)
    except BadWeights as error:
        return State(Mode.OFF, "weights", str(error))
    mode = min(environment, switch, key=FROM_CAUTIOUS.index)
    return State(mode, {environment: "environment", Mode.ON: ""}.get(mode, "switch"))


def deployed() -> Deployed:
    """The weights that rank. Raises BadWeights where there are none that may."""
    model = _active().first()
    if model is None:
        raise BadWeights(_("No weights are active."))
    return check(model)


def check(model: MatchModel) -> Deployed:
    """These weights, if the engine may rank with them; raises BadWeights.

    Not when they differ from what was entered, and not when they are for other features.
    """
    weights = checked(model.weights)
    if digest_of(weights) != model.sha256:
        raise BadWeights(_("The weights are not those that were entered: their digest differs."))
    return Deployed(model.pk, model.version, model.sha256, weights)


def active() -> MatchModel | None:
    """The active weights as they were entered, fit to rank or not."""
    return _active().select_related("replaced").first()


def tried() -> MatchModel | None:
    """The weights that are tried beside the active ones, if any are."""
    return MatchModel.objects.filter(status=Status.SHADOW).first()


def active_since() -> dt.datetime | None:
    """Lists from before this moment were made with other weights."""
    return _active().values_list("active_since", flat=True).first()


def history() -> QuerySet[ModelAct]:
    """What was done with any weights, the newest first."""
    return ModelAct.objects.select_related("model", "by").order_by("-pk")


def history_in_use() -> QuerySet[ModelAct]:
    """When which weights were put to use, the newest first."""
    put = [ModelAct.What.PROMOTED, ModelAct.What.SHIPPED, ModelAct.What.ROLLED_BACK]
    return history().filter(what__in=put)


def _active() -> QuerySet[MatchModel]:
    return MatchModel.objects.filter(status=Status.ACTIVE)


def _switched() -> Subquery:
    return Subquery(MatcherSwitch.objects.order_by("-pk").values("mode")[:1])


# --- May these be used? ---------------------------------------------------------------------


def against(model: MatchModel) -> list[str]:
    """What stands against putting these weights to use, in sentences; nothing when they may be."""
    try:
        check(model)
    except BadWeights as error:
        return [str(error)]
    now = active()
    if now is None:
        return [_("No weights are active, so there is nothing to compare with.")]
    return [*_against_figures(model, now), *_against_trial(model, now)]


def _against_figures(model: MatchModel, now: MatchModel) -> list[str]:
    suites = sorted(now.figures)
    if not suites or not model.figures:
        return [_("There are no benchmark figures of these and of the active weights alike.")]
    missing = [
        suite
        for suite in suites
        if model.figures.get(suite, {"n": 0})["n"] < now.figures[suite]["n"]
    ]
    if missing:
        return [
            _("The active weights were measured on more. Missing or too short: %(suites)s.")
            % {"suites": ", ".join(missing)}
        ]
    here, there = _mean(model.figures, suites), _mean(now.figures, suites)
    margin = policies.current().shadow_loss / 1000
    # Figures have three or four digits; half of the last one is rounding.
    if here < there - margin - 0.00005:
        return [
            _("On the benchmark they reach %(here).3f, the active ones %(there).3f.")
            % {"here": here, "there": there}
        ]
    return []


def _against_trial(model: MatchModel, now: MatchModel) -> list[str]:
    policy = policies.current()
    if model.status != Status.SHADOW or model.shadow_since is None:
        return [_("They have not been tried beside the active ones.")]
    found = []
    if model.shadow_since > clock.now() - dt.timedelta(days=policy.shadow_days):
        found.append(
            ngettext(
                "They have to be tried for %(days)d day.",
                "They have to be tried for %(days)d days.",
                policy.shadow_days,
            )
            % {"days": policy.shadow_days}
        )
    shown = trial(model, beside=now)
    if shown.lists < policy.shadow_lists:
        found.append(
            _("Only %(lists)d of %(wanted)d lists of people have been compared.")
            % {"lists": shown.lists, "wanted": policy.shadow_lists}
        )
    elif shown.new is None or shown.new_tried is None:
        found.append(_("Nobody stood in those lists, so how they show newcomers is not known."))
    elif shown.new_tried < NEWCOMERS_KEPT * shown.new:
        found.append(_("They show fewer than four fifths of the newcomers the active ones show."))
    return found


def trial(model: MatchModel, *, beside: MatchModel) -> Tried:
    """What lists of people ranked with both have shown since this trial began, in one query."""
    rows = ShadowFigure.objects.filter(model=model, against=beside)
    if model.shadow_since:
        rows = rows.filter(at__gte=model.shadow_since)
    people = Q(kind=Kind.PEOPLE)
    sums = rows.aggregate(
        lists=Count("pk", filter=people),
        overlap=Avg("overlap", filter=people),
        tau=Avg("tau", filter=people),
        new=Sum("new", filter=people),
        new_tried=Sum("new_tried", filter=people),
        people=Sum("listed", filter=people),
    )
    places = sums.pop("people")
    for name in ("new", "new_tried"):
        sums[name] = sums[name] / places if places else None
    return Tried(**sums)


def _mean(figures: Mapping[str, Any], suites: list[str]) -> float:
    return sum(float(figures[suite]["ndcg10"]) for suite in suites) / len(suites)


def mean_figure(model: MatchModel) -> float | None:
    """The mean nDCG@10 over the suites it was measured on."""
    return _mean(model.figures, sorted(model.figures)) if model.figures else None
