"""Editing one's own profile: text, skills, samples of work."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import selectors
from accounts.forms import refuse
from accounts.forms.profile import ProfileForm, SampleForm, SkillsForm
from accounts.models import ProfileSkill
from accounts.services import profiles, skills
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to

GET_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


@GET_OR_POST
@login_required
def profile(request: UserRequest) -> HttpResponse:
    """Headline, text, rate, availability."""
    mine = selectors.profile_to_edit(request.user)
    form = ProfileForm(request.POST or None, profile=mine)
    if form.is_valid():
        try:
            profiles.save_profile(mine, by=request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Your profile is saved."))
            return go_to(request, reverse("accounts:profile"))
    return _page(request, "profile", {"form": form, "profile": mine})


@GET_OR_POST
@login_required
def skill_list(request: UserRequest) -> HttpResponse:
    """Skills and their levels."""
    mine = selectors.profile_to_edit(request.user)
    form = SkillsForm(request.POST or None)
    reading = None
    if form.is_valid():
        reading = form.read([name for name, _level in form.cleaned_data["skills"]])
    if reading is not None and form.is_valid():
        levels = [level for name, level in form.cleaned_data["skills"] if name.strip()]
        named = list(zip(reading.names, levels, strict=True))
        try:
            skills.set_by_name(mine, by=request.user, named=named)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, " ".join([_("Your skills are saved."), *reading.told]))
            return go_to(request, reverse("accounts:skills"))
    rows = mine.profile_skills.all()
    context = {"form": form, "profile": mine, "rows": rows, "levels": ProfileSkill.Level}
    return _page(request, "skills", context)


@require_http_methods(["GET", "HEAD"])
@login_required
def sample_list(request: UserRequest) -> HttpResponse:
    """The samples in their order."""
    mine = selectors.profile_to_edit(request.user)
    rows = list(selectors.samples(mine))
    context = {"profile": mine, "samples": rows, "most": profiles.MOST_SAMPLES}
    return _page(request, "samples", context)


@GET_OR_POST
@login_required
def add_sample(request: UserRequest) -> HttpResponse:
    """One more sample."""
    mine = selectors.profile_to_edit(request.user)
    form = SampleForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            profiles.add_sample(mine, by=request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The sample is on your profile."))
            return go_to(request, reverse("accounts:samples"))
    return _page(request, "sample", {"form": form, "profile": mine, "item": None})


@GET_OR_POST
@login_required
def edit_sample(request: UserRequest, ref: str) -> HttpResponse:
    """Change a sample."""
    item = selectors.sample_to_edit(request.user, ref)
    form = SampleForm(request.POST or None, request.FILES or None, item=item)
    if form.is_valid():
        try:
            profiles.edit_sample(item, by=request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The sample is saved."))
            return go_to(request, reverse("accounts:samples"))
    return _page(request, "sample", {"form": form, "profile": item.profile, "item": item})


@require_POST
@login_required
def move_sample(request: UserRequest, ref: str) -> HttpResponse:
    """Swap a sample with the one above or below."""
    item = selectors.sample_to_edit(request.user, ref)
    profiles.move_sample(item, by=request.user, up=request.POST.get("to") == "up")
    return go_to(request, f"{reverse('accounts:samples')}#{item.ref}")


@GET_OR_POST
@login_required
def remove_sample(request: UserRequest, ref: str) -> HttpResponse:
    """Ask, then show a sample no longer."""
    item = selectors.sample_to_edit(request.user, ref)
    if request.method == "POST":
        profiles.remove_sample(item, by=request.user)
        messages.success(request, _("The sample is removed."))
        return go_to(request, reverse("accounts:samples"))
    return render(request, "accounts/remove_sample.html", {"item": item})


def _page(request: UserRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    form = context.get("form")
    tabs = [
        {"label": _("Profile"), "url": reverse("accounts:profile"), "current": name == "profile"},
        {"label": _("Skills"), "url": reverse("accounts:skills"), "current": name == "skills"},
        {
            "label": _("Samples"),
            "url": reverse("accounts:samples"),
            "current": name in {"samples", "sample"},
        },
    ]
    status = 422 if form is not None and form.errors else 200
    return render(
        request,
        f"accounts/{name}.html",
        {**context, "tabs": tabs, "side": "profile"},
        status=status,
    )
