"""Bidding: the form everybody may fill, and what becomes of a bid."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from marketplace.core import drafts
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show, wants_part
from marketplace.core.money import Money
from payments.services.quotes import quote
from projects.forms.bidding import (
    SPARE_ROWS,
    BidForm,
    IntroductionForm,
    answers_of,
)
from projects.forms.refusals import show_refusal
from projects.models import Bid, Project
from projects.selectors import bids as selectors
from projects.selectors.projects import project_to_bid_on
from projects.services import bidding
from projects.services.introducing import introduce
from projects.views.joining import join_first

KIND = "bid"
# The name of the button that shows the page again, with sums and more rows.
AGAIN = "again"
# What a draft keeps of one answer, and how many answers.
LONGEST_ANSWER = 4000
MOST_ANSWERS = 80


def bid_form(project: Project, data: Any = None, **more: Any) -> BidForm:
    """The form for a bid on this project."""
    return BidForm(data, currency=project.currency, ai_policy=project.ai_policy, **more)


def form_from_draft(request: HttpRequest, project: Project) -> BidForm:
    """The form with what the reader typed before; a complete one can show its sums at once."""
    draft = drafts.find(request, KIND, subject=project.ref)
    if draft:
        form = bid_form(project, draft.values, spare=SPARE_ROWS)
        if form.is_valid():
            return form
    return bid_form(project, initial=draft.values if draft else {}, spare=SPARE_ROWS)


# --- Sending --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def bid(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """Write a bid. A visitor's bid waits in a draft until they have joined."""
    project = project_to_bid_on(request.user, ref)
    own = vars(project)
    if own["own_bid_status"] not in {None, Bid.Status.WITHDRAWN}:
        return redirect("projects:bid-detail", own["own_bid_ref"])
    if request.method == "POST":
        return _send(request, project)
    form = form_from_draft(request, project)
    return _page(request, project, form, _introduction(request.user))


def _send(request: HttpRequest, project: Project) -> HttpResponse:
    form = bid_form(project, request.POST)
    _keep(request, project)
    is_fit = form.is_valid()
    if AGAIN in request.POST:
        return _show_again(request, project, form)
    if isinstance(request.user, AnonymousUser):
        if is_fit:
            return join_first(request, come_back_to=request.path)
        return _page(request, project, form, None)
    introduction = _introduction(request.user, request.POST)
    if is_fit and (introduction is None or introduction.is_valid()):
        sent = _introduce_and_send(request.user, project, form, introduction)
        if sent:
            drafts.forget(request, KIND, subject=project.ref)
            messages.success(request, _("Your bid is sent."))
            return go_to(request, sent.get_absolute_url())
    return _page(request, project, form, introduction)


def _introduce_and_send(
    user: User, project: Project, form: BidForm, introduction: IntroductionForm | None
) -> Bid | None:
    """The bid, or None with the reason on one of the forms."""
    if introduction:
        try:
            introduce(user, **introduction.said())
        except DomainError as error:
            show_refusal(introduction, error)
            return None
    try:
        return bidding.send_bid(project, by=user, **form.offer())
    except DomainError as error:
        show_refusal(form, error, price="amount")
        return None


def _show_again(request: HttpRequest, project: Project, checked: BidForm) -> HttpResponse:
    """Without JavaScript: the sums for this price, and room for more milestones."""
    form = bid_form(project, initial=request.POST.dict(), spare=SPARE_ROWS)
    introduction = _introduction(request.user)
    if introduction:
        introduction.initial = request.POST.dict()
    return _page(request, project, form, introduction, price=checked.cleaned_data.get("amount"))


def _introduction(reader: User | AnonymousUser, data: Any = None) -> IntroductionForm | None:
    """Asked once, of people whose profile says nothing yet."""
    if isinstance(reader, AnonymousUser) or selectors.is_introduced(reader):
        return None
    return IntroductionForm(data if data and "headline" in data else None)


def _page(
    request: HttpRequest,
    project: Project,
    form: BidForm,
    introduction: IntroductionForm | None,
    *,
    price: Money | None = None,
) -> HttpResponse:
    if form.is_bound:
        price = form.cleaned_data.get("amount")
    wrong = form.errors or (introduction and introduction.errors)
    context = {
        "project": project,
        "form": form,
        "introduction": introduction,
        "quote": quote(price) if price else None,
    }
    return show(request, "projects/bid.html", context, status=422 if wrong else 200)


@require_safe
def bid_quote(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """What a price means for both sides; htmx puts it beside the price while one types."""
    project = project_to_bid_on(request.user, ref)
    form = bid_form(project, request.GET)
    form.full_clean()
    price = form.cleaned_data.get("amount")
    context = {
        "project": project,
        "quote": quote(price) if price else None,
        "problem": "" if price or not request.GET.get("amount") else form.errors["amount"][0],
        "oob": wants_part(request),
    }
    return show(request, "projects/bid_quote.html", context, part="projects/_bid_quote.html")


@require_POST
def keep_draft(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """Keep what is typed so far; nothing is checked, nothing is shown."""
    _keep(request, project_to_bid_on(request.user, ref))
    return HttpResponse(status=204)


def _keep(request: HttpRequest, project: Project) -> None:
    names = [name for name in request.POST if name != "csrfmiddlewaretoken"][:MOST_ANSWERS]
    kept: Mapping[str, str] = {
        name[:40]: request.POST[name][:LONGEST_ANSWER] for name in names if request.POST[name]
    }
    drafts.save(request, KIND, dict(kept), subject=project.ref)


# --- Afterwards -----------------------------------------------------------------------------


@require_safe
@login_required
def bids(request: UserRequest) -> HttpResponse:
    """The freelancer's own bids and what became of them."""
    group = request.GET.get("show", "")
    group = group if group in selectors.GROUPS else ""
    after = request.GET.get("after", "")
    rows, following = selectors.bids_of(request.user, group, after=after)
    counts = selectors.bid_counts(request.user)
    labels = {"": _("All"), "waiting": _("Waiting"), "won": _("Accepted"), "ended": _("Ended")}
    tabs = [
        {
            "label": label,
            "url": f"?show={name}" if name else request.path,
            "current": name == group,
            "count": counts.get(name, sum(counts.values())),
        }
        for name, label in labels.items()
    ]
    context = {
        "bids": rows,
        "tabs": tabs,
        "next_url": f"?show={group}&after={following}" if following else "",
        "first_url": f"?show={group}" if after else "",
    }
    return show(request, "projects/bids.html", context)


@require_safe
@login_required
def bid_detail(request: UserRequest, ref: str) -> HttpResponse:
    """One bid, for its freelancer or for the client."""
    bid = selectors.bid_to_see(request.user, ref)
    context = {
        "bid": bid,
        "project": bid.project,
        "milestones": selectors.milestones_of(bid),
        "quote": quote(bid.price),
    }
    return show(request, "projects/bid_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_bid(request: UserRequest, ref: str) -> HttpResponse:
    """Change a bid nobody has answered."""
    bid = selectors.bid_to_change(request.user, ref)
    plan = [
        {"title": step.title, "amount": step.amount, "days": step.days}
        for step in selectors.milestones_of(bid)
    ]
    if request.method == "POST":
        form = bid_form(bid.project, request.POST)
    else:
        form = bid_form(bid.project, initial=answers_of(bid), plan=plan, spare=SPARE_ROWS)
    if form.is_valid():
        try:
            bidding.edit_bid(bid, by=request.user, **form.offer())
            messages.success(request, _("Your bid is changed."))
            return go_to(request, bid.get_absolute_url())
        except DomainError as error:
            show_refusal(form, error, price="amount")
    price = form.cleaned_data.get("amount", bid.price) if form.is_bound else bid.price
    context = {"bid": bid, "project": bid.project, "form": form, "quote": quote(price)}
    return show(request, "projects/bid_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def withdraw_bid(request: UserRequest, ref: str) -> HttpResponse:
    """Take a bid back, after a page that says what follows."""
    bid = selectors.bid_to_change(request.user, ref)
    refused = ""
    if request.method == "POST":
        try:
            bidding.withdraw_bid(bid, by=request.user)
            messages.success(request, _("Your bid is withdrawn."))
            return go_to(request, bid.get_absolute_url())
        except DomainError as error:
            refused = str(error)
    context = {"bid": bid, "project": bid.project, "refused": refused}
    return show(request, "projects/bid_withdraw.html", context, status=409 if refused else 200)
