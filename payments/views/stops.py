"""Why a client may not publish, and their side of it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show
from payments.forms import AppealForm
from payments.selectors import stops as selectors
from payments.services import stops as services


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def stops(request: UserRequest) -> HttpResponse:
    """Every stop of the user's parties: what for, what settles it, and an appeal."""
    form, ref = AppealForm(), ""
    if request.method == "POST":
        stop = selectors.stop_to_appeal(request.user, request.POST.get("stop", ""))
        ref = stop.ref
        form = _form_of(ref, request.POST)
        if form.is_valid():
            try:
                services.appeal(stop, by=request.user, **form.cleaned_data)
            except DomainError as error:
                form.add_error("said" if error.field == "said" else None, str(error))
            else:
                messages.success(request, _("Sent. A person of ours reads it and answers."))
                return go_to(request, reverse("payments:stops"))
    rows = [
        (row, form if row.stop.ref == ref else _form_of(row.stop.ref))
        for row in selectors.stops_of(request.user)
    ]
    context = {"rows": rows, "form": form}
    return show(request, "payments/stops.html", context, status=422 if form.errors else 200)


def _form_of(ref: str, data: Any = None) -> AppealForm:
    """A form of its own for each stop, so that no two fields of the page have one name."""
    return AppealForm(data, auto_id=f"id_%s_{ref}")
