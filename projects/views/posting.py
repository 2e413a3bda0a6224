"""Posting in four steps, signed in or not; and what follows: edit, files, close."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.selectors import hiring_party, suggest_skills
from marketplace.core import clock, drafts
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show, wants_part
from projects.forms.posting import (
    ANSWERS,
    DRAFT,
    KEPT_NAMES,
    LONGEST_ANSWER,
    LONGEST_SKILLS,
    PUBLISH_WHEN_JOINED,
    STEPS,
    EditForm,
    FilesForm,
    SkillsForm,
    StepForm,
    answers_of,
    read_answers,
    wanted_of,
)
from projects.forms.refusals import show_refusal
from projects.models.projects import AiPolicy
from projects.selectors import projects as selectors
from projects.services import posting
from projects.services.wanted import problems
from projects.views.joining import join_first

CHECK = 4
MOST_SUGGESTED = 6
JUST_NOW = dt.timedelta(minutes=10)


# --- Four steps -----------------------------------------------------------------------------


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The first step."""
    return redirect("projects:post-step", 1)


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, step: int) -> HttpResponse:
    """One of the steps; what was answered before is there again."""
    if step == CHECK:
        return _check(request)
    if not 1 <= step < CHECK:
        raise Http404
    values = _values(request)
    currency = _currency(request.user)
    form_class = STEPS[step - 1]
    status, suggested = 200, []
    if request.method == "POST":
        form = form_class(request.POST, currency=currency)
        drafts.add(request, DRAFT, _typed(request), without=PUBLISH_WHEN_JOINED)
        if _is_fit(form, currency) and _is_clear(request, form, values):
            onward = CHECK if request.POST.get("back") else step + 1
            return go_to(request, reverse("projects:post-step", args=[onward]))
        status = 422
    else:
        known = {name: values[name] for name in form_class.base_fields if name in values}
        if "skills" in form_class.base_fields and not known.get("skills"):
            suggested = selectors.skills_in(values.get("description", ""))[:MOST_SUGGESTED]
            known["skills"] = ", ".join(skill.name for skill in suggested)
        form = form_class(initial=known, currency=currency)
    context = {
        "suggested": suggested,
        "form": form,
        "step": step,
        "steps": _steps(step),
        "currency": currency,
        "back": request.POST.get("back") or request.GET.get("back"),
    }
    return show(request, f"projects/post_{step}.html", context, status=status)


def _check(request: HttpRequest) -> HttpResponse:
    values = _values(request)
    wanted, wrong = read_answers(values, _currency(request.user))
    if request.method == "POST" and not wrong:
        if isinstance(request.user, AnonymousUser):
            drafts.save(request, DRAFT, values | {PUBLISH_WHEN_JOINED: True})
            return join_first(request, come_back_to=reverse("projects:post-done"))
        try:
            project = posting.post(hiring_party(request.user), by=request.user, wanted=wanted)
            drafts.forget(request, DRAFT)
            messages.success(request, _("Published. Freelancers can bid now."))
            return go_to(request, reverse("projects:manage", args=[project.slug, project.ref]))
        except DomainError as error:
            wrong = [(1, str(error))]
    context = {
        "wanted": wanted,
        "ai_policy": AiPolicy(wanted.ai_policy).label,
        "wrong": wrong,
        "steps": _steps(CHECK),
        "party": None if isinstance(request.user, AnonymousUser) else hiring_party(request.user),
    }
    return show(
        request, "projects/post_check.html", context, status=422 if wrong and request.POST else 200
    )


@require_POST
def keep_draft(request: HttpRequest) -> HttpResponse:
    """Keep what is typed so far; nothing is checked, nothing is shown.

    A page that is being left sends this, too, and it may come after the step itself: it never
    takes back that the person has pressed Publish.
    """
    if typed := _typed(request):
        drafts.add(request, DRAFT, typed, unless=PUBLISH_WHEN_JOINED)
    return HttpResponse(status=204)


@require_safe
def skill_hints(request: HttpRequest) -> HttpResponse:
    """Names that fit the last one typed, or the field with the one that was picked."""
    if not wants_part(request):
        return redirect("accounts:skill-index")
    names = request.GET.get("skills", "")[:LONGEST_SKILLS].split(",")
    picked = request.GET.get("pick", "")
    if picked:
        whole = ", ".join([*(name.strip() for name in names[:-1]), picked])
        form = SkillsForm(initial={"skills": f"{whole}, "}, currency=settings.DEFAULT_CURRENCY)
        form.fields["skills"].widget.attrs["autofocus"] = True
        return show(request, "projects/_skills_field.html", {"field": form["skills"]})
    chosen = {name.strip().casefold() for name in names[:-1]}
    hints = [
        {
            "name": skill.name,
            "url": f"{request.path}?{urlencode({'skills': ','.join(names), 'pick': skill.name})}",
        }
        for skill in suggest_skills(names[-1])
        if skill.name.casefold() not in chosen
    ]
    return show(request, "projects/_skill_hints.html", {"hints": hints})


@require_safe
@login_required
def done(request: UserRequest) -> HttpResponse:
    """Where a person lands who joined in the middle: at their project, or at what is left to do."""
    project = selectors.newest_of(request.user, since=clock.now() - JUST_NOW)
    if project is None or drafts.find(request, DRAFT):
        return redirect("projects:post-step", CHECK)
    return redirect("projects:manage", project.slug, project.ref)


def _is_fit(form: StepForm | EditForm, currency: str) -> bool:
    if form.is_valid():
        for name, sentence in problems(wanted_of(form.cleaned_data, currency)).items():
            if name in form.fields:
                form.add_error(name, sentence)
    return not form.errors


def _is_clear(request: HttpRequest, form: StepForm, values: dict[str, Any]) -> bool:
    """Whether every skill is known or meant as it is written; the draft keeps what was meant."""
    if isinstance(form, SkillsForm):
        kept = values.get(KEPT_NAMES, [])
        reading = form.read(form.cleaned_data["skills"], kept=kept)
        if not form.errors:
            answer = {"skills": ", ".join(reading.names), KEPT_NAMES: reading.kept}
            drafts.add(request, DRAFT, answer)
            for sentence in reading.told:
                messages.success(request, sentence)
    return not form.errors


def _values(request: HttpRequest) -> dict[str, Any]:
    draft = drafts.find(request, DRAFT)
    return dict(draft.values) if draft else {}


def _typed(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST[name][:LONGEST_ANSWER] for name in ANSWERS if name in request.POST}


def _currency(user: User | AnonymousUser) -> str:
    if isinstance(user, AnonymousUser):
        return str(settings.DEFAULT_CURRENCY)
    return hiring_party(user).currency


def _steps(now: int) -> list[dict[str, str]]:
    labels = (_("What"), _("Budget and date"), _("Skills and AI"), _("Check"))
    return [
        {
            "label": label,
            "state": "done" if number < now else "now" if number == now else "",
            "url": reverse("projects:post-step", args=[number]),
        }
        for number, label in enumerate(labels, start=1)
    ]


# --- Afterwards -----------------------------------------------------------------------------


@require_safe
@login_required
def mine(request: UserRequest) -> HttpResponse:
    """The projects of the parties this person posts or hires for."""
    after = request.GET.get("after", "")
    rows, following = selectors.projects_of(request.user, after=after)
    context = {
        "projects": rows,
        "next_url": f"?after={following}" if following else "",
        "first_url": request.path if after else "",
        "draft": None if after else drafts.find(request, DRAFT),
    }
    return show(request, "projects/mine.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """Change what was posted."""
    project = selectors.project_to_manage(request.user, ref)
    typed = request.POST if request.method == "POST" else None
    form = EditForm(typed, initial=answers_of(project), currency=project.currency)
    reading = None
    if request.method == "POST" and _is_fit(form, project.currency):
        reading = form.read(form.cleaned_data["skills"])
    if reading is not None and not form.errors:
        try:
            answers = form.cleaned_data | {"skills": reading.names}
            project = posting.edit(
                project, by=request.user, wanted=wanted_of(answers, project.currency)
            )
            saved = _("Saved. Everybody who has bid is told.")
            messages.success(request, " ".join([saved, *reading.told]))
            return go_to(request, reverse("projects:manage", args=[project.slug, project.ref]))
        except DomainError as error:
            show_refusal(form, error)
    context = {"project": project, "form": form}
    return show(request, "projects/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def close(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """Close without hiring, after a page that says what follows."""
    project = selectors.project_to_manage(request.user, ref)
    refused = ""
    if request.method == "POST":
        try:
            posting.close(project, by=request.user)
            messages.success(request, _("Closed. Everybody who had bid is told."))
            return go_to(request, reverse("projects:mine"))
        except DomainError as error:
            refused = str(error)
    context = {"project": project, "refused": refused}
    return show(request, "projects/close.html", context, status=409 if refused else 200)


@require_POST
@login_required
def publish(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """Open a draft for bids."""
    project = selectors.project_to_manage(request.user, ref)
    try:
        posting.publish(project, by=request.user)
        messages.success(request, _("Published. Freelancers can bid now."))
    except DomainError as error:
        messages.error(request, str(error))
        return go_to(request, reverse("projects:edit", args=[project.slug, project.ref]))
    return go_to(request, reverse("projects:manage", args=[project.slug, project.ref]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def files(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """The attachments, and a place to add some."""
    project = selectors.project_to_manage(request.user, ref)
    form = FilesForm(request.POST, request.FILES) if request.method == "POST" else FilesForm()
    if form.is_valid():
        try:
            posting.add_files(project, by=request.user, uploads=form.cleaned_data["files"])
            return go_to(request, request.path)
        except DomainError as error:
            show_refusal(form, error)
    context = {"project": project, "form": form, "files": selectors.files_of(project)}
    return show(request, "projects/files.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def remove_file(request: UserRequest, slug: str, ref: str, file: str) -> HttpResponse:
    """Take one attachment off."""
    project = selectors.project_to_manage(request.user, ref)
    try:
        posting.remove_file(project, by=request.user, ref=file)
        messages.success(request, _("Removed."))
    except DomainError as error:
        messages.error(request, str(error))
    return go_to(request, reverse("projects:files", args=[project.slug, project.ref]))
