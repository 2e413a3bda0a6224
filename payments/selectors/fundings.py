"""Tries to pay, as their payers may read them."""

from django.db.models import QuerySet, Subquery
from django.http import Http404

from accounts.models import User
from payments.models import Funding
from payments.selectors.overviews import money_parties


def fundings_of(user: User, *, after: str = "", limit: int = 30) -> tuple[list[Funding], str]:
    """The user's tries to pay, newest first, and the cursor of the next page."""
    rows = _readable(user)
    if after:
        rows = rows.filter(pk__lt=Subquery(Funding.objects.filter(ref=after).values("pk")))
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return shown, shown[-1].ref if len(found) > limit else ""


def funding_to_read(user: User, ref: str) -> Funding:
    """One try to pay, if a party of the user's made it; otherwise 404."""
    funding = _readable(user).filter(ref=ref).first()
    if funding is None:
        raise Http404
    return funding


def _readable(user: User) -> QuerySet[Funding]:
    return Funding.objects.filter(payer__in=money_parties(user)).prefetch_related("parts__hold")
