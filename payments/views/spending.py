"""What a client has spent, by purchase order, contract or month."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marketplace.core.http import UserRequest
from marketplace.core.limits import limited
from payments.forms import SpendingForm
from payments.selectors import spending as selectors
from payments.services import exports
from payments.views.answers import download


@require_safe
@login_required
def spending(request: UserRequest) -> HttpResponse:
    """Totals with their sums; the filter is in the address."""
    form = SpendingForm(request.GET)
    asked = _asked(form)
    totals = selectors.spending_by(request.user, asked)
    kept = {name: form.data.get(name, "") for name in form.fields}
    context = {
        "form": form,
        "asked": asked,
        "totals": totals,
        "sums": selectors.sums(totals),
        "query": urlencode({name: value for name, value in kept.items() if value}),
    }
    status = 422 if form.errors else 200
    return render(request, "payments/spending.html", context, status=status)


@require_safe
@login_required
@limited("export")
def spending_csv(request: UserRequest) -> HttpResponse:
    """The same for a spreadsheet."""
    asked = _asked(SpendingForm(request.GET))
    made = exports.spending_csv(asked.by, selectors.spending_by(request.user, asked))
    return download(made, "text/csv; charset=utf-8", f"spending-by-{asked.by}.csv")


def _asked(form: SpendingForm) -> selectors.Asked:
    """What was asked for; everything by purchase order when that makes no sense."""
    return selectors.Asked(**form.cleaned_data) if form.is_valid() else selectors.Asked()
