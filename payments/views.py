"""Pages of money: what is coming, what was paid, the paper, and where payouts go."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Party
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, show
from payments.forms import LedgerFilterForm, QuoteForm, currency_or
from payments.selectors import invoices as shelves
from payments.selectors import overviews, statements
from payments.selectors import payouts as payout_facts
from payments.services import exports, paper, quotes


def _pages(request: HttpRequest, after: str) -> dict[str, str]:
    """Links of the pager: the next page when there is one, and back to the start."""
    kept = request.GET.copy()
    kept.pop("after", None)
    first = f"{request.path}?{kept.urlencode()}".rstrip("?")
    kept["after"] = after
    return {
        "next_url": f"{request.path}?{kept.urlencode()}" if after else "",
        "first_url": first if request.GET.get("after") else "",
    }


# --- Overviews ------------------------------------------------------------------------------


@require_safe
@login_required
def earnings(request: UserRequest) -> HttpResponse:
    """What a freelancer has coming and got."""
    page = overviews.earnings_page(request.user, after=request.GET.get("after", ""))
    context = {
        "sums": overviews.earnings(request.user),
        "rows": page.rows,
        "payouts": payout_facts.payouts_of(request.user, limit=3)[0],
        **_pages(request, page.after),
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
        **_pages(request, page.after),
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


# --- Invoices -------------------------------------------------------------------------------


@require_safe
@login_required
def invoices(request: UserRequest) -> HttpResponse:
    """All paper of the user's parties, by year."""
    year = request.GET.get("year", "")
    chosen = int(year) if year.isdecimal() and len(year) == 4 else None
    shelf = shelves.invoices_of(request.user, year=chosen, after=request.GET.get("after", ""))
    tabs = [
        {"label": _("All"), "url": request.path, "current": chosen is None},
        *(
            {"label": str(one), "url": f"{request.path}?year={one}", "current": one == chosen}
            for one in shelf.years
        ),
    ]
    context = {"shelf": shelf, "tabs": tabs, **_pages(request, shelf.after)}
    return render(request, "payments/invoices.html", context)


@require_safe
@login_required
def invoice(request: UserRequest, ref: str) -> HttpResponse:
    """One document, as it was issued."""
    found = shelves.invoice_to_read(request.user, ref)
    return render(request, "payments/invoice.html", {"invoice": found, "document": found.document})


@require_safe
@login_required
def invoice_pdf(request: UserRequest, ref: str) -> HttpResponse:
    """The document as a PDF; the same bytes each time."""
    found = shelves.invoice_to_read(request.user, ref)
    try:
        made = paper.pdf(found)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("payments:invoice", ref=ref)
    return HttpResponse(
        made,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{found.number}.pdf"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


# --- Ledger ---------------------------------------------------------------------------------


@require_safe
@login_required
def ledgers(request: UserRequest) -> HttpResponse:
    """To the ledger of the party the user acts for."""
    return redirect("payments:ledger", ref=statements.first_ledger_of(request.user).ref)


@require_safe
@login_required
def ledger(request: UserRequest, ref: str) -> HttpResponse:
    """Every entry about a party's money, newest first, with what it added up to."""
    party = statements.ledger_to_read(request.user, ref)
    overview = statements.overview(party)
    form = _ledger_filter(request, overview.kinds)
    wanted = statements.Wanted(**form.cleaned_data) if form.is_valid() else statements.Wanted()
    page = statements.page(party, wanted, after=request.GET.get("after", ""))
    kept = {name: form.data.get(name, "") for name in form.fields} if form.is_valid() else {}
    context = {
        "party": party,
        "tabs": [
            {
                "label": one.name,
                "url": reverse("payments:ledger", args=[one.ref]),
                "current": one == party,
            }
            for one in statements.ledgers_of(request.user)
        ],
        "here": overview.here,
        "form": form,
        "lines": page.lines,
        "query": urlencode({name: value for name, value in kept.items() if value}),
        **_pages(request, page.after),
    }
    return render(request, "payments/ledger.html", context)


@require_safe
@login_required
def ledger_csv(request: UserRequest, ref: str) -> HttpResponse:
    """The chosen part of a ledger for a spreadsheet, oldest first."""
    party = statements.ledger_to_read(request.user, ref)
    return _download(exports.ledger_csv(_chosen(request, party)), "text/csv", f"ledger-{ref}.csv")


@require_safe
@login_required
def ledger_json(request: UserRequest, ref: str) -> HttpResponse:
    """The chosen part of a ledger for programs, oldest first."""
    party = statements.ledger_to_read(request.user, ref)
    made = exports.ledger_json(party, _chosen(request, party))
    return _download(made, "application/json", f"ledger-{ref}.json")


def _ledger_filter(request: UserRequest, kinds: list[str]) -> LedgerFilterForm:
    return LedgerFilterForm(
        request.GET, kinds=[(kind, statements.kind_text(kind)) for kind in kinds]
    )


def _chosen(request: UserRequest, party: Party) -> list[statements.Line]:
    """What the filters choose; nonsense in them chooses nothing, or a file would be half."""
    form = _ledger_filter(request, statements.overview(party).kinds)
    if not form.is_valid():
        raise Http404
    return statements.everything(party, statements.Wanted(**form.cleaned_data))


def _download(content: str, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=f"{content_type}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
