"""A bonus: the page before Stripe, and the same page after."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.core.errors import DomainError
from marketplace.core.http import SeeOther, UserRequest, go_to, show
from marketplace.core.limits import answered, limited, spend_for
from projects.forms.proposals import BonusForm
from projects.forms.refusals import show_refusal
from projects.selectors import contracts as selectors
from projects.selectors.workspace import workspace_of
from projects.services import bonuses


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bonus(request: UserRequest, ref: str) -> HttpResponse:
    """Pay something on top, and see what was paid before."""
    seat = selectors.contract_to_reward(request.user, ref)
    form = BonusForm(
        request.POST if request.method == "POST" else None, currency=seat.contract.currency
    )
    again_in = spend_for(form, "stripe", request) if form.is_bound and form.is_valid() else 0
    if form.is_bound and form.is_valid():
        try:
            url = bonuses.start_payment(seat.contract, by=request.user, **form.cleaned_data)
            # Without an address Stripe is away: the page says that a payment is on its way.
            return SeeOther(url or request.path)
        except DomainError as error:
            show_refusal(form, error)
    context = {
        "seat": seat,
        "contract": seat.contract,
        "form": form,
        "paid": workspace_of(seat).bonuses,
        "running": selectors.bonus_on_its_way(seat.contract),
        "cancelled": "cancelled" in request.GET,
        "ready": bonuses.can_give(seat.contract),
    }
    answer = show(request, "projects/bonus.html", context, status=422 if form.errors else 200)
    return answered(answer, again_in)


@require_POST
@login_required
@limited("stripe")
def confirm(request: UserRequest, ref: str) -> HttpResponse:
    """Ask Stripe now what came of it; the same record as the webhook makes."""
    seat = selectors.contract_to_reward(request.user, ref)
    bonuses.look_again(seat.contract)
    return go_to(request, reverse("projects:bonus", args=[ref]))
