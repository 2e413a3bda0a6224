"""What is coming, what was paid, and what an amount means."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marketplace.core.http import UserRequest, show
from payments.forms import QuoteForm, currency_or
from payments.selectors import overviews, stops
from payments.selectors import payouts as payout_facts
from payments.services import quotes
from payments.views.answers import pager


@require_safe
@login_required
def earnings(request: UserRequest) -> HttpResponse:
    """What a freelancer has coming and got."""
    page = overviews.earnings_page(request.user, after=request.GET.get("after", ""))
    context = {
        "sums": overviews.earnings(request.user),
        "rows": page.rows,
        "payouts": payout_facts.payouts_of(request.user, limit=3)[0],
        **pager(request, page.after),
    }
    return render(request, "payments/earnings.html", context)


@require_safe
@login_required
def payments(request: UserRequest) -> HttpResponse:
    """What a client paid in, and where it is."""
    page = overviews.payments_page(request.user, after=request.GET.get("after", ""))
    context = {
        "bars": overviews.spending(request.user),
        "rows": page.rows,
        "stopped": stops.is_stopped(request.user),
        **pager(request, page.after),
    }
    return render(request, "payments/payments.html", context)


@require_safe
def quote(request: HttpRequest) -> HttpResponse:
    """What an amount means for both sides; a part for htmx, a page without."""
    currency = currency_or(settings.DEFAULT_CURRENCY, request.GET.get("currency", ""))
    form = QuoteForm(request.GET if "amount" in request.GET else None, currency=currency)
    side = request.GET.get("side", "")
    context = {
        "form": form,
        "currency": currency,
        "side": side if side in {"hire", "work"} else "both",
        "quote": quotes.quote(form.cleaned_data["amount"]) if form.is_valid() else None,
    }
    return show(request, "payments/quote.html", context, part="payments/_quote_answer.html")
