"""Pages of matches. Every part that htmx pulls into another page is a page of its own."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from marketplace.core.http import UserRequest, show, wants_part
from matching.engine import explain
from matching.models import Match
from matching.selectors import matches
from projects.selectors.projects import project_to_manage

# As many as fit beside something else on another page.
BESIDE = 3


@require_safe
@login_required
def project_people(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/people/`: whom the client might ask, and why."""
    project = project_to_manage(request.user, ref)
    beside = wants_part(request) and "all" not in request.GET
    limit = BESIDE if beside else matches.PEOPLE_SHOWN
    is_open = project.is_open
    context: dict[str, Any] = {
        "project": project,
        "is_open": is_open,
        "is_on": matches.is_on(),
        "beside": beside,
    }
    if is_open and matches.is_on():
        run = matches.last_run_for_project(project)
        found = matches.people_for(project, limit=limit) if run else []
        context |= {"run": run, "rows": [_row(match, "client") for match in found]}
    elif is_open:
        context["profiles"] = matches.newest_people(project, limit=limit)
    return show(request, "matching/people.html", context, part="matching/_people.html")


@require_safe
@login_required
def project_reasons(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/match/`: why the freelancer sees this project."""
    project = matches.project_to_explain(request.user, ref)
    party = request.user.own_party
    match = matches.match_of(project, party) if matches.is_on() else None
    context = {
        "project": project,
        "is_on": matches.is_on(),
        "row": _row(match, "freelancer") if match else None,
        "run": match or matches.last_run_for_party(party),
    }
    return show(request, "matching/reasons.html", context, part="matching/_reasons.html")


@require_safe
@login_required
def for_you(request: UserRequest) -> HttpResponse:
    """`/matches/`: open projects for the freelancer, best first, with reasons."""
    party = request.user.own_party
    run = matches.last_run_for_party(party) if matches.is_on() else None
    context: dict[str, Any] = {"is_on": matches.is_on(), "run": run}
    if run:
        page = matches.projects_for(party, after=request.GET.get("after", ""))
        context |= {"rows": [_row(match, "freelancer") for match in page.rows], "after": page.after}
    if not context.get("rows"):
        context["newest"] = matches.newest_projects(party)
    return show(request, "matching/for_you.html", context, part="matching/_for_you.html")


def _row(match: Match, audience: explain.Audience) -> dict[str, object]:
    return {
        "match": match,
        "strength": match.strength,
        "reasons": explain.words(match.told, audience),
    }
