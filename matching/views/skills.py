"""Pages that suggest skills for a text. A person confirms every one of them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import ProfileSkill
from accounts.selectors import profile_to_edit
from marketplace.core import drafts, limits
from marketplace.core.errors import DomainError, TooMany
from marketplace.core.http import UserRequest, go_to, show
from matching import skill_services
from matching.selectors.skills import text_to_read
from projects.forms.posting import ANSWERS, DRAFT, LONGEST_ANSWER, PUBLISH_WHEN_JOINED

SKILLS_STEP = 3


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
