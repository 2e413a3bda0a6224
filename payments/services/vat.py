"""Which VAT a supply bears, and how much of a price it is. Pure: everything known comes in.

"The Directive" is 2006/112/EC, "the Regulation" its implementing regulation (EU) 282/2011. Sources
stand beside each branch; a tax adviser should read this file and docs/decisions with it.
"""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.countries import EUROPEAN_UNION
from marketplace.core.money import Money
from payments.models import TaxKind

# Not a member, but its VAT is that of a member (the Directive, article 7).
TERRITORY_OF = {"MC": "FR"}


class Supply(enum.Enum):
    """What is sold, as far as its place of supply differs."""

    # Use of the marketplace: supplied electronically, hardly any person involved (the Regulation,
    # article 7).
    PLATFORM = "platform"
    # Work of a person ordered through it; mail and uploads do not make it an electronic service
    # (the Regulation, article 6a and article 7 (3)).
    WORK = "work"


@dataclass(frozen=True)
class Trader:
    """One side of a supply. `country` is an ISO code, empty when nobody knows."""

    country: str
    # As a seller: holds a VAT id, so that VAT has to be charged.
    registered: bool = False
    # As a customer: the register has confirmed the VAT id, and we keep its answer.
    proven: bool = False
    # As a seller in the Union: declares other members' VAT through the one-stop shop.
    one_stop: bool = True


@dataclass(frozen=True)
class Tax:
    """The VAT of one supply: why, how much, and whose."""

    kind: TaxKind
    rate_bps: int = 0
    country: str = ""


@dataclass(frozen=True)
class Rate:
    """A standard rate from a day on."""

    country: str
    starts_on: dt.date
    rate_bps: int


class Rates:
    """The dated table of rates; of two rows for one day the later one counts."""

    def __init__(self, rows: Iterable[Rate]) -> None:
        self._rows = sorted(rows, key=lambda row: row.starts_on)

    def on(self, country: str, day: dt.date) -> int | None:
        """The country's standard rate on that day; None when we know none."""
        known = [
            row for row in self._rows if row.country == _territory(country) and row.starts_on <= day
        ]
        return known[-1].rate_bps if known else None


def decide(supply: Supply, seller: Trader, customer: Trader, day: dt.date, rates: Rates) -> Tax:
    """The VAT contained in the price of a supply made on that day."""
    home = rates.on(seller.country, day)
    if not seller.registered or home is None:
        # Small enterprises (the Directive, articles 284 and 292a) and countries without VAT: who
        # names VAT on an invoice owes it (article 203), so none is named.
        return Tax(TaxKind.NOT_REGISTERED)
    domestic = Tax(TaxKind.DOMESTIC, home, _territory(seller.country))
    if not customer.country or _territory(customer.country) == _territory(seller.country):
        # At home both rules agree: articles 44 and 45. A customer from nowhere is taken for one
        # from here, which never charges too little.
        return domestic
    if _in_union(customer.country):
        return _to_union(supply, seller, customer, domestic, rates.on(customer.country, day))
    # Businesses: where they are (article 44). Others: electronic services where they are (article
    # 58), advice, advertising, design and data work too (article 59).
    return Tax(TaxKind.OUTSIDE)


def _to_union(
    supply: Supply, seller: Trader, customer: Trader, domestic: Tax, there: int | None
) -> Tax:
    """To a customer in another member state."""
    if customer.proven:
        # Supplied where the business is (article 44), which owes the VAT itself (article 196); the
        # invoice says so and names both ids (article 226 (3), (4) and (11a)).
        return Tax(TaxKind.REVERSE_CHARGE, 0, _territory(customer.country))
    # Without a confirmed id the customer counts as a private one (the Regulation, article 18 (2)).
    if supply is Supply.WORK:
        # Where the seller is (article 45).
        return domestic
    if there is None or (_in_union(seller.country) and not seller.one_stop):
        # Under 10,000 euros a year a seller in one member may stay with its own VAT (article 59c).
        return domestic
    # Where the customer is (article 58), declared through the one-stop shop (articles 359, 369b).
    return Tax(TaxKind.DESTINATION, there, _territory(customer.country))


def contained(total: Money, tax: Tax) -> Money:
    """The VAT inside a price, rounded once to the minor unit; the net is the difference."""
    return total.portion(tax.rate_bps, 10_000 + tax.rate_bps)


def _territory(country: str) -> str:
    return TERRITORY_OF.get(country, country)


def _in_union(country: str) -> bool:
    return _territory(country) in EUROPEAN_UNION
