"""Rankings, written down: whom to suggest for a project, what to suggest to a freelancer.

They are advice: nothing here refuses, hides or decides anything, and while matching is off
nothing is ranked at all.
"""

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from accounts.models import Party
from marketplace.core import clock, retention
from matching import by_search, model_services
from matching.engine import record
from matching.engine.placing import Policy, Turn
from matching.engine.record import Ranking
from matching.models import Attention, Kind, Match, MatchRun, Mode, TextVector
from matching.selectors import attention, documents, matches, stale, wishes
from projects.models import Project
from projects.selectors.projects import open_projects

if TYPE_CHECKING:
    from types import ModuleType

    from django.db.models import QuerySet

    from matching.engine.rank import Matcher
    from matching.engine.retriever import Retriever
    from matching.selectors.registry import Deployed

logger = logging.getLogger(__name__)

# Whoever is not among these is found by searching.
PEOPLE_KEPT = 50
PROJECTS_KEPT = 100
# How far a place may move in spite of a score.
PLACING = Policy()
# When one side changes, the lists of this many on the other side follow at once.
FOLLOWERS = 20
# One sweep takes so many lists and no longer than this; the next one goes on.
SWEEP = 200
SWEEP_SECONDS = 90
# A vector is kept for so long after its last use, so that restarting a worker costs no reading.
VECTORS_LIVE = dt.timedelta(days=30)


def rank_people(project_id: int, *, why: str) -> Sequence[int]:
    """Write down the people for an open project; returns the parties found first.

    Safe to run twice. A project that is no longer open loses its matches.
    """
    began = clock.now()
    project = Project.objects.select_related("client").filter(pk=project_id).first()
    if not matches.is_ranking() or project is None:
        return []
    if not project.is_open:
        forget_project(project)
        return []
    memory = _memory()
    if memory and why == MatchRun.Why.CHANGED:
        memory.forget_needs()
    started = time.monotonic()
    # What changed has just been written; a sweep can look at it later.
    patient = why == MatchRun.Why.SWEEP
    ready = memory.people_matcher(patient=patient) if memory else by_search.ready()
    need, out = documents.need(project), documents.out_of_reach(project)
    # The lots of a project stay, so that its list changes only with what it is made from.
    turn = Turn(seed=str(project.pk), policy=PLACING, lately=attention.lately(without=project))

    def rank(matcher: "Retriever") -> Ranking:
        """Whoever is gone since the people were read never competed for a place."""
        while True:
            ranking = matcher.ranking_of_people(need, PEOPLE_KEPT, exclude=out, turn=turn)
            gone = documents.gone(each.id for each in ranking.candidates)
            if not gone:
                return ranking
            out.update(gone)

    ranking = rank(ready.matcher)
    run = MatchRun(
        kind=Kind.PEOPLE,
        project=project,
        why=why,
        at=began,
        as_of=ready.as_of,
        considered=ready.matcher.considered,
        took_ms=_since(started),
        engine=ready.engine,
        is_shown=matches.is_on(),
    )
    with transaction.atomic():
        # Two rankings of one project at once take turns; the last one stands.
        Project.objects.select_for_update(of=("self",), no_key=True).get(pk=project.pk)
        Match.objects.filter(kind=Kind.PEOPLE, project=project).delete()
        rows = [Match(project=project, party_id=int(each.id)) for each in ranking.found]
        _write(run, ranking, rows, model=ready.model)
        _note_attention(run, ranking)
        _leave_out_who_left(project, ranking)
    model_services.compare_tried(ready, run, ranking.found, lambda tried: rank(tried).found)
    return [int(each.id) for each in ranking.found[:FOLLOWERS]]


def rank_projects(party_id: int, *, why: str) -> Sequence[int]:
    """Write down the projects for a freelancer; returns the projects found first.

    Safe to run twice. Whoever may not be shown any more leaves the lists of projects.
    """
    began = clock.now()
    party = Party.objects.filter(pk=party_id).first()
    if not matches.is_ranking() or party is None:
        return []
    person = documents.person(party)
    wanted = wishes.of(party)
    if person is None or not wanted.is_on:
        forget_party(party)
        return []
    memory = _memory()
    if memory is None:
        return []
    started = time.monotonic()
    ready = memory.needs_matcher()
    out = documents.not_for(party)

    def rank(matcher: "Matcher") -> Ranking:
        return matcher.ranking_of_needs(person, PROJECTS_KEPT, exclude=out, chosen=wanted.chosen)

    ranking = rank(ready.matcher)
    run = MatchRun(
        kind=Kind.PROJECTS,
        party=party,
        wishes=wanted.chosen,
        why=why,
        at=began,
        as_of=ready.as_of,
        considered=open_projects().count(),
        took_ms=_since(started),
        engine=ready.engine,
        is_shown=matches.is_on(),
    )
    with transaction.atomic():
        Party.objects.select_for_update(of=("self",), no_key=True).get(pk=party.pk)
        if not wishes.of(party).is_on:
            forget_party(party)
            return []
        Match.objects.filter(kind=Kind.PROJECTS, party=party).delete()
        rows = [Match(party=party, project_id=int(each.id)) for each in ranking.found]
        _write(run, ranking, rows, model=ready.model)
        if not documents.suggestable().filter(party=party).exists():
            Match.objects.filter(kind=Kind.PEOPLE, party=party).delete()
            return []
    model_services.compare_tried(ready, run, ranking.found, lambda tried: rank(tried).found)
    return [int(each.id) for each in ranking.found[:FOLLOWERS]]


def rank_stale() -> int:
    """Rank what no nudge reached and what the other side has overtaken; returns how many."""
    if model_services.watch().mode == Mode.OFF:
        return 0
    until = time.monotonic() + SWEEP_SECONDS
    ranked = 0
    for rank, rows in _due():
        for pk in rows.values_list("pk", flat=True)[:SWEEP]:
            if time.monotonic() > until:
                return ranked
            rank(pk, why=MatchRun.Why.SWEEP)
            ranked += 1
    return ranked


def _due() -> "Iterator[tuple[Callable[..., Sequence[int]], QuerySet[Any]]]":
    """What to rank again and with what, the most urgent first.

    Lists made by words for the time being make the matcher read on; they are ranked again
    once it is done, so everybody's meaning counts from then on.
    """
    yield rank_people, stale.projects()
    yield rank_projects, stale.parties()
    memory = _memory()
    if memory is None:
        return
    if stale.projects_for_now().exists() and memory.people_matcher().is_whole:
        yield rank_people, stale.projects_for_now()
    if stale.parties_for_now().exists() and memory.needs_matcher().is_whole:
        yield rank_projects, stale.parties_for_now()


def keep_files() -> bool:
    """Build the files of a big market where it is time for it; True when they were built."""
    from matching import people_files  # noqa: PLC0415 - as in `_memory`

    return matches.is_ranking() and people_files.keep()


def build_files() -> bool:
    """Build the files of a big market; False in a small one, or when somebody is at it."""
    from matching import people_files  # noqa: PLC0415 - as in `_memory`

    return matches.is_ranking() and documents.is_big() and people_files.build()


def _memory() -> "ModuleType | None":
    """The matchers of this process; None where the numeric libraries are missing.

    numpy and scipy belong into workers, so nobody else loads them; web processes import this
    module, too.
    """
    try:
        from matching import memory  # noqa: PLC0415
    except ImportError:
        logger.exception("Nothing can be compared; people are found by search only")
        return None
    return memory


def forget_project(project: Project) -> None:
    """Suggest it to nobody, and nobody for it, any more. The log of rankings stays."""
    Match.objects.filter(project=project).delete()


def forget_party(party: Party) -> int:
    """Suggest nothing to them, and them for nothing, any more; returns how many rows went.

    What lists gave them goes with the matches. The log of rankings stays.
    """
    gone = Attention.objects.filter(party=party).delete()[0]
    return gone + Match.objects.filter(party=party).delete()[0]


@retention.forgets("vectors")
def unused_vectors() -> "QuerySet[TextVector]":
    """Vectors of texts that nobody has compared for long: most of these texts are gone."""
    return TextVector.objects.filter(used_on__lt=clock.now().date() - VECTORS_LIVE)


@retention.forgets("rankings")
def old_rankings() -> "QuerySet[MatchRun]":
    """Rankings nobody is shown any more, once they are `settings.MATCH_RUN_DAYS` old."""
    oldest = clock.now() - dt.timedelta(days=settings.MATCH_RUN_DAYS)
    return MatchRun.objects.filter(at__lt=oldest, matches=None)


@retention.forgets("attention")
def old_attention() -> "QuerySet[Attention]":
    """What lists gave people, once it is too long ago to be evened out."""
    return Attention.objects.filter(at__lt=clock.now() - attention.WINDOW)


def _write(run: MatchRun, ranking: Ranking, rows: Sequence[Match], *, model: "Deployed") -> None:
    run.seed = ranking.seed
    run.record = record.written(ranking, {"version": model.version, "sha256": model.sha256})
    run.method = record.digest(run.record)
    run.results = record.rows(ranking.places[: len(rows)])
    run.save()
    for rank, (match, each) in enumerate(zip(rows, ranking.found, strict=True), start=1):
        match.run = run
        match.kind = run.kind
        match.rank = rank
        match.score = each.score
        match.features = dict(each.features)
        match.reasons = [dataclasses.asdict(reason) for reason in each.reasons]
        match.engine = run.engine
        match.computed_at = run.at
    Match.objects.bulk_create(rows)


def _leave_out_who_left(project: Project, ranking: Ranking) -> None:
    """Whoever left or switched suggestions off while the list was made is not in it."""
    gone = [int(pk) for pk in documents.gone(each.id for each in ranking.candidates)]
    if gone:
        Match.objects.filter(kind=Kind.PEOPLE, project=project, party__in=gone).delete()
        Attention.objects.filter(project=project, party__in=gone).delete()


def _note_attention(run: MatchRun, ranking: Ranking) -> None:
    """Remember what this list gives whom; what the one before it gave does not count any more.

    A list that nobody is shown gives nobody anything.
    """
    Attention.objects.filter(project=run.project).delete()
    if not run.is_shown:
        return
    Attention.objects.bulk_create(
        Attention(
            project=run.project,
            party_id=int(place.id),
            at=run.at,
            seen=round(place.seen, attention.DIGITS),
            earned=round(place.earned, attention.DIGITS),
        )
        for place in ranking.places
        if place.seen or place.earned
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
