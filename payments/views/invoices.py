"""Paper of the user's parties."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest
from marketplace.core.limits import limited
from payments.selectors import invoices as shelves
from payments.services import exports, paper
from payments.views.answers import download, pager


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
    context = {"shelf": shelf, "tabs": tabs, **pager(request, shelf.after)}
    return render(request, "payments/invoices.html", context)


@require_safe
@login_required
@limited("export")
def invoices_csv(request: UserRequest) -> HttpResponse:
    """The same for a spreadsheet, oldest first."""
    year = _year(request)
    made = exports.invoices_csv(shelves.all_invoices_of(request.user, year=year))
    return download(
        made, "text/csv; charset=utf-8", f"invoices-{year}.csv" if year else "invoices.csv"
    )


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
@limited("paper")
def invoice_pdf(request: UserRequest, ref: str) -> HttpResponse:
    """The document as a PDF; the same bytes each time."""
    found = shelves.invoice_to_read(request.user, ref)
    try:
        made = paper.pdf(found)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("payments:invoice", ref=ref)
    return download(made, "application/pdf", f"{found.number}.pdf")


def _year(request: UserRequest) -> int | None:
    year = request.GET.get("year", "")
    return int(year) if year.isdecimal() and len(year) == 4 else None
