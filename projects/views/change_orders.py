"""Extra rounds and extra work: asked for, priced, offered, and the answers to that."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.forms import Form
from marketplace.core.http import UserRequest, go_to, show
from payments.services.quotes import quote
from projects.forms.change_orders import PriceRoundForm, WantRoundForm, WorkForm
from projects.forms.refusals import show_refusal
from projects.models import ChangeOrder, Contract, Milestone
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.services import deliveries
from projects.services.change_orders import offers, rounds, terms
from projects.views.contracts import changed_meanwhile

METHODS = ["GET", "HEAD", "POST"]
Status = ChangeOrder.Status


@require_http_methods(METHODS)
@login_required
def extra_round(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """The client asks for changes beyond the included rounds."""
    seat, milestone = selectors.milestone_to_send_back(request.user, ref, n)
    form = WantRoundForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            order = offers.want_round(milestone, by=request.user, **form.cleaned_data)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _told(seat))
            return go_to(request, order.get_absolute_url())
    context = {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "form": form,
        "ready": milestone.status == Milestone.Status.SUBMITTED
        and deliveries.rounds_left(milestone) == 0
        and not rounds.is_extra_round(milestone),
        "answer_days": seat.contract.policy.proposal_answer_days,
    }
    status = 422 if form.errors else 200
    return show(request, "projects/extra_round.html", context, status=status)


@require_http_methods(METHODS)
@login_required
def offer(request: UserRequest, ref: str) -> HttpResponse:
    """Either side offers extra work."""
    seat = selectors.contract_to_end(request.user, ref)
    form = WorkForm(
        request.POST if request.method == "POST" else None, currency=seat.contract.currency
    )
    if form.is_bound and form.is_valid():
        try:
            order = offers.offer_work(seat.contract, by=request.user, **form.cleaned_data)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _told(seat))
            return go_to(request, order.get_absolute_url())
    context = {
        "seat": seat,
        "contract": seat.contract,
        "form": form,
        "open": selectors.open_order(seat.contract),
        "ready": seat.contract.status == Contract.Status.ACTIVE,
        "answer_days": seat.contract.policy.proposal_answer_days,
    }
    status = 422 if form.errors else 200
    return show(request, "projects/offer_work.html", context, status=status)


@require_http_methods(["GET", "HEAD"])
@login_required
def order(request: UserRequest, ref: str, order: str) -> HttpResponse:
    """What is asked or offered, what it costs each side, and how it ended."""
    seat, found = selectors.order_to_read(request.user, ref, order)
    return _page(request, seat, found)


@require_POST
@login_required
def price(request: UserRequest, ref: str, order: str) -> HttpResponse:
    """The freelancer prices a wish for a round, makes it extra work, or does it for nothing."""
    seat, found = selectors.order_to_answer(request.user, ref, order)
    if found.status != Status.WANTED:
        return changed_meanwhile(request, ref, InvalidTransition())
    how, currency = request.POST.get("how", ""), seat.contract.currency
    form: Form | None = None
    if how == "work":
        form = WorkForm(request.POST, currency=currency, auto_id="work_%s")
    elif how != "free":
        form = PriceRoundForm(request.POST, currency=currency)
    if form is None or form.is_valid():
        try:
            _price(found, form, by=request.user)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            # What is done for nothing is never refused for what was typed.
            form = form or PriceRoundForm({}, currency=currency)
            show_refusal(form, error)
        else:
            messages.success(request, _told(seat))
            return go_to(request, found.get_absolute_url())
    work = form if isinstance(form, WorkForm) else None
    return _page(request, seat, found, round_form=None if work else form, work=work)


def _price(order: ChangeOrder, form: Form | None, *, by: User) -> None:
    if form is None:
        offers.grant_round(order, by=by)
    elif isinstance(form, WorkForm):
        offers.turn_into_work(order, by=by, **form.cleaned_data)
    else:
        offers.price_round(order, by=by, **form.cleaned_data)


@require_POST
@login_required
def answer(request: UserRequest, ref: str, order: str) -> HttpResponse:
    """The other side agrees, and the client goes on to pay; or declines, or it is taken back."""
    seat, found = selectors.order_to_answer(request.user, ref, order)
    typed = request.POST.get("answer", "")
    try:
        if typed == "back":
            offers.take_back(found, by=request.user)
            told = _("Taken back.")
        elif typed in {"yes", "no"}:
            found = offers.answer(found, by=request.user, accept=typed == "yes")
            told = _("Agreed.") if typed == "yes" else _("Declined. Nothing changes.")
        else:
            return go_to(request, found.get_absolute_url())
    except InvalidTransition as error:
        return changed_meanwhile(request, ref, error)
    except DomainError as error:
        messages.error(request, str(error))
        return go_to(request, found.get_absolute_url())
    messages.success(request, told)
    if typed == "yes" and seat.is_client and found.milestone is not None:
        return go_to(request, reverse("projects:fund", args=[ref, found.milestone.position]))
    return go_to(request, found.get_absolute_url())


def _told(seat: Seat) -> str:
    return _("Sent. %(name)s has been told.") % {"name": seat.other.short_name}


def _page(
    request: UserRequest,
    seat: Seat,
    order: ChangeOrder,
    *,
    round_form: Form | None = None,
    work: Form | None = None,
) -> HttpResponse:
    contract, refused = seat.contract, round_form or work
    currency, amount = contract.currency, order.amount
    asked = order.status in ChangeOrder.ASKING
    context: dict[str, Any] = {
        "seat": seat,
        "contract": contract,
        "order": order,
        "mine": order.side == seat.side,
        "asked": asked,
        "form": refused,
        "round_form": round_form or PriceRoundForm(currency=currency),
        "work": work
        or WorkForm(currency=currency, initial={"body": order.body}, auto_id="work_%s"),
        "quote": None if amount is None else quote(amount, contract.policy),
        "due_on": order.milestone.due_on if order.milestone else order.due_if_paid(clock.now()),
        "terms": terms.text_of(order) if asked and amount is not None else "",
        "pay_days": contract.policy.change_order_pay_days,
    }
    status = 422 if refused else 200
    return show(request, "projects/change_order.html", context, status=status)
