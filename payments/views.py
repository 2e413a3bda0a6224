"""Pages of money: what is coming, what was paid, the paper, and where payouts go."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Party, User
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show
from payments.forms import (
    LedgerFilterForm,
    PayoutCountryForm,
    QuoteForm,
    SellerDetailsForm,
    currency_or,
)
from payments.selectors import invoices as shelves
from payments.selectors import overviews, periods, statements
from payments.selectors import payouts as payout_facts
from payments.selectors import tax as tax_facts
from payments.services import (
    exports,
    paper,
    payouts,
    quotes,
    sellers,
    statement_paper,
    vat_checks,
)


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
    chosen = _year(request)
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
def invoices_csv(request: UserRequest) -> HttpResponse:
    """The same for a spreadsheet, oldest first."""
    year = _year(request)
    made = exports.invoices_csv(shelves.all_invoices_of(request.user, year=year))
    return _download(made, "text/csv", f"invoices-{year}.csv" if year else "invoices.csv")


def _year(request: UserRequest) -> int | None:
    year = request.GET.get("year", "")
    return int(year) if year.isdecimal() and len(year) == 4 else None


@require_safe
@login_required
def invoice(request: UserRequest, ref: str) -> HttpResponse:
    """One document, as it was issued."""
    found = shelves.invoice_to_read(request.user, ref)
    context = {
        "invoice": found,
        "document": found.document,
        "credits": shelves.credit_notes_of(found),
    }
    return render(request, "payments/invoice.html", context)


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
    return _download(made, "application/pdf", f"{found.number}.pdf")


# --- Tax ------------------------------------------------------------------------------------


@require_safe
@login_required
def tax(request: UserRequest, ref: str) -> HttpResponse:
    """How a party's VAT id stands, and what that means; a part for the page of its details."""
    standing = tax_facts.standing_to_read(request.user, ref)
    return show(
        request, "payments/tax.html", {"standing": standing}, part="payments/_vat_standing.html"
    )


@require_POST
@login_required
def check_vat_id(request: UserRequest, ref: str) -> HttpResponse:
    """Ask the register again."""
    standing = tax_facts.standing_to_read(request.user, ref)
    try:
        vat_checks.ask_again(standing.party, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("We are asking the register."))
    return go_to(request, reverse("payments:tax", args=[ref]))


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
        "tabs": _ledger_tabs(request.user, party, "payments:ledger"),
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
    return _download(
        exports.ledger_csv(_chosen(request, party)),
        "text/csv; charset=utf-8",
        f"ledger-{ref}.csv",
    )


@require_safe
@login_required
def ledger_json(request: UserRequest, ref: str) -> HttpResponse:
    """The chosen part of a ledger for programs, oldest first."""
    party = statements.ledger_to_read(request.user, ref)
    made = exports.ledger_json(party, _chosen(request, party))
    return _download(made, "application/json; charset=utf-8", f"ledger-{ref}.json")


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


def _download(content: str | bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


# --- Statements -----------------------------------------------------------------------------


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
def statement_pdf(request: UserRequest, ref: str, period: str) -> HttpResponse:
    """The same on paper."""
    found = _statement(request, ref, period)
    try:
        made = statement_paper.pdf(found)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("payments:statement", ref=ref, period=period)
    return _download(made, "application/pdf", f"statement-{period}-{ref}.pdf")


@require_safe
@login_required
def statement_csv(request: UserRequest, ref: str, period: str) -> HttpResponse:
    """Its payments for a spreadsheet."""
    made = statement_paper.csv(_statement(request, ref, period))
    return _download(made, "text/csv; charset=utf-8", f"statement-{period}-{ref}.csv")


def _statement(request: UserRequest, ref: str, period: str) -> periods.Statement:
    party = statements.ledger_to_read(request.user, ref)
    return periods.statement(party, periods.Period.named(period))


# --- Payouts --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def payout_setup(request: UserRequest) -> HttpResponse:
    """How the user stands with Stripe; POST leads to Stripe's own questions."""
    party = request.user.own_party
    account = payout_facts.payout_account_of(party)
    country = account.country if account else ""
    if request.method == "POST":
        form = PayoutCountryForm({"country": country or request.POST.get("country", "")})
    else:
        form = PayoutCountryForm(initial={"country": party.country})
    status = 200
    if form.is_bound:
        if form.is_valid():
            try:
                return go_to(request, _onboarding(request, form.cleaned_data["country"]))
            except DomainError as error:
                form.add_error(error.field, str(error))
        status = 422
    context = {
        "form": form,
        "account": account,
        "missing": payout_facts.missing(account) if account else [],
        "waiting": overviews.earnings(request.user),
    }
    return render(request, "payments/payout_setup.html", context, status=status)


@require_safe
@login_required
def payout_refresh(request: UserRequest) -> HttpResponse:
    """Stripe sends people here whose link was old: they get a new one."""
    account = payout_facts.payout_account_of(request.user.own_party)
    if account and account.country:
        try:
            return go_to(request, _onboarding(request, account.country))
        except DomainError as error:
            messages.error(request, str(error))
    return redirect("payments:payout-setup")


@require_safe
@login_required
def payout_return(request: UserRequest) -> HttpResponse:
    """Back from Stripe, finished or not: look how the account stands now."""
    account = payout_facts.payout_account_of(request.user.own_party)
    if account:
        try:
            payouts.refresh(account)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            if account.can_receive:
                messages.success(request, _("You can be paid now."))
    return redirect("payments:payout-setup")


def _onboarding(request: UserRequest, country: str) -> str:
    return payouts.onboarding_url(
        request.user.own_party,
        by=request.user,
        country=country,
        refresh_url=settings.SITE_URL + reverse("payments:payout-refresh"),
        return_url=settings.SITE_URL + reverse("payments:payout-return"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def seller_details(request: UserRequest) -> HttpResponse:
    """What the tax office is told about the user as a payee."""
    party = request.user.own_party
    saved = payout_facts.seller_details_of(party)
    status = 200
    if request.method == "POST":
        form = SellerDetailsForm(request.POST)
        if form.is_valid():
            try:
                sellers.save(party, by=request.user, **form.facts())
            except DomainError as error:
                form.add_error(error.field, str(error))
            else:
                messages.success(request, _("Your tax details are saved."))
                return go_to(request, reverse("payments:seller-details"))
        status = 422
    else:
        known = {
            "legal_name": party.legal_name or party.name,
            "address": party.address,
            "country": party.country,
            "tax_country": saved.tax_country if saved else party.country,
        }
        form = SellerDetailsForm(initial=known | (asdict(saved.details) if saved else {}))
    context = {"form": form, "saved": saved}
    return render(request, "payments/seller_details.html", context, status=status)
