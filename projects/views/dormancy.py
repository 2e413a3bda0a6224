"""Held money nobody did anything about: what the reader can say, and what silence does."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.core.errors import InvalidTransition
from marketplace.core.http import UserRequest, go_to, show
from projects.models import Milestone
from projects.selectors import contracts as selectors
from projects.services import dormancy
from projects.views.contracts import changed_meanwhile

Stage = Milestone.Dormancy
ANSWERS: dict[str, Callable[..., None]] = {
    "go-on": dormancy.go_on,
    "ask": dormancy.ask_for_release,
    "pay": dormancy.pay,
    "decline": dormancy.decline,
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def dormant(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Whose turn it is, until when, what follows; and the answers as buttons."""
    seat, milestone = selectors.milestone_to_move(request.user, ref, n)
    if request.method == "POST":
        answer = ANSWERS.get(request.POST.get("answer", ""))
        if answer is None:
            return changed_meanwhile(request, ref, InvalidTransition())
        try:
            answer(milestone, by=request.user)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        messages.success(
            request, _("Done. %(name)s has been told.") % {"name": seat.other.short_name}
        )
        return go_to(request, seat.contract.get_absolute_url())
    context = {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "hold": milestone.hold,
        "asleep": milestone.status in dormancy.CAN_SLEEP and milestone.dormant in dormancy.WAITS,
        "told_for": dormancy.asleep_at(milestone),
        "delivered": vars(milestone)["delivered"] is not None,
        "policy": seat.contract.policy,
    }
    return show(request, "projects/dormant.html", context)
