"""Pages of matches. Every part that htmx pulls into another page is a page of its own."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import ProfileSkill
from accounts.selectors import profile_to_edit
from marketplace.core import drafts, limits
from marketplace.core.errors import DomainError, TooMany
from marketplace.core.http import UserRequest, go_to, show, wants_part
from matching import skill_services
from matching.engine import explain
from matching.models import Match, Mode
from matching.selectors import matches
from matching.selectors.skills import text_to_read
from projects.forms.posting import ANSWERS, DRAFT, LONGEST_ANSWER, PUBLISH_WHEN_JOINED
from projects.selectors.projects import project_to_manage

# As many as fit beside something else on another page.
BESIDE = 3
SKILLS_STEP = 3


@require_safe
@login_required
def project_people(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/people/`: whom the client might ask, and why."""
    project = project_to_manage(request.user, ref)
    beside = wants_part(request) and "all" not in request.GET
    limit = BESIDE if beside else matches.PEOPLE_SHOWN
    is_open, mode = project.is_open, matches.mode()
    context: dict[str, Any] = {
        "project": project,
        "is_open": is_open,
        "is_on": mode == Mode.ON,
        "mode": mode,
        "beside": beside,
    }
    if is_open and mode == Mode.ON:
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
    mode = matches.mode()
    match = matches.match_of(project, party) if mode == Mode.ON else None
    context = {
        "project": project,
        "is_on": mode == Mode.ON,
        "mode": mode,
        "row": _row(match, "freelancer") if match else None,
        "run": match or matches.last_run_for_party(party),
    }
    return show(request, "matching/reasons.html", context, part="matching/_reasons.html")


@require_safe
@login_required
def for_you(request: UserRequest) -> HttpResponse:
    """`/matches/`: open projects for the freelancer, best first, with reasons."""
    party = request.user.own_party
    mode = matches.mode()
    run = matches.last_run_for_party(party) if mode == Mode.ON else None
    context: dict[str, Any] = {"is_on": mode == Mode.ON, "mode": mode, "run": run}
    if run:
        page = matches.projects_for(party, after=request.GET.get("after", ""))
        context |= {"rows": [_row(match, "freelancer") for match in page.rows], "after": page.after}
    if not context.get("rows"):
        context["newest"] = matches.newest_projects(party)
    return show(request, "matching/for_you.html", context, part="matching/_for_you.html")


# --- Skills for a text ----------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def project_skills(request: HttpRequest) -> HttpResponse:
    """`/projects/new/skills/suggested/`: skills for what is being posted, to be confirmed."""
    step = reverse("projects:post-step", args=[SKILLS_STEP])
    if request.method == "POST" and "look" in request.POST:
        # The button in the step brings along what is typed there.
        typed = {name: request.POST[name][:LONGEST_ANSWER] for name in _answered(request)}
        if typed:
            drafts.add(request, DRAFT, typed, without=PUBLISH_WHEN_JOINED)
    draft = drafts.find(request, DRAFT)
    values = dict(draft.values) if draft else {}
    text = text_to_read(values.get("title", ""), values.get("description", ""))
    if request.method == "POST" and "look" in request.POST:
        return _have_read(request, text, asker=f"draft:{draft.pk}" if draft else "")
    named = [name.strip() for name in values.get("skills", "").split(",") if name.strip()]
    if request.method == "POST":
        chosen = skill_services.known_skills(request.POST.getlist("skill"))
        both = dict.fromkeys([*named, *(skill.name for skill in chosen)])
        drafts.add(request, DRAFT, {"skills": ", ".join(both)})
        return go_to(request, step)
    if draft is None or not text:
        return redirect("projects:post")
    found = skill_services.suggest(text, without=named)
    context = {"suggested": found, "named": named, "step_url": step}
    return show(request, "matching/project_skills.html", context)


def _have_read(request: HttpRequest, text: str, *, asker: str) -> HttpResponse:
    """Ask for a reading, and go on to the page that shows it."""
    try:
        limits.spend("skill_reading", request)
    except TooMany as error:
        return limits.too_many(request, error)
    if asker:
        skill_services.ask(text, asker=asker)
    return go_to(request, request.path)


def _answered(request: HttpRequest) -> list[str]:
    return [name for name in ANSWERS if name in request.POST]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile_skills(request: UserRequest) -> HttpResponse:
    """`/profile/skills/suggested/`: skills for what a freelancer writes, to be confirmed."""
    profile = profile_to_edit(request.user)
    text = text_to_read(profile.headline, profile.bio)
    refused = ""
    if request.method == "POST" and "look" in request.POST:
        return _have_read(request, text, asker=f"profile:{profile.pk}")
    if request.method == "POST":
        levels = [
            (skill.name, _level(request.POST.get(f"level-{skill.pk}", "")))
            for skill in skill_services.known_skills(request.POST.getlist("skill"))
        ]
        try:
            skill_services.add_to_profile(profile, by=request.user, chosen=levels)
        except DomainError as error:
            refused = str(error)
        else:
            messages.success(request, _("Your skills are saved."))
            return go_to(request, reverse("accounts:skills"))
    named = [row.skill.name for row in profile.profile_skills.all()]
    context = {
        "suggested": skill_services.suggest(text, without=named),
        "levels": ProfileSkill.Level,
        "usual": ProfileSkill.Level.GOOD,
        "has_text": bool(text),
        "refused": refused,
    }
    return show(request, "matching/profile_skills.html", context, status=422 if refused else 200)


def _level(typed: str) -> int:
    known = {str(level.value): level.value for level in ProfileSkill.Level}
    return int(known.get(typed, ProfileSkill.Level.GOOD))


def _row(match: Match, audience: explain.Audience) -> dict[str, object]:
    return {
        "match": match,
        "strength": match.strength,
        "reasons": explain.words(match.told, audience),
    }
