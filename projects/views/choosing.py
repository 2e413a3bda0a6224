"""The client's side of a hiring round: read, keep, turn down, compare, hire."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show, wants_part
from payments.services import policies
from payments.services.quotes import quote
from projects.forms.choosing import DeclineForm, HireForm
from projects.forms.refusals import show_refusal
from projects.models import Bid
from projects.selectors import bids as selectors
from projects.selectors.projects import project_to_manage
from projects.services import bidding, choosing
from projects.services.contracts import MilestonePlan, terms_before

# The name of the button that shows the page again with room for more milestones.
AGAIN = "again"
SPARE_ROWS = 2


@require_safe
@login_required
def manage(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """The bids of one project, and what can be done with the project itself."""
    project = project_to_manage(request.user, ref)
    tab = request.GET.get("tab", "")
    tab = tab if tab in selectors.TABS else "new"
    after = request.GET.get("after", "")
    bids, following = selectors.bids_on(project, tab, after=after)
    counts = selectors.tab_counts(project)
    tabs = [
        {"name": "new", "label": _("New"), "count": counts.new, "new": counts.unread},
        {"name": "shortlist", "label": _("Shortlist"), "count": counts.shortlist, "new": 0},
        {"name": "not-chosen", "label": _("Not chosen"), "count": counts.not_chosen, "new": 0},
    ]
    context = {
        "project": project,
        "bids": bids,
        "tab": tab,
        "tabs": [
            one | {"url": f"?tab={one['name']}", "current": one["name"] == tab} for one in tabs
        ],
        "counts": counts,
        "contract_ref": vars(project)["contract_ref"],
        "next_url": f"?tab={tab}&after={following}" if following else "",
        "first_url": f"?tab={tab}" if after else "",
    }
    return show(request, "projects/manage.html", context)


@require_safe
@login_required
def compare(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """Up to four bids side by side."""
    project = project_to_manage(request.user, ref)
    refs = request.GET.getlist("b")
    bids = selectors.bids_to_compare(project, refs)
    policy = policies.current()
    columns = [
        {
            "bid": bid,
            "quote": quote(bid.price, policy),
            "without": "?" + "&".join(f"b={other.ref}" for other in bids if other != bid),
        }
        for bid in bids
    ]
    context = {
        "project": project,
        "columns": columns,
        "counts": selectors.tab_counts(project),
        "left_out": len(set(refs)) - len(bids),
    }
    return show(request, "projects/compare.html", context)


@require_POST
@login_required
def names(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """Hide the names of bids until they are on the short list (`hide=yes`), or show them."""
    project = project_to_manage(request.user, ref)
    hide = request.POST.get("hide") == "yes"
    try:
        choosing.set_blind(project, by=request.user, hide=hide)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        done = _("Names are hidden now.") if hide else _("Names are shown now.")
        messages.success(request, done)
    return go_to(request, reverse("projects:manage", args=[project.slug, project.ref]))


# --- One bid --------------------------------------------------------------------------------


@require_POST
@login_required
def read(request: UserRequest, ref: str) -> HttpResponse:
    """The client's browser says that the bid is open on the screen."""
    bidding.mark_read(selectors.bid_to_choose(request.user, ref), by=request.user)
    return HttpResponse(status=204)


@require_POST
@login_required
def shortlist(request: UserRequest, ref: str) -> HttpResponse:
    """Put a bid on the short list."""
    return _choose(request, ref, choosing.shortlist, _("On your short list."))


@require_POST
@login_required
def unshortlist(request: UserRequest, ref: str) -> HttpResponse:
    """Take a bid off the short list."""
    return _choose(request, ref, choosing.unshortlist, _("Off your short list."))


@require_POST
@login_required
def reconsider(request: UserRequest, ref: str) -> HttpResponse:
    """Take back a “not chosen”."""
    return _choose(request, ref, choosing.reconsider, _("Back among the new bids."))


def _choose(request: UserRequest, ref: str, service: Callable[..., Bid], done: str) -> HttpResponse:
    bid = selectors.bid_to_choose(request.user, ref)
    refused = ""
    try:
        bid = service(bid, by=request.user)
    except DomainError as error:
        refused = str(error)
    if wants_part(request):
        bid = selectors.bid_to_choose(request.user, ref)
        context = {"bid": bid, "refused": refused}
        return show(request, "projects/_choice.html", context, status=409 if refused else 200)
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, done)
    return go_to(request, _bids_url(bid))


def _bids_url(bid: Bid) -> str:
    return reverse("projects:manage", args=[bid.project.slug, bid.project.ref])


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def decline(request: UserRequest, ref: str) -> HttpResponse:
    """Turn a bid down, with a reason."""
    bid = selectors.bid_to_choose(request.user, ref)
    form = DeclineForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            choosing.decline(bid, by=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, _("%(name)s is told.") % {"name": bid.freelancer.short_name})
            return go_to(request, _bids_url(bid))
        except DomainError as error:
            show_refusal(form, error)
    context = {"bid": bid, "project": bid.project, "form": form}
    return show(request, "projects/decline.html", context, status=422 if form.errors else 200)


# --- Hiring ---------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def hire(request: UserRequest, slug: str, ref: str, bid: str) -> HttpResponse:
    """Agree on milestones and terms; then comes the money of the first one."""
    offer = selectors.bid_to_hire(request.user, ref, bid)
    contract_ref = vars(offer)["contract_ref"]
    if contract_ref:
        return redirect("projects:contract", contract_ref)
    if request.method == "POST" and AGAIN not in request.POST:
        return _agree(request, offer)
    plan = choosing.proposed_plan(offer)
    if request.method == "POST":
        form = HireForm(currency=offer.currency, initial=request.POST.dict(), spare=SPARE_ROWS)
    else:
        rows = [vars(step) for step in plan]
        form = HireForm(currency=offer.currency, plan=rows, spare=SPARE_ROWS)
    return _terms(request, offer, form, plan)


def _agree(request: UserRequest, offer: Bid) -> HttpResponse:
    form = HireForm(request.POST, currency=offer.currency)
    if not form.is_valid():
        return _terms(request, offer, form, choosing.proposed_plan(offer), status=422)
    try:
        contract = choosing.hire(
            offer,
            by=request.user,
            milestones=form.plan(),
            seen_version=form.cleaned_data["seen_version"],
        )
    except DomainError as error:
        show_refusal(form, error, **form.names())
        # The page shows the bid as it is now, and its version with it.
        now = selectors.bid_to_hire(request.user, offer.project.ref, offer.ref)
        return _terms(request, now, form, form.plan(), status=error.status)
    return go_to(request, reverse("projects:fund", args=[contract.ref, 1]))


def _terms(
    request: UserRequest,
    offer: Bid,
    form: HireForm,
    plan: list[MilestonePlan],
    *,
    status: int = 200,
) -> HttpResponse:
    policy = policies.current()
    context = {
        "bid": offer,
        "project": offer.project,
        "form": form,
        "quote": quote(offer.price, policy),
        "policy": policy,
        "terms": terms_before(offer, by=request.user, milestones=plan),
    }
    return show(request, "projects/hire.html", context, status=status)
