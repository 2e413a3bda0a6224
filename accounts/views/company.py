"""Billing details, companies, members and invitations."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import selectors
from accounts.forms import refuse
from accounts.forms.company import DetailsForm, FoundForm, InviteForm, RightsForm
from accounts.models import Membership, Party
from accounts.services import memberships, parties, people
from accounts.views.profile import GET_OR_POST
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to


@GET_OR_POST
@login_required
def company(request: UserRequest) -> HttpResponse:
    """The details of whom one bills or hires for now."""
    party = selectors.billing_party(request.user)
    may_manage = selectors.acts_for(request.user, party, "manage")
    form = DetailsForm(request.POST or None, party=party)
    if form.is_valid():
        try:
            parties.update_details(party, by=request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The details are saved."))
            return go_to(request, reverse("accounts:company"))
    return _page(request, "company", party, {"form": form, "may_manage": may_manage})


@GET_OR_POST
@login_required
def new_company(request: UserRequest) -> HttpResponse:
    """Set a company up and hire for it from now on."""
    form = FoundForm(request.POST or None)
    if form.is_valid():
        try:
            founded = people.found_company(request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            people.switch_side(request.user, side="hire")
            messages.success(
                request, _("You hire for %(company)s from now on.") % {"company": founded.name}
            )
            return go_to(request, reverse("accounts:company"))
    status = 422 if form.errors else 200
    return render(request, "accounts/new_company.html", {"form": form}, status=status)


@require_POST
@login_required
def hire_for(request: UserRequest) -> HttpResponse:
    """Hire for another company, or for oneself."""
    party = selectors.party_to_act_for(request.user, request.POST.get("party", ""))
    people.hire_for(request.user, party=party)
    return go_to(request, reverse("accounts:company"))


@GET_OR_POST
@login_required
def members(request: UserRequest) -> HttpResponse:
    """Who may do what for the company; managers invite here."""
    party = selectors.hiring_party(request.user)
    may_manage = selectors.acts_for(request.user, party, "manage")
    form = InviteForm(request.POST or None, initial={"rights": ["post", "hire"]})
    if form.is_valid():
        try:
            memberships.invite(party, by=request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(
                request,
                _("An invitation is on its way to %(email)s.") % form.cleaned_data,
            )
            return go_to(request, reverse("accounts:members"))
    rows = list(selectors.members(party))
    return _page(
        request, "members", party, {"form": form, "members": rows, "may_manage": may_manage}
    )


@GET_OR_POST
@login_required
def member(request: UserRequest, ref: str) -> HttpResponse:
    """The rights of one member."""
    party = selectors.hiring_party(request.user)
    membership = selectors.membership_to_change(request.user, party, ref)
    form = RightsForm(request.POST or None, initial={"rights": _rights(membership)})
    if form.is_valid():
        try:
            memberships.set_rights(membership, by=request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The rights are saved."))
            return go_to(request, reverse("accounts:members"))
    context = {
        "form": form,
        "membership": membership,
        "may_manage": selectors.acts_for(request.user, party, "manage"),
    }
    return _page(request, "member", party, context)


@GET_OR_POST
@login_required
def remove_member(request: UserRequest, ref: str) -> HttpResponse:
    """Ask, then end a membership; for oneself this is leaving."""
    party = selectors.hiring_party(request.user)
    membership = selectors.membership_to_change(request.user, party, ref)
    if request.method == "POST":
        try:
            memberships.remove_member(membership, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The membership has ended."))
        return go_to(request, reverse("accounts:members"))
    return render(
        request, "accounts/remove_member.html", {"party": party, "membership": membership}
    )


@GET_OR_POST
@login_required
def accept_invitation(request: UserRequest, token: str) -> HttpResponse:
    """What one would be able to do, and the button to accept it."""
    try:
        said = memberships.read_invitation(token)
        if request.method == "POST":
            party = memberships.accept_invitation(request.user, token=token)
            messages.success(
                request, _("You hire for %(company)s from now on.") % {"company": party.name}
            )
            return go_to(request, reverse("accounts:company"))
    except DomainError as error:
        refused = {"problem": str(error)}
        return render(request, "accounts/invitation.html", refused, status=error.status)
    context = {"party": selectors.party_of_invitation(said["party"]), "said": said}
    return render(request, "accounts/invitation.html", context)


def _rights(membership: Membership) -> list[str]:
    return [right for right in memberships.RIGHTS if getattr(membership, f"can_{right}")]


def _page(request: UserRequest, name: str, party: Party, context: dict[str, Any]) -> HttpResponse:
    tabs = [
        {"label": _("Details"), "url": reverse("accounts:company"), "current": name == "company"},
        {
            "label": _("Members"),
            "url": reverse("accounts:members"),
            "current": name in {"members", "member"},
        },
    ]
    context |= {
        "party": party,
        "is_company": party.kind == Party.Kind.ORGANISATION,
        "tabs": tabs,
        "parties": list(selectors.parties_of(request.user).order_by("kind", "name")),
    }
    status = 422 if context["form"].errors else 200
    return render(request, f"accounts/{name}.html", context, status=status)
