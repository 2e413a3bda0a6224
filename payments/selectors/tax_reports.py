"""What tax offices are told about payees once a year. The operator hands it in; we only count."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from accounts import countries
from accounts.models import Party
from marketplace.core.money import Money
from payments.models import GiveBack, Hold, PayoutAccount, SellerDetails
from payments.models.sellers import Details

DAC7, US_1099 = "dac7", "us-1099"


@dataclass(frozen=True)
class Limits:
    """From which year on the United States want to be told of how much (in US dollars).

    26 U.S.C. 6050W(e) as amended by Public Law 119-21: more than 20,000 and more than 200 payments
    (form 1099-K). 26 U.S.C. 6041(a) as amended by the same: from 2,000 on for 2026 (form 1099-NEC).
    """

    since: int
    card_more_than: int
    card_payments_more_than: int
    work_from: int


US_LIMITS = (Limits(2026, 20_000, 200, 2_000), Limits(2000, 20_000, 200, 600))


@dataclass
class Part:
    """A quarter or a month: what was earned, which of it was our fee, in how many payments."""

    gross: int = 0
    fees: int = 0
    payments: int = 0


@dataclass
class Seller:
    """One payee in one currency, with twelve months."""

    party: Party
    currency: str
    tax_country: str
    details: Details
    account: str
    months: list[Part] = field(default_factory=lambda: [Part() for _month in range(12)])

    @property
    def quarters(self) -> list[Part]:
        """Four sums of three months each."""
        return [_sum(self.months[first : first + 3]) for first in range(0, 12, 3)]

    @property
    def year(self) -> Part:
        return _sum(self.months)

    @property
    def gross(self) -> Money:
        return self.money(self.year.gross)

    @property
    def fees(self) -> Money:
        return self.money(self.year.fees)

    @property
    def missing(self) -> list[str]:
        """What the report must say and the payee has not told us: names of fields."""
        told = {
            "address": self.party.address,
            "country": self.party.country,
            "tax_number": self.details.tax_number or self.details.birth_place,
            "birth_date": self.details.birth_date,
            "account": self.account,
        }
        return [name for name, value in told.items() if not value]

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


def _sum(parts: list[Part]) -> Part:
    return Part(
        gross=sum(part.gross for part in parts),
        fees=sum(part.fees for part in parts),
        payments=sum(part.payments for part in parts),
    )


def sellers(kind: str, year: int) -> list[Seller]:
    """Everybody who earned something in the year (by UTC) and whom this report is about.

    DAC7 is about payees of the European Union: what each quarter's consideration was, the fees
    kept, and how many payments (Directive (EU) 2021/514, Annex V, section III B). The American
    report is about payees of the United States, by month. A payee counts where their tax number
    is from, or else where they live. What was given back lowers the European consideration; form
    1099-K wants the gross amount. Four queries at most.
    """
    first = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    holds = (
        Hold.objects.filter(
            ended_at__gte=first,
            ended_at__lt=first.replace(year=year + 1),
            awarded_minor__gt=0,
        )
        .select_related("payee")
        .order_by("payee__name", "payee", "currency")
    )
    found: dict[tuple[int, str], Seller] = {}
    rows = list(holds)
    payees = {hold.payee_id for hold in rows}
    details = {one.party_id: one for one in SellerDetails.objects.filter(party__in=payees)}
    accounts = defaultdict(
        str, PayoutAccount.objects.filter(party__in=payees).values_list("party", "stripe_id")
    )
    for hold in rows:
        told = details.get(hold.payee_id)
        country = told.tax_country if told else hold.payee.country
        if not _is_about(kind, country):
            continue
        key = hold.payee_id, hold.currency
        seller = found.get(key) or Seller(
            hold.payee,
            hold.currency,
            country,
            told.details if told else Details(),
            accounts[hold.payee_id],
        )
        found[key] = seller
        assert hold.ended_at  # noqa: S101 - the query says so
        part = seller.months[hold.ended_at.month - 1]
        part.gross += hold.awarded.minor
        part.fees += hold.shares(hold.awarded).freelancer_fee.minor
        part.payments += 1
    if kind == DAC7:
        _take_off_what_was_given_back(found, first)
    return list(found.values())


def _take_off_what_was_given_back(found: dict[tuple[int, str], Seller], first: dt.datetime) -> None:
    """Consideration is what stayed: a quarter in which more went back than came is below zero."""
    # What went back while it was held was never earned: the hold is smaller by it.
    given_back = GiveBack.objects.filter(
        status=GiveBack.Status.DONE,
        while_held=False,
        ended_at__gte=first,
        ended_at__lt=first.replace(year=first.year + 1),
    )
    for back in given_back.select_related("hold"):
        seller = found.get((back.hold.payee_id, back.currency))
        # Who earned nothing in the year is not told about for giving money of another year back.
        if seller and back.ended_at:
            part = seller.months[back.ended_at.month - 1]
            part.gross -= back.amount_minor
            part.fees -= back.amount_minor - back.from_payee_minor


def _is_about(kind: str, country: str) -> bool:
    return country in countries.EUROPEAN_UNION if kind == DAC7 else country == "US"


def forms_due(seller: Seller, year: int) -> list[str]:
    """Which American forms the law asks for: `1099-K`, `1099-NEC`, both or none.

    Amounts in other currencies are not judged: the operator converts them at the year's rate.
    """
    if seller.currency != "USD":
        return []
    limits = next(limits for limits in US_LIMITS if year >= limits.since)
    total = seller.year
    forms = []
    if (
        total.gross > limits.card_more_than * 100
        and total.payments > limits.card_payments_more_than
    ):
        forms.append("1099-K")
    if total.gross >= limits.work_from * 100:
        forms.append("1099-NEC")
    return forms
