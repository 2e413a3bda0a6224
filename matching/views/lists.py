"""Who is suggested for what, and why."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.core.http import UserRequest, show, wants_part
from matching.engine import explain
from matching.models import Match, Mode
from matching.selectors import matches, wishes
from projects.selectors.projects import project_to_manage

# As many as fit beside something else on another page.
BESIDE = 3


@require_safe
@login_required
def project_people(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/people/`: whom the client might ask, and why.

    `?sort=newest` and `?sort=random` rank nobody; random shows no names either.
    """
    project = project_to_manage(request.user, ref)
    beside = wants_part(request) and "all" not in request.GET
    limit = BESIDE if beside else matches.PEOPLE_SHOWN
    is_open, mode = project.is_open, matches.mode()
    sort = matches.sort_named(request.GET.get("sort", ""), mode)
    context: dict[str, Any] = {
        "project": project,
        "is_open": is_open,
        "is_on": mode == Mode.ON,
        "mode": mode,
        "beside": beside,
        "sort": sort,
        "tabs": _sorts(request, sort, mode),
        "says_little": matches.says_little(project),
    }
    if is_open and sort == matches.SUGGESTED:
        run = matches.last_run_for_project(project)
        found = matches.people_for(project, limit=limit) if run else []
        context |= {
            "run": run,
            "rows": [_row(match, "client", titles=not project.is_blind) for match in found],
        }
    elif is_open:
        context["profiles"] = matches.people_unranked(project, sort, limit=limit)
    return show(request, "matching/people.html", context, part="matching/_people.html")


@require_safe
@login_required
def open_person(request: UserRequest, slug: str, ref: str, person: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/people/<person>/`: to a profile whose address would tell the name."""
    project = project_to_manage(request.user, ref)
    return redirect("accounts:person", matches.person_to_open(project, person).handle)


@require_safe
@login_required
def project_reasons(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/match/`: why the freelancer sees this project."""
    project = matches.project_to_explain(request.user, ref)
    party = request.user.own_party
    mode, wants = matches.mode(), wishes.of(party).is_on
    match = matches.match_of(project, party) if mode == Mode.ON and wants else None
    context = {
        "project": project,
        "is_on": mode == Mode.ON,
        "mode": mode,
        "wants": wants,
        "row": _row(match, "freelancer") if match else None,
        "run": match or matches.last_run_for_party(party),
    }
    return show(request, "matching/reasons.html", context, part="matching/_reasons.html")


@require_safe
@login_required
def for_you(request: UserRequest) -> HttpResponse:
    """`/matches/`: open projects for the freelancer, best first, with reasons."""
    party = request.user.own_party
    mode, wants = matches.mode(), wishes.of(party).is_on
    run = matches.last_run_for_party(party) if mode == Mode.ON and wants else None
    context: dict[str, Any] = {
        "is_on": mode == Mode.ON,
        "mode": mode,
        "run": run,
        "wants": wants,
    }
    if run:
        page = matches.projects_for(party, after=request.GET.get("after", ""))
        context |= {"rows": [_row(match, "freelancer") for match in page.rows], "after": page.after}
    if not context.get("rows"):
        context["newest"] = matches.newest_projects(party)
    return show(request, "matching/for_you.html", context, part="matching/_for_you.html")


def _sorts(request: UserRequest, current: str, mode: Mode) -> list[dict[str, Any]]:
    labels = {
        matches.SUGGESTED: _("Suggested"),
        matches.NEWEST: _("Newest profiles"),
        matches.RANDOM: _("Random, without names"),
    }
    return [
        {"label": label, "url": f"{request.path}?sort={name}", "current": name == current}
        for name, label in labels.items()
        if name != matches.SUGGESTED or mode == Mode.ON
    ]


def _row(match: Match, audience: explain.Audience, *, titles: bool = True) -> dict[str, object]:
    return {
        "match": match,
        "strength": match.strength,
        "reasons": explain.words(match.told, audience, titles=titles),
    }
