"""What the log of rankings says about fairness, without knowing anybody's group."""

import datetime as dt
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from matching.models import Kind, Match, MatchRun
from projects.models import Bid, Contract

# Fewer lists or people than these say nothing about a market.
ENOUGH_LISTS = 200
ENOUGH_PEOPLE = 30
# As in the index: up to so many finished works somebody is new here.
NEW_UP_TO = 3
SUCCESS = (Bid.Status.SHORTLISTED, Bid.Status.ACCEPTED)


@dataclass(frozen=True, slots=True)
class LoggedList:
    """One list of people as it came out: ids and scores, best first, and when."""

    at: dt.datetime
    project: int
    people: Sequence[tuple[int, float]]
    # What made it; the weights are not known of lists from before records named them.
    engine: str = ""
    weights: str = ""


@dataclass(frozen=True)
class Logged:
    """Lists of a period with what came of them."""

    lists: Sequence[LoggedList]
    # Days on which each person finished works here.
    finished: Mapping[int, Sequence[dt.datetime]] = field(default_factory=dict)
    # (project, person) of bids, true where a client shortlisted or took them.
    bids: Mapping[tuple[int, int], bool] = field(default_factory=dict)
    # The parts of scores without a reason, of the lists people see now.
    unexplained: Sequence[float] = ()

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to say anything."""
        people = {person for each in self.lists for person, _ in each.people}
        return len(self.lists) >= ENOUGH_LISTS and len(people) >= ENOUGH_PEOPLE

    @property
    def engines(self) -> str:
        """What engines made these lists, the one of most lists first."""
        return _most_first(each.engine.split(" (")[0] for each in self.lists)

    @property
    def weights(self) -> str:
        """The versions of the weights these lists were made with, that of most lists first."""
        return _most_first(each.weights for each in self.lists)

    def is_new(self, person: int, at: dt.datetime) -> bool:
        """Whether somebody was new here at a time."""
        return bisect_right(self.finished.get(person, ()), at) <= NEW_UP_TO


def _most_first(names: Iterable[str]) -> str:
    return "; ".join(name for name, _count in Counter(names).most_common())


def logged(since: dt.date, until: dt.date) -> Logged:
    """The lists of people written from one day to another, both included, in four queries.

    Of the lists for one project on one day only the last counts: what was replaced within
    minutes was hardly read.
    """
    rows = MatchRun.objects.filter(
        kind=Kind.PEOPLE, is_shown=True, at__date__gte=since, at__date__lte=until
    ).order_by("pk")
    last: dict[tuple[int, dt.date], LoggedList] = {}
    columns = "at", "project", "results", "engine", "record__model__version"
    for at, project, results, engine, weights in rows.values_list(*columns).iterator():
        people = [(int(each[0]), float(each[1])) for each in results]
        last[project, at.date()] = LoggedList(at, project, people, engine, weights or "unknown")
    lists = list(last.values())
    parties = {person for each in lists for person, _ in each.people}
    finished: dict[int, list[dt.datetime]] = defaultdict(list)
    done = Contract.objects.filter(
        freelancer__in=parties, status=Contract.Status.COMPLETED, ended_at__isnull=False
    )
    for person, ended in done.order_by("ended_at").values_list("freelancer", "ended_at"):
        if ended:
            finished[person].append(ended)
    bids = Bid.objects.filter(project__in={each.project for each in lists}, freelancer__in=parties)
    return Logged(
        lists=lists,
        finished=finished,
        bids={
            (project, person): status in SUCCESS
            for project, person, status in bids.values_list("project", "freelancer", "status")
        },
        unexplained=[
            abs(sum(reason["contribution"] for reason in reasons) - score) / score
            for score, reasons in Match.objects.filter(score__gt=0)
            .order_by("-pk")
            .values_list("score", "reasons")[:1000]
        ],
    )
