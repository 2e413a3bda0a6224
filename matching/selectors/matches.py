"""Matches as pages show them. What changed since the ranking is left out when read."""

import datetime as dt
import statistics
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import MD5, Concat
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.models import Membership, Party, Profile, ProfileSkill, User
from marketplace.core import clock
from matching.engine import explain
from matching.models import Kind, Match, MatchAppeal, MatchRun, Mode, WhyNot
from matching.selectors import registry
from matching.selectors.documents import findable, suggestable
from projects.models import Bid, Project
from projects.selectors.projects import open_projects, project_to_manage, project_to_see

PEOPLE_SHOWN = 10
PAGE = 20
# How people for a project can be sorted.
SUGGESTED, NEWEST, RANDOM = "suggested", "newest", "random"


@dataclass(frozen=True)
class Page:
    """One page of a ranking. `after` is the cursor of the next one, empty at the end."""

    rows: list[Match]
    after: str


def mode() -> Mode:
    """Whether this site ranks, and shows it; unless it is on, lists are newest first and say so."""
    return registry.state().mode


def is_on() -> bool:
    """Whether lists are shown as ranked."""
    return mode() == Mode.ON


def is_ranking() -> bool:
    """Whether lists are ranked, shown or not."""
    return mode() != Mode.OFF


def project_to_explain(user: User, ref: str) -> Project:
    """An open project, for a freelancer who wants to know why they see it; 404 otherwise.

    Its client's people have another page: whom to ask.
    """
    project = project_to_see(user, ref)
    if vars(project)["is_mine"] or not project.is_open:
        raise Http404
    return project


# --- People for a project -------------------------------------------------------------------


def people_for(project: Project, *, limit: int = PEOPLE_SHOWN) -> list[Match]:
    """The best people for a project who may still be shown and have not bid, in two queries."""
    bids = Bid.objects.filter(project=project, freelancer=OuterRef("party"))
    rows = Match.objects.filter(
        ~Exists(bids),
        kind=Kind.PEOPLE,
        project=project,
        party__in=suggestable().values("party"),
    ).exclude(party=project.client)
    return list(rows.select_related("party__profile").order_by("rank")[:limit])


def sort_named(name: str, mode: Mode) -> str:
    """The sort of people a reader asks for; the usual one in this mode for anything else."""
    usual = SUGGESTED if mode == Mode.ON else NEWEST
    return name if name in {NEWEST, RANDOM} else usual


def people_unranked(
    project: Project, sort: str = "newest", *, limit: int = PEOPLE_SHOWN
) -> list[Profile]:
    """Who may be shown for a project without a ranking, whoever wants suggestions or not.

    By chance, another one every day and for every project, nobody gains from anything; otherwise
    the newest profile comes first.
    """
    bids = Bid.objects.filter(project=project, freelancer=OuterRef("party"))
    rows = findable().filter(~Exists(bids)).exclude(party=project.client)
    skills = ProfileSkill.objects.select_related("skill").order_by("-level", "pk")
    rows = rows.select_related("party").prefetch_related(
        Prefetch("profile_skills", queryset=skills)
    )
    if sort == RANDOM:
        salt = Value(f"{project.ref} {clock.now():%Y-%m-%d}")
        rows = rows.order_by(MD5(Concat("party__ref", salt)), "pk")
    else:
        rows = rows.order_by("-updated_at", "-pk")
    return list(rows[:limit])


def person_to_open(project: Project, ref: str) -> Profile:
    """Somebody a list for the project may show, by the ref of their party; 404 otherwise.

    Nobody is opened from a project that hides names.
    """
    if project.is_blind:
        raise Http404
    rows = findable().exclude(party=project.client).select_related("party")
    return get_object_or_404(rows, party__ref=ref)


def says_little(project: Project) -> bool:
    """Whether the project says too little for suggestions to be sure."""
    skills = [skill.name for skill in project.skills.all()]
    return explain.says_little(project.title, project.description, skills)


def last_run_for_project(project: Project) -> MatchRun | None:
    """The newest ranking of people for it, or None while there is none."""
    return (
        MatchRun.objects.filter(project=project).defer("results", "record").order_by("-pk").first()
    )


# --- Projects for a person ------------------------------------------------------------------


def projects_for(party: Party, *, after: str = "", limit: int = PAGE) -> Page:
    """The best open projects for a freelancer who has not bid on them yet."""
    rows = _open_for(party, Match.objects.filter(kind=Kind.PROJECTS, party=party))
    if after.isascii() and after.isdigit():
        rows = rows.filter(rank__gt=min(int(after), 32_767))
    page = list(
        rows.select_related("project__client")
        .defer("project__description", "project__search")
        .order_by("rank")[: limit + 1]
    )
    return Page(page[:limit], str(page[limit - 1].rank) if len(page) > limit else "")


def newest_projects(party: Party, *, limit: int = PAGE) -> list[Project]:
    """Open projects of others, newest first: the list without a ranking."""
    bids = Bid.objects.filter(project=OuterRef("pk"), freelancer=party)
    rows = open_projects().filter(~Exists(bids)).exclude(client=party)
    rows = rows.select_related("client").defer("description", "search")
    return list(rows.order_by("-published_at", "-pk")[:limit])


def last_run_for_party(party: Party) -> MatchRun | None:
    """The newest ranking of projects for a freelancer, or None while there is none."""
    return MatchRun.objects.filter(party=party).defer("results", "record").order_by("-pk").first()


def match_of(project: Project, party: Party) -> Match | None:
    """Why this project stands in the freelancer's list, or why they stand in its list."""
    rows = Match.objects.filter(project=project, party=party)
    # The list of the freelancer may name all of their work, so it is asked first.
    return rows.order_by("-kind").first()


# --- Questions and appeals ------------------------------------------------------------------


def why_not_of(project: Project, party: Party) -> WhyNot | None:
    """The newest question of a freelancer why they are not among the first, answered or not."""
    return WhyNot.objects.filter(project=project, party=party).first()


def project_to_appeal(user: User, ref: str) -> tuple[Project, Party]:
    """A project whose matches the user may appeal against, and for which party; 404 otherwise.

    Clients appeal against who is suggested to them, freelancers against where they stand.
    """
    project = project_to_see(user, ref)
    if not project.is_open:
        raise Http404
    if vars(project)["is_mine"]:
        return project_to_manage(user, ref), project.client
    return project, user.own_party


def waiting_appeal(project: Project, party: Party) -> MatchAppeal | None:
    """The appeal that a person has not answered yet."""
    waiting = MatchAppeal.Status.WAITING
    return MatchAppeal.objects.filter(project=project, party=party, status=waiting).first()


def appeal_to_see(user: User, ref: str) -> MatchAppeal:
    """An appeal of one of the user's parties; 404 otherwise."""
    return get_object_or_404(_appeals_of(user), ref=ref)


def appeals_of(user: User, *, limit: int = PAGE) -> list[MatchAppeal]:
    """The newest appeals of the user's parties."""
    return list(_appeals_of(user).order_by("-pk")[:limit])


def _appeals_of(user: User) -> QuerySet[MatchAppeal]:
    mine = Membership.objects.filter(Q(can_post=True) | Q(can_manage=True), user=user)
    rows = MatchAppeal.objects.filter(party__in=mine.values("party"))
    return rows.select_related("project", "party")


@dataclass(frozen=True)
class AppealCounts:
    """What became of appeals, for the public. `median_days` is None before the first answer."""

    made: int
    answered: int
    changed: int
    median_days: float | None

    @property
    def changed_share(self) -> int:
        """Of a hundred answers, how many found that the suggestion was wrong."""
        return round(100 * self.changed / self.answered) if self.answered else 0


def appeal_counts(*, since: dt.datetime) -> AppealCounts:
    """Appeals since a day: how many, how they ended, and how long the middle one waited."""
    rows = MatchAppeal.objects.filter(at__gte=since)
    changed = rows.filter(status=MatchAppeal.Status.CHANGED).count()
    waits = sorted(
        (decided - made).total_seconds() / 86_400
        for made, decided in rows.values_list("at", "decided_at")
        if decided
    )
    return AppealCounts(
        rows.count(), len(waits), changed, round(statistics.median(waits), 1) if waits else None
    )


def _open_for(party: Party, rows: QuerySet[Match]) -> QuerySet[Match]:
    bids = Bid.objects.filter(project=OuterRef("project"), freelancer=party)
    return rows.filter(~Exists(bids), project__in=open_projects().values("pk"))
