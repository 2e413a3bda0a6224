"""What people decide about suggestions."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.views.settings import tabs
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show
from matching import wish_services
from matching.forms import WishesForm
from matching.selectors import matches, wishes
from projects.forms.refusals import show_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: UserRequest) -> HttpResponse:
    """`/settings/suggestions/`: on or off, what may be used, and what counts."""
    party = request.user.own_party
    data = request.POST if request.method == "POST" else None
    form = WishesForm(data, wishes=wishes.of(party))
    if form.is_valid():
        try:
            wish_services.set_wishes(party, by=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Saved. Your list follows in a few seconds."))
            return go_to(request, reverse("matching:settings"))
    context = {
        "form": form,
        "tabs": tabs("suggestions"),
        "appeals": matches.appeals_of(request.user),
        "is_on": matches.is_on(),
    }
    status = 422 if form.errors else 200
    return show(request, "matching/settings.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def forget(request: UserRequest) -> HttpResponse:
    """`/settings/suggestions/forget/`: delete what matching keeps about me, after a question."""
    if request.method == "POST":
        wish_services.forget_history(request.user.own_party, by=request.user)
        messages.success(request, _("Your match history is deleted."))
        return go_to(request, reverse("matching:settings"))
    return show(request, "matching/forget.html", {})
