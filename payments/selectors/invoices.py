"""Paper people may read: what their parties issued or received."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet, Subquery
from django.http import Http404

from accounts.models import User
from payments.models import Invoice
from payments.selectors.overviews import money_parties


@dataclass(frozen=True)
class Shelf:
    """One page of invoices; `after` is the cursor of the next one, empty at the end."""

    invoices: list[Invoice]
    years: list[int]
    after: str


def invoices_of(user: User, *, year: int | None = None, after: str = "", limit: int = 30) -> Shelf:
    """The user's invoices, newest first, and the years there are any of."""
    mine = _readable(user)
    years = list(mine.order_by("-year").values_list("year", flat=True).distinct())
    rows = mine.filter(year=year) if year else mine
    if after:
        rows = rows.filter(pk__lt=Subquery(Invoice.objects.filter(ref=after).values("pk")))
    found = list(rows.select_related("seller", "buyer").order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return Shelf(shown, years, shown[-1].ref if len(found) > limit else "")


def all_invoices_of(user: User, *, year: int | None = None) -> list[Invoice]:
    """All paper of the user's parties, oldest first, for a download."""
    mine = _readable(user)
    rows = mine.filter(year=year) if year else mine
    return list(rows.select_related("corrects").order_by("pk"))


def credit_notes_of(invoice: Invoice) -> list[Invoice]:
    """What took the document back; whoever reads it may read them."""
    return list(invoice.credit_notes.order_by("pk"))


def invoice_to_read(user: User, ref: str) -> Invoice:
    """The invoice, if a party of the user's issued or received it; otherwise 404."""
    invoice = _readable(user).select_related("corrects").filter(ref=ref).first()
    if invoice is None:
        raise Http404
    return invoice


def _readable(user: User) -> QuerySet[Invoice]:
    mine = money_parties(user)
    return Invoice.objects.filter(Q(seller__in=mine) | Q(buyer__in=mine))
