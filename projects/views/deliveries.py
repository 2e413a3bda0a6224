"""Handing work over, sending it back, saying yes, calling it off."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.http import UserRequest, go_to, show
from projects.forms.deliveries import ApproveForm, CallOffForm, ChangesForm, DeliverForm
from projects.forms.refusals import show_refusal
from projects.models import Milestone
from projects.models.contracts import Side
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.services import approvals, deliveries, ending
from projects.services.change_orders import rounds
from projects.views.contracts import changed_meanwhile
from projects.views.keeping import forget, kept

METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(METHODS)
@login_required
def deliver(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Hand the work over for review."""
    seat, milestone = selectors.milestone_to_deliver(request.user, ref, n)
    form = DeliverForm(
        _posted(request),
        request.FILES or None,
        initial=kept(request, "deliver", milestone),
    )
    if request.method == "POST" and form.is_valid():
        answers = form.cleaned_data
        try:
            deliveries.deliver(
                milestone,
                by=request.user,
                note=answers["note"],
                link=answers["link"],
                uploads=answers["files"],
            )
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            forget(request, "deliver", milestone)
            messages.success(
                request,
                _("Delivered. %(client)s has been told.")
                % {"client": seat.contract.client.short_name},
            )
            return go_to(request, seat.contract.get_absolute_url())
    context = _context(seat, milestone, form) | {
        "unfunded": milestone.status in {Milestone.Status.PLANNED, Milestone.Status.FUNDING},
        "ready": milestone.status in deliveries.DELIVERABLE,
        "points": (vars(milestone)["delivered"] or {}).get("points"),
    }
    return show(request, "projects/deliver.html", context, status=_status(form))


@require_http_methods(METHODS)
@login_required
def changes(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Send a delivery back with what should change."""
    seat, milestone = selectors.milestone_to_send_back(request.user, ref, n)
    form = ChangesForm(_posted(request), initial=kept(request, "changes", milestone))
    if request.method == "POST" and form.is_valid():
        try:
            deliveries.ask_for_changes(milestone, by=request.user, **form.cleaned_data)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            forget(request, "changes", milestone)
            messages.success(
                request,
                _("Sent. %(freelancer)s has been told, and the review clock has stopped.")
                % {"freelancer": seat.contract.freelancer.short_name},
            )
            return go_to(request, seat.contract.get_absolute_url())
    context = _context(seat, milestone, form) | {
        "left": deliveries.rounds_left(milestone),
        "may_want": not rounds.is_extra_round(milestone),
        "ready": milestone.status == Milestone.Status.SUBMITTED,
    }
    return show(request, "projects/changes.html", context, status=_status(form))


@require_http_methods(METHODS)
@login_required
def approve(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Release the money of delivered work, with the sums above the button."""
    seat, milestone = selectors.milestone_to_approve(request.user, ref, n)
    form = ApproveForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            approvals.approve(milestone, by=request.user, seen_round=form.cleaned_data["round"])
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(
                request,
                _("%(amount)s is released to %(freelancer)s.")
                % {
                    "amount": money_text(milestone.amount),
                    "freelancer": seat.contract.freelancer.short_name,
                },
            )
            return go_to(request, seat.contract.get_absolute_url())
    delivered = vars(milestone)["delivered"]
    context = _context(seat, milestone, form) | {
        "ready": milestone.status == Milestone.Status.SUBMITTED,
        "round": delivered["round"] if delivered else 0,
    }
    return show(request, "projects/approve.html", context, status=_status(form))


# --- Calling it off -------------------------------------------------------------------------


@require_http_methods(METHODS)
@login_required
def call_off(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Call a milestone off whose money is held, or ask for it."""
    seat, milestone = selectors.milestone_to_move(request.user, ref, n)
    asks = seat.side is Side.CLIENT and not ending.is_very_late(milestone)
    form = CallOffForm(_posted(request)) if asks else None
    if request.method == "POST" and (form is None or form.is_valid()):
        reason = form.cleaned_data["reason"] if form else ""
        try:
            question = ending.call_off(milestone, by=request.user, reason=reason)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            return _call_off_page(request, seat, milestone, form, refused=str(error))
        messages.success(request, _("Asked.") if question else _("Called off."))
        return go_to(request, seat.contract.get_absolute_url())
    return _call_off_page(request, seat, milestone, form)


def _call_off_page(
    request: UserRequest,
    seat: Seat,
    milestone: Milestone,
    form: CallOffForm | None,
    *,
    refused: str = "",
) -> HttpResponse:
    question = ending.open_question(milestone)
    never_delivered = milestone.status == Milestone.Status.FUNDED
    context = _context(seat, milestone, form) | {
        "ready": milestone.status in Milestone.HELD
        and (seat.is_client or question is not None or never_delivered),
        "question": question,
        "answer_days": seat.contract.policy.cancel_answer_hours // 24,
        "never_delivered": never_delivered,
        "refused": refused,
    }
    status = 409 if refused else _status(form)
    return show(request, "projects/call_off.html", context, status=status)


@require_POST
@login_required
def answer_call_off(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """The freelancer agrees or declines, or the client takes the question back."""
    seat, milestone = selectors.milestone_to_move(request.user, ref, n)
    answer = request.POST.get("answer", "")
    try:
        if seat.is_client:
            ending.take_back(milestone, by=request.user)
            told = _("Taken back.")
        elif answer in {"yes", "no"}:
            ending.answer(milestone, by=request.user, accept=answer == "yes")
            told = _("Called off.") if answer == "yes" else _("Declined. The money stays held.")
        else:
            return go_to(request, reverse("projects:call-off", args=[ref, n]))
    except InvalidTransition as error:
        return changed_meanwhile(request, ref, error)
    messages.success(request, told)
    return go_to(request, seat.contract.get_absolute_url())


def _context(seat: Seat, milestone: Milestone, form: Any) -> dict[str, Any]:
    hold = milestone.hold
    return {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "hold": hold,
        "receives": hold.shares(hold.amount).to_payee if hold else None,
        "delivered": vars(milestone)["delivered"],
        "form": form,
    }


def _posted(request: UserRequest) -> QueryDict | None:
    """What was sent; an empty form was sent too."""
    return request.POST if request.method == "POST" else None


def _status(form: Any) -> int:
    return 422 if form is not None and form.errors else 200
