"""Matches as pages show them. What changed since the ranking is left out when read."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404

from accounts.models import Party, Profile, ProfileSkill, User
from matching.models import Kind, Match, MatchRun, Mode
from matching.selectors import registry
from matching.selectors.documents import findable
from projects.models import Bid, Project
from projects.selectors.projects import open_projects, project_to_see

PEOPLE_SHOWN = 10
PAGE = 20


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
        party__in=findable().values("party"),
    ).exclude(party=project.client)
    return list(rows.select_related("party__profile").order_by("rank")[:limit])


def newest_people(project: Project, *, limit: int = PEOPLE_SHOWN) -> list[Profile]:
    """Who may be shown for a project, newest profile first: the list without a ranking."""
    bids = Bid.objects.filter(project=project, freelancer=OuterRef("party"))
    rows = findable().filter(~Exists(bids)).exclude(party=project.client)
    skills = ProfileSkill.objects.select_related("skill").order_by("-level", "pk")
    rows = rows.select_related("party").prefetch_related(
        Prefetch("profile_skills", queryset=skills)
    )
    return list(rows.order_by("-updated_at", "-pk")[:limit])


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


def _open_for(party: Party, rows: QuerySet[Match]) -> QuerySet[Match]:
    bids = Bid.objects.filter(project=OuterRef("project"), freelancer=party)
    return rows.filter(~Exists(bids), project__in=open_projects().values("pk"))
