"""Every entry about a party's money, and its months and years."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Party, User
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest
from marketplace.core.limits import limited
from payments.forms import LedgerFilterForm
from payments.selectors import periods, statements
from payments.services import exports, statement_paper
from payments.views.answers import download, pager


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
        "tabs": _ledger_tabs(request.user, party, "payments:ledger"),
        "here": overview.here,
        "form": form,
        "lines": page.lines,
        "query": urlencode({name: value for name, value in kept.items() if value}),
        **pager(request, page.after),
    }
    return render(request, "payments/ledger.html", context)


@require_safe
@login_required
@limited("export")
def ledger_csv(request: UserRequest, ref: str) -> HttpResponse:
    """The chosen part of a ledger for a spreadsheet, oldest first."""
    party = statements.ledger_to_read(request.user, ref)
    return download(
        exports.ledger_csv(_chosen(request, party)),
        "text/csv; charset=utf-8",
        f"ledger-{ref}.csv",
    )


@require_safe
@login_required
@limited("export")
def ledger_json(request: UserRequest, ref: str) -> HttpResponse:
    """The chosen part of a ledger for programs, oldest first."""
    party = statements.ledger_to_read(request.user, ref)
    made = exports.ledger_json(party, _chosen(request, party))
    return download(made, "application/json; charset=utf-8", f"ledger-{ref}.json")


@require_safe
@login_required
def statements_of(request: UserRequest, ref: str) -> HttpResponse:
    """The months and years there is a statement of."""
    party = statements.ledger_to_read(request.user, ref)
    context = {
        "party": party,
        "tabs": _ledger_tabs(request.user, party, "payments:statements"),
        "periods": periods.periods_of(party),
    }
    return render(request, "payments/statements.html", context)


@require_safe
@login_required
def statement(request: UserRequest, ref: str, period: str) -> HttpResponse:
    """What happened to a party's money in a month or a year."""
    found = _statement(request, ref, period)
    return render(request, "payments/statement.html", {"statement": found})


@require_safe
@login_required
@limited("paper")
def statement_pdf(request: UserRequest, ref: str, period: str) -> HttpResponse:
    """The same on paper."""
    found = _statement(request, ref, period)
    try:
        made = statement_paper.pdf(found)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("payments:statement", ref=ref, period=period)
    return download(made, "application/pdf", f"statement-{period}-{ref}.pdf")


@require_safe
@login_required
@limited("export")
def statement_csv(request: UserRequest, ref: str, period: str) -> HttpResponse:
    """Its payments for a spreadsheet."""
    made = statement_paper.csv(_statement(request, ref, period))
    return download(made, "text/csv; charset=utf-8", f"statement-{period}-{ref}.csv")


def _statement(request: UserRequest, ref: str, period: str) -> periods.Statement:
    party = statements.ledger_to_read(request.user, ref)
    return periods.statement(party, periods.Period.named(period))


def _ledger_tabs(user: User, party: Party, address: str) -> list[dict[str, Any]]:
    """The parties whose money the user may see."""
    return [
        {"label": one.name, "url": reverse(address, args=[one.ref]), "current": one == party}
        for one in statements.ledgers_of(user)
    ]


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
