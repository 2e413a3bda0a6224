"""Weights of the matcher: entered, tried, put to use by two people, taken back by one.

Nothing here changes numbers. Weights enter once, as JSON, and only their status moves.
"""

import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from matching.engine import weights as files
from matching.engine.compare import compare
from matching.engine.weights import BadWeights
from matching.models import (
    Kind,
    MatcherSwitch,
    MatchModel,
    MatchRun,
    Mode,
    ModelAct,
    Promotion,
    ShadowFigure,
)
from matching.selectors import registry
from payments.services import policies
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from matching.by_search import Ready
    from matching.engine.documents import Ranked

log = logging.getLogger(__name__)
Status = MatchModel.Status
What = ModelAct.What

PERMISSION = "matching.act_on_matchmodel"
SWITCH_PERMISSION = "matching.act_on_matcherswitch"
# A file of weights is a page of numbers.
LARGEST_FILE = 50_000
# No trial needs more comparisons of one kind than this; they are kept for good.
MOST_FIGURES = 10_000


# --- Entering -------------------------------------------------------------------------------


@transaction.atomic
def enter(file: str, *, by: User, reason: str) -> MatchModel:
    """Put new weights on the list, not in use. `file` is JSON like the one the software ships.

    Raises NotAllowed, InvalidInput for weights the engine must not rank with, DomainError for
    those that are on the list and could be used.
    """
    _check_person(by)
    why = check_reason(reason)
    if len(file) > LARGEST_FILE:
        raise InvalidInput(_("This is too long for a file of weights."), field="file")
    try:
        found = files.read(file)
        weights = files.checked(found["weights"])
        digest = files.digest_of(weights)
        figures = _figures(found, digest)
    except BadWeights as error:
        raise InvalidInput(str(error), field="file") from error
    fitted = found.get("fitted", {})
    if not isinstance(fitted, dict) or not fitted.get("method"):
        raise InvalidInput(_("Say under “fitted” and “method” how they were found."), field="file")
    _lock()
    if MatchModel.objects.filter(sha256=digest).exclude(status=Status.RETIRED).exists():
        raise DomainError(_("These weights are on the list already."))
    model = MatchModel.objects.create(
        origin=MatchModel.Origin.ENTERED,
        weights=weights,
        sha256=digest,
        engine=files.VERSION,
        fitted=fitted,
        figures=figures,
    )
    _note(model, What.ENTERED, by=by, why=why)
    return model


def ship() -> MatchModel | None:
    """Take over the weights this version of the software comes with, unless they are here.

    They are put to use at once where nothing usable is active and where the active ones came
    with the software too; otherwise they wait for people. The first ones of an installation
    leave no trace but themselves. Safe to repeat.
    """
    with transaction.atomic():
        _lock()
        return _ship()


def _ship() -> MatchModel | None:
    try:
        file = files.shipped()
        weights = files.checked(file["weights"])
        digest = files.digest_of(weights)
        # Unmeasured, they rank all the same: the release stands for them.
        figures = _figures(file, digest) if file.get("figures_of") == digest else {}
    except BadWeights:
        log.exception("the weights that come with the software cannot be used")
        return None
    shipped = MatchModel.objects.filter(origin=MatchModel.Origin.SHIPPED)
    now = registry.active()
    fits = now is not None and _fits(now)
    if fits and shipped.filter(sha256=digest).exists():
        return None
    takes_over = now is None or not fits or now.origin == MatchModel.Origin.SHIPPED
    is_first = not MatchModel.objects.exists()
    if now and takes_over:
        _rest()
        now.move_to(Status.RETIRED)
    model = MatchModel.objects.create(
        status=Status.ACTIVE if takes_over else Status.STAGING,
        origin=MatchModel.Origin.SHIPPED,
        weights=weights,
        sha256=digest,
        engine=files.VERSION,
        fitted=file.get("fitted", {}),
        figures=figures,
        replaced=now if takes_over else None,
        active_since=None if is_first or not takes_over else clock.now(),
    )
    if is_first:
        return model
    why = _("They came with a new version of the software.")
    _note(model, What.SHIPPED if takes_over else What.ENTERED, by=None, why=why, rule="release")
    if not takes_over:
        _tell("weights_arrived", model, facts={"version": model.version})
    return model


def _fits(model: MatchModel) -> bool:
    try:
        registry.check(model)
    except BadWeights:
        return False
    return True


def _figures(file: Mapping[str, Any], digest: str) -> dict[str, dict[str, float]]:
    """The benchmark of a file, checked; raises BadWeights, also for figures of other weights."""
    try:
        figures = {
            str(suite): {"ndcg10": float(row["ndcg10"]), "n": int(row["n"])}
            for suite, row in file.get("figures", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadWeights(_("“figures” needs “ndcg10” and “n” for every suite.")) from error
    if not all(0 <= row["ndcg10"] <= 1 and row["n"] > 0 for row in figures.values()):
        raise BadWeights(_("A figure of nDCG@10 lies between 0 and 1, over one query or more."))
    if figures and file.get("figures_of") != digest:
        raise BadWeights(_("The figures are of other weights. Measure these."))
    return figures


# --- Trying ---------------------------------------------------------------------------------


@transaction.atomic
def try_out(model: MatchModel, *, by: User, reason: str) -> None:
    """Rank a share of all lists with these weights too, for comparison; nobody is shown those.

    Whatever was tried before goes back to waiting. Raises NotAllowed, InvalidInput,
    InvalidTransition.
    """
    _check_person(by)
    why = check_reason(reason)
    _lock(model)
    try:
        registry.check(model)
    except BadWeights as error:
        raise DomainError(str(error)) from error
    _refuse_waiting()
    _rest(but=model)
    model.move_to(Status.SHADOW, shadow_since=clock.now())
    _note(model, What.TRIED, by=by, why=why)


@transaction.atomic
def rest(model: MatchModel, *, by: User, reason: str) -> None:
    """Try these weights no longer; they wait. Raises as `try_out`."""
    _check_person(by)
    why = check_reason(reason)
    _lock(model)
    _refuse_waiting(model)
    model.move_to(Status.STAGING)
    _note(model, What.RESTED, by=by, why=why)


@transaction.atomic
def retire(model: MatchModel, *, by: User, reason: str) -> None:
    """Take weights that are not in use off the list for good. Raises as `try_out`."""
    _check_person(by)
    why = check_reason(reason)
    _lock(model)
    _refuse_waiting(model)
    if model.status == Status.ACTIVE:
        raise InvalidTransition
    model.move_to(Status.RETIRED)
    _note(model, What.RETIRED, by=by, why=why)


def compare_tried(
    ready: "Ready",
    run: MatchRun,
    found: "Sequence[Ranked]",
    rank: "Callable[[Any], Sequence[Ranked]]",
) -> None:
    """Rank a list with the tried weights as well, now and then, and note how it differs.

    `rank` makes the list with the matcher it is given; the matrices are those of `ready`. Of a
    hundred rankings about as many are taken as the policy says, by a lot that can be drawn again.
    """
    model = registry.tried()
    percent = policies.current().shadow_percent
    if model is None or not is_compared(model, run, percent=percent):
        return
    try:
        weights = registry.check(model)
    except BadWeights:
        log.exception("weights %s are not tried", model.version)
        return
    if ShadowFigure.objects.filter(model=model, kind=run.kind).count() >= MOST_FIGURES:
        return
    other = rank(ready.matcher.weighing(weights.weights))
    both = chain(found, other)
    shown = compare(
        [each.id for each in found],
        [each.id for each in other],
        new=ready.matcher.newcomers(each.id for each in both) if run.kind == Kind.PEOPLE else (),
    )
    ShadowFigure.objects.create(
        model=model,
        against_id=ready.model.pk,
        kind=run.kind,
        listed=shown.listed,
        overlap=shown.overlap,
        tau=shown.tau,
        new=shown.new,
        new_tried=shown.new_other,
    )


def is_compared(model: MatchModel, run: MatchRun, *, percent: int) -> bool:
    """Whether this ranking is one of the share that is made with the tried weights too."""
    return zlib.crc32(f"{model.pk} {run.pk}".encode()) % 100 < percent


def _rest(*, but: MatchModel | None = None) -> None:
    """Whatever is tried now waits again; a proposal of it is over. The caller holds the locks."""
    before = registry.tried()
    if before and before != but:
        before.move_to(Status.STAGING)


# --- Putting to use -------------------------------------------------------------------------


@transaction.atomic
def propose(model: MatchModel, *, by: User, reason: str) -> Promotion:
    """Ask to put tried weights to use; somebody else has to agree.

    Raises NotAllowed, InvalidInput, and DomainError with what stands against it.
    """
    _check_person(by)
    why = check_reason(reason)
    _lock(model)
    _check_fit_for_use(model)
    try:
        with transaction.atomic():
            asked = Promotion.objects.create(model=model, reason=why, asked_by=by)
    except IntegrityError as error:
        raise DomainError(_("Another proposal waits for a second person already.")) from error
    _note(model, What.PROPOSED, by=by, why=why, promotion=asked.pk)
    others = [person for person in staff_who_may(PERMISSION) if person != by]
    facts = {"version": model.version, "name": by.get_short_name()}
    url = reverse("admin:matching_promotion_change", args=[asked.pk])
    _tell("weights_proposed", asked, to=others, url=url, facts=facts)
    return asked


@transaction.atomic
def confirm(asked: Promotion, *, by: User, reason: str) -> None:
    """Agree as the second person: from the next list on these weights rank.

    Raises NotAllowed for whoever asked, DomainError when something stands against it by now,
    InvalidTransition when it is decided.
    """
    answer = check_reason(reason)
    model = _second(asked, by)
    before = _check_fit_for_use(model)
    before.move_to(Status.RETIRED)
    model.move_to(Status.ACTIVE, active_since=clock.now(), replaced=before)
    asked.move_to(Promotion.Status.DONE, decided_by=by, decided_at=clock.now(), answer=answer)
    _note(model, What.PROMOTED, by=by, why=answer, promotion=asked.pk, before=before.pk)


@transaction.atomic
def refuse(asked: Promotion, *, by: User, reason: str) -> None:
    """Say no as the second person; the weights go on being tried. Raises as `confirm`."""
    answer = check_reason(reason)
    model = _second(asked, by)
    asked.move_to(Promotion.Status.REFUSED, decided_by=by, decided_at=clock.now(), answer=answer)
    _note(model, What.REFUSED, by=by, why=answer, promotion=asked.pk)


def why_not_by(asked: Promotion, by: User) -> str:
    """Why this person cannot decide on it; nothing when they can."""
    try:
        _check_second(asked, by)
    except NotAllowed as error:
        return str(error)
    return ""


@transaction.atomic
def roll_back(*, why: str, by: User | None = None, of: int | None = None) -> MatchModel:
    """Put the weights that were active before back to use, at once; returns them.

    One person is enough. Without a person (a red audit) only what people or a release put to use
    is taken back, never a step back that was taken already. `of` are the weights that are meant,
    if not whichever are active. Raises NotAllowed, InvalidInput, and DomainError when there is
    nothing to go back to.
    """
    if by:
        _check_person(by)
    why = check_reason(why, field="reason")
    _lock()
    now = registry.active()
    if now is None or now.replaced is None:
        raise DomainError(_("There are no weights to go back to. You can switch matching off."))
    if of not in (None, now.pk):
        raise DomainError(_("Other weights are active by now."))
    last = registry.history_in_use().first()
    if by is None and last and last.what == What.ROLLED_BACK:
        raise DomainError(_("This was taken back once already. A person has to decide."))
    before = now.replaced
    try:
        registry.check(before)
    except BadWeights as error:
        raise DomainError(
            _("The weights before cannot be used: %(error)s You can switch matching off.")
            % {"error": error}
        ) from error
    now.move_to(Status.RETIRED)
    before.move_to(Status.ACTIVE, active_since=clock.now())
    rule = {} if by else {"rule": "red_audit"}
    _note(before, What.ROLLED_BACK, by=by, why=why, before=now.pk, **rule)
    log.warning("weights %s were taken back to %s", now.version, before.version)
    _tell(
        "weights_rolled_back",
        before,
        facts={"version": before.version, "before": now.version, "why": why},
    )
    return before


def _check_fit_for_use(model: MatchModel) -> MatchModel:
    """Raise unless these weights may be put to use; returns those they would replace."""
    now = registry.active()
    if now is None or model.status != Status.SHADOW:
        raise InvalidTransition
    if found := registry.against(model):
        raise DomainError(" ".join(found))
    return now


def _second(asked: Promotion, by: User) -> MatchModel:
    """Wait for our turn and check who decides; returns the weights it is about."""
    _lock()
    asked.refresh_from_db(from_queryset=Promotion.objects.select_for_update())
    _check_second(asked, by)
    if asked.status != Promotion.Status.ASKED:
        raise InvalidTransition
    return MatchModel.objects.get(pk=asked.model_id)


def _check_second(asked: Promotion, by: User) -> None:
    _check_person(by)
    if by == asked.asked_by:
        log.warning("user %s tried to decide on %s of their own", by.pk, asked)
        raise NotAllowed(_("You asked for this, so another person has to decide on it."))


def _refuse_waiting(model: MatchModel | None = None) -> None:
    waiting = Promotion.objects.filter(status=Promotion.Status.ASKED)
    if (waiting.filter(model=model) if model else waiting).exists():
        raise DomainError(_("A proposal waits for a second person. Decide on it first."))


# --- Off and on -----------------------------------------------------------------------------


@transaction.atomic
def switch(mode: str, *, by: User, reason: str) -> MatcherSwitch:
    """Switch matching off, on, or to ranking without showing it; holds at the next page.

    `MATCHER_MODE` in the environment still wins where it is more cautious. Raises NotAllowed,
    InvalidInput.
    """
    if not by.has_perm(SWITCH_PERMISSION):
        log.warning("user %s tried to switch matching without permission", by.pk)
        raise NotAllowed
    if mode not in Mode.values:
        raise InvalidInput(_("Choose off, shadow or on."))
    row = MatcherSwitch.objects.create(mode=mode, by=by, why=check_reason(reason))
    audit.record(by, "matcher.switched", row, mode=mode)
    log.warning("matching is switched to %s by user %s", mode, by.pk)
    notify(
        [person for person in staff_who_may(SWITCH_PERMISSION) if person != by],
        "matcher_switched",
        key=f"matcher_switched:{row.pk}",
        url=reverse("admin:matching_matcherswitch_changelist"),
        group="work",
        facts={"mode": mode, "name": by.get_short_name(), "why": row.why},
    )
    return row


def watch() -> registry.State:
    """Whether this site ranks; calls staff, once a day, when it cannot because of its weights."""
    found = registry.state()
    if found.why == "weights":
        log.error("matching is off: %s", found.trouble)
        now = registry.active()
        notify(
            staff_who_may(PERMISSION),
            "matcher_broken",
            key=f"matcher_broken:{now.pk if now else 0}:{clock.now():%Y-%m-%d}",
            url=reverse("admin:matching_matchmodel_changelist"),
            group="work",
            facts={"trouble": found.trouble},
        )
    return found


# --- Shared ---------------------------------------------------------------------------------


def _lock(model: MatchModel | None = None) -> None:
    """Wait for our turn on all weights: there are few, and every act reads several."""
    rows = {row.pk: row for row in MatchModel.objects.select_for_update().order_by("pk")}
    if model:
        model.status = rows[model.pk].status
        model.shadow_since = rows[model.pk].shadow_since


def _check_person(by: User) -> None:
    if not by.has_perm(PERMISSION):
        log.warning("user %s tried to change weights without permission", by.pk)
        raise NotAllowed


def _note(model: MatchModel, what: str, *, by: User | None, why: str, **facts: Any) -> None:
    ModelAct.objects.create(model=model, what=what, by=by, why=why)
    audit.record(by, f"match_model.{what}", model, sha256=model.sha256, **facts)


def _tell(
    kind: str,
    about: MatchModel | Promotion,
    *,
    facts: Mapping[str, Any],
    to: Sequence[User] | None = None,
    url: str = "",
) -> None:
    notify(
        staff_who_may(PERMISSION) if to is None else to,
        kind,
        key=f"{kind}:{about.pk}:{clock.now():%Y%m%d%H%M%S%f}",
        url=url or reverse("admin:matching_matchmodel_changelist"),
        group="work",
        facts=facts,
    )
