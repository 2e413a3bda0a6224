"""Giving released money back: an amount, then a page that says exactly what moves."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.http import UserRequest, go_to, show
from marketplace.core.limits import answered, spend_for
from marketplace.core.money import Money
from payments.models import GiveBack
from payments.services import givebacks
from projects.forms.giving_back import ConfirmGiveBackForm, GiveBackForm
from projects.forms.refusals import show_refusal
from projects.models import Milestone
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.services import ending, giving_back
from projects.views.contracts import changed_meanwhile


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def give_back(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Choose how much, read who gets what, then give it back; it cannot be undone."""
    seat, milestone = selectors.milestone_to_return(request.user, ref, n)
    hold = milestone.hold
    if hold is None or not givebacks.can_give_back(hold):
        closed = {"seat": seat, "contract": seat.contract, "milestone": milestone}
        status = 409 if request.method == "POST" else 200
        return show(request, "projects/give_back.html", closed, status=status)
    if request.method == "POST":
        sure = ConfirmGiveBackForm(request.POST, left=hold.kept)
        if not sure.is_valid():
            return _page(request, seat, milestone, sure)
        seen = Money(sure.cleaned_data["seen"], hold.currency)
        try:
            given = giving_back.give_back(
                milestone, by=request.user, amount=sure.cleaned_data["amount"], seen=seen
            )
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(sure, error)
            return _page(request, seat, milestone, sure)
        _say(request, seat, given)
        return go_to(request, seat.contract.get_absolute_url())
    form = GiveBackForm(request.GET if "amount" in request.GET else None, left=hold.kept)
    return _page(request, seat, milestone, form)


def _page(
    request: UserRequest, seat: Seat, milestone: Milestone, form: GiveBackForm
) -> HttpResponse:
    hold = milestone.hold
    assert hold is not None  # noqa: S101 - the view has looked
    context: dict[str, Any] = {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "hold": hold,
        "form": form,
        "ready": True,
        "until": hold.returnable_until(seat.contract.policy),
    }
    if form.is_bound and form.is_valid():
        amount = form.cleaned_data["amount"]
        if amount.minor and amount <= hold.kept:
            context |= {"amount": amount, "parts": givebacks.what_moves(hold, amount)}
        else:
            form.add_error(
                "amount",
                _("Enter an amount between zero and %(all)s") % {"all": money_text(hold.kept)},
            )
    status = 422 if form.errors else 200
    return show(request, "projects/give_back.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def return_part(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Choose how much of held money goes back, read what stays held, then give it back."""
    seat, milestone = selectors.milestone_to_return(request.user, ref, n)
    context: dict[str, Any] = {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "ready": milestone.status in Milestone.HELD,
    }
    if not context["ready"]:
        status = 409 if request.method == "POST" else 200
        return show(request, "projects/return_part.html", context, status=status)
    if request.method == "POST":
        form: GiveBackForm = ConfirmGiveBackForm(request.POST, left=milestone.amount)
    else:
        typed = request.GET if "amount" in request.GET else None
        form = GiveBackForm(typed, left=milestone.amount, initial={"amount": None})
    again_in = 0
    if request.method == "POST" and form.is_valid():
        again_in = spend_for(form, "stripe", request)
    if form.is_bound and form.is_valid():
        try:
            context |= ending.what_returns(milestone, form.cleaned_data["amount"])
            if request.method == "POST":
                seen = Money(form.cleaned_data["seen"], seat.contract.currency)
                given = ending.return_part(
                    milestone, by=request.user, amount=form.cleaned_data["amount"], seen=seen
                )
                words = {
                    "client": seat.contract.client.short_name,
                    "amount": money_text(given.to_payer),
                }
                messages.success(request, _("%(amount)s go back to %(client)s.") % words)
                return go_to(request, seat.contract.get_absolute_url())
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
    status = 422 if form.errors else 200
    answer = show(request, "projects/return_part.html", context | {"form": form}, status=status)
    return answered(answer, again_in)


def _say(request: UserRequest, seat: Seat, given: GiveBack) -> None:
    """What came of it, in one sentence."""
    words = {"client": seat.contract.client.short_name, "amount": money_text(given.to_payer)}
    if given.status == GiveBack.Status.DONE:
        messages.success(request, _("%(amount)s go back to %(client)s.") % words)
    elif given.status == GiveBack.Status.COLLECTING:
        messages.success(
            request,
            _("We are taking it back from your payout account. We tell you when it has come.")
            % words,
        )
    else:
        messages.error(
            request,
            _(
                "Nothing was given back: your account at Stripe does not have that much now. Wait "
                "for your next payment, or choose a lower amount."
            ),
        )
