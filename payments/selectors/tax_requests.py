"""Who still has to tell us what a tax office must be told."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts import countries
from accounts.models import Party, User
from payments.models import Hold, TaxRequest


def parties_lacking_details() -> QuerySet[Party]:
    """Payees of the European Union of whom the yearly report could not say what it must.

    Where nobody said where they live, the country of their account at Stripe counts.
    """
    european = countries.EUROPEAN_UNION
    lives_there = (
        Q(seller_details__tax_country__in=european)
        | Q(seller_details__isnull=True, country__in=european)
        | Q(seller_details__isnull=True, country="", payout_account__country__in=european)
    )
    # What was told of number and birth is whole: nothing less is saved.
    lacking = Q(seller_details__isnull=True) | Q(address="") | Q(country="")
    return Party.objects.filter(lives_there, lacking)


def parties_to_ask(year: int) -> QuerySet[Party]:
    """Who earned something in the year (by UTC), lacks details and has not been asked yet."""
    first = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    earned = Hold.objects.filter(
        payee=OuterRef("pk"),
        ended_at__gte=first,
        ended_at__lt=first.replace(year=year + 1),
        awarded_minor__gt=0,
    )
    asked = TaxRequest.objects.filter(
        Q(status__in=TaxRequest.OPEN) | Q(status=TaxRequest.Status.LIFTED, year=year),
        party=OuterRef("pk"),
    )
    return parties_lacking_details().filter(Exists(earned), ~Exists(asked))


def open_request_of(party: Party) -> TaxRequest | None:
    """What the party is asked for now, if anything."""
    return TaxRequest.objects.filter(party=party, status__in=TaxRequest.OPEN).first()


def pause_to_appeal(user: User) -> TaxRequest:
    """The pause of the user's own payouts; 404 while there is none."""
    found = TaxRequest.objects.filter(party=user.own_party, status=TaxRequest.Status.PAUSED)
    request = found.select_related("party").first()
    if request is None:
        raise Http404
    return request
