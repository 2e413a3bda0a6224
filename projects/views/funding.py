"""Setting money aside: the page before Stripe, and the page after."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.http import SeeOther, UserRequest, go_to, show, wants_part
from marketplace.core.limits import limited
from marketplace.core.money import Money
from payments.models import Funding
from payments.services.quotes import quote
from projects.models import Milestone
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.services import funding
from projects.views.contracts import changed_meanwhile

WAITING = {Milestone.Status.PLANNED, Milestone.Status.FUNDING}
# The page looks every three seconds, for a minute.
MOST_LOOKS = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("stripe", "POST")
def fund(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """What is paid, who holds it, what happens next; then to Stripe."""
    seat, milestone = selectors.milestone_to_fund(request.user, ref, n)
    if request.method == "POST":
        try:
            url = funding.start_payment(milestone, by=request.user)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        # Without an address Stripe is away, or the money is on its way: the page knows which.
        return SeeOther(url or request.path)
    context = _context(seat, milestone) | {
        "quote": quote(milestone.amount, seat.contract.policy),
        "cancelled": "cancelled" in request.GET,
        "answer_days": seat.contract.policy.cancel_answer_hours // 24,
    }
    return show(request, "projects/fund.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("stripe", "POST")
def fund_together(request: UserRequest, ref: str) -> HttpResponse:
    """One payment for every milestone that can be funded now; then to Stripe."""
    seat = selectors.contract_to_reward(request.user, ref)
    if request.method == "POST":
        try:
            url = funding.start_payment_together(seat.contract, by=request.user)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        return SeeOther(url or request.path)
    waiting = [step for step in selectors.milestones_of(seat.contract) if step.status in WAITING]
    steps = funding.fundable(seat.contract, waiting)
    policy, joint = seat.contract.policy, selectors.newest_payment(seat.contract)
    quotes = [(step, quote(step.amount, policy)) for step in steps]
    zero = Money.zero(seat.contract.currency)
    context = {
        "seat": seat,
        "contract": seat.contract,
        "quotes": quotes,
        "left_out": [step for step in waiting if step not in steps],
        "fees": sum((each.client_fee for _step, each in quotes), zero),
        "total": sum((each.client_pays for _step, each in quotes), zero),
        "bps": policy.client_fee_bps,
        "longest": policy.milestone_longest_days,
        "cancelled": "cancelled" in request.GET,
        "stripe_away": joint is not None and joint.tried.status == Funding.Status.STARTING,
        "processing": joint is not None and joint.tried.status == Funding.Status.PROCESSING,
    }
    return show(request, "projects/fund_together.html", context)


@require_safe
@login_required
def back(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Back from Stripe. Looking changes nothing: what counts is what Stripe told us."""
    seat, milestone = selectors.milestone_to_fund(request.user, ref, n)
    context = _context(seat, milestone) | _looks(request.GET.get("n", "0"))
    return show(request, "projects/fund_return.html", context, part="projects/_fund_return.html")


@require_POST
@login_required
@limited("stripe")
def confirm(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Ask Stripe now what came of it; the same record as the webhook makes."""
    _seat, milestone = selectors.milestone_to_fund(request.user, ref, n)
    funding.look_again(milestone)
    if not wants_part(request):
        return go_to(request, reverse("projects:fund-return", args=[ref, n]) + "?n=1")
    seat, milestone = selectors.milestone_to_fund(request.user, ref, n)
    return show(request, "projects/_fund_return.html", _context(seat, milestone) | _looks("1"))


@require_POST
@login_required
def ask(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """The freelancer asks the client to fund a milestone."""
    seat, milestone = selectors.milestone_to_deliver(request.user, ref, n)
    try:
        funding.ask_to_fund(milestone, by=request.user)
        messages.success(
            request, _("We told %(client)s.") % {"client": seat.contract.client.short_name}
        )
    except InvalidTransition as error:
        return changed_meanwhile(request, ref, error)
    except DomainError as error:
        messages.error(request, str(error))
    return go_to(request, seat.contract.get_absolute_url())


def _context(seat: Seat, milestone: Milestone) -> dict[str, Any]:
    tried = selectors.last_try(milestone)
    status = Funding.Status
    return {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "hold": milestone.hold,
        "tried": tried,
        "together": selectors.paid_for(tried).steps if tried else [],
        # Nobody has paid before, so the money is here once the milestone is past funding.
        "set_aside": milestone.status
        not in {Milestone.Status.PLANNED, Milestone.Status.FUNDING, Milestone.Status.CANCELLED},
        "dropped": milestone.status == Milestone.Status.CANCELLED,
        "stripe_away": tried is not None and tried.status == status.STARTING,
        "processing": tried is not None and tried.status == status.PROCESSING,
        "failed": tried is not None and tried.status == status.EXPIRED,
    }


def _looks(typed: str) -> dict[str, Any]:
    n = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
    return {"look": n, "next_look": n + 1, "gives_up": n >= MOST_LOOKS}
