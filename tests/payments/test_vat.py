"""Which VAT a supply bears, and how much of a price it is."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import CURRENCIES

from accounts.countries import EUROPEAN_UNION
from marketplace.core.money import LARGEST_MINOR, InvalidAmount, Money, exponent
from payments.models import TaxKind, VatRate
from payments.selectors.tax import rate_rows
from payments.services.vat import Rate, Rates, Supply, Tax, Trader, contained, decide

DAY = dt.date(2026, 11, 22)
WORK, PLATFORM = Supply.WORK, Supply.PLATFORM
RATES = Rates(
    Rate(country, dt.date(2000, 1, 1), bps)
    for country, bps in {"DE": 1900, "FR": 2000, "CH": 810, "GB": 2000}.items()
)
BERLIN = Trader("DE", registered=True)
ZURICH = Trader("CH", registered=True)


def known_currencies():
    """Every currency with minor units of its own: 0, 2 or 3 digits."""
    found = []
    for code in CURRENCIES:
        try:
            exponent(code)
        except InvalidAmount:
            continue
        found.append(code)
    return sorted(found)


# Supply, seller, customer, and what it comes to: one row per branch of the law.
CASES = [
    (PLATFORM, Trader("DE"), Trader("FR"), "not_registered", 0, ""),
    (PLATFORM, Trader("US", registered=True), Trader("US"), "not_registered", 0, ""),
    (PLATFORM, Trader("", registered=True), Trader("DE"), "not_registered", 0, ""),
    (PLATFORM, BERLIN, Trader("DE"), "domestic", 1900, "DE"),
    (PLATFORM, BERLIN, Trader("DE", proven=True), "domestic", 1900, "DE"),
    (PLATFORM, BERLIN, Trader(""), "domestic", 1900, "DE"),
    (PLATFORM, BERLIN, Trader("FR", proven=True), "reverse_charge", 0, "FR"),
    (PLATFORM, BERLIN, Trader("FR"), "destination", 2000, "FR"),
    (PLATFORM, BERLIN, Trader("MC"), "destination", 2000, "FR"),
    (PLATFORM, Trader("MC", registered=True), Trader("FR"), "domestic", 2000, "FR"),
    (
        PLATFORM,
        Trader("DE", registered=True, one_stop=False),
        Trader("FR"),
        "domestic",
        1900,
        "DE",
    ),
    (PLATFORM, BERLIN, Trader("US"), "outside", 0, ""),
    (PLATFORM, BERLIN, Trader("GB", proven=True), "outside", 0, ""),
    (PLATFORM, ZURICH, Trader("CH"), "domestic", 810, "CH"),
    (PLATFORM, ZURICH, Trader("DE", proven=True), "reverse_charge", 0, "DE"),
    # The small sellers' threshold is for sellers in the Union only.
    (
        PLATFORM,
        Trader("CH", registered=True, one_stop=False),
        Trader("DE"),
        "destination",
        1900,
        "DE",
    ),
    (WORK, BERLIN, Trader("FR", proven=True), "reverse_charge", 0, "FR"),
    (WORK, BERLIN, Trader("FR"), "domestic", 1900, "DE"),
    (WORK, BERLIN, Trader("US"), "outside", 0, ""),
    (WORK, Trader("DE"), Trader("FR", proven=True), "not_registered", 0, ""),
]


@pytest.mark.parametrize("case", CASES)
def test_the_law_says_which_vat_a_supply_bears(case):
    supply, seller, customer, kind, bps, country = case
    assert decide(supply, seller, customer, DAY, RATES) == Tax(TaxKind(kind), bps, country)


def test_a_member_whose_rate_we_do_not_know_is_charged_the_sellers():
    assert decide(PLATFORM, BERLIN, Trader("IT"), DAY, RATES).kind == TaxKind.DOMESTIC


def test_the_rate_is_that_of_the_day_and_a_later_row_corrects_an_earlier_one():
    first, second = dt.date(2026, 1, 1), dt.date(2027, 1, 1)
    rates = Rates([Rate("DE", second, 2100), Rate("DE", first, 1900), Rate("DE", first, 1850)])
    assert rates.on("DE", first - dt.timedelta(days=1)) is None
    assert rates.on("DE", first) == rates.on("DE", second - dt.timedelta(days=1)) == 1850
    assert rates.on("DE", second) == 2100


def test_vat_and_net_are_the_price_to_the_last_minor_unit_in_every_currency():
    codes = known_currencies()
    assert {exponent(code) for code in codes} >= {0, 2, 3}

    @settings(max_examples=5000, deadline=None)
    @given(st.integers(0, LARGEST_MINOR), st.integers(0, 5000), st.sampled_from(codes))
    def check(minor, bps, code):
        total = Money(minor, code)
        tax = contained(total, Tax(TaxKind.DOMESTIC, bps))
        net = total - tax
        assert net + tax == total
        assert 0 <= tax.minor <= total.minor
        # Nearer to the exact VAT than any other whole minor unit; halves go up.
        off = 2 * (tax.minor * (10_000 + bps) - minor * bps)
        assert -(10_000 + bps) < off <= 10_000 + bps

    check()


def test_no_two_sides_pay_vat_on_the_same_supply():
    """Whoever is in the Union and proven reckons it alone; everybody else finds it in the price."""
    countries = [*sorted(EUROPEAN_UNION), "GB", "CH", "NO", "US", ""]
    rates = Rates(Rate(country, DAY, 2000) for country in countries if country not in {"US", ""})

    @settings(max_examples=500, deadline=None)
    @given(
        st.sampled_from(Supply),
        st.sampled_from(countries),
        st.sampled_from(countries),
        st.booleans(),
        st.booleans(),
    )
    def check(supply, here, there, proven, one_stop):
        seller = Trader(here, registered=True, one_stop=one_stop)
        tax = decide(supply, seller, Trader(there, proven=proven), DAY, rates)
        reverse = tax.kind == TaxKind.REVERSE_CHARGE
        if reverse:
            assert proven
            assert there in EUROPEAN_UNION - {here}
        if tax.kind in {TaxKind.DOMESTIC, TaxKind.DESTINATION}:
            assert tax.rate_bps == 2000
            assert not (proven and there in EUROPEAN_UNION - {here})
        else:
            assert tax.rate_bps == 0

    check()


@pytest.mark.django_db
def test_the_rates_of_the_union_britain_switzerland_and_norway_come_with_the_installation():
    rates = Rates(Rate(row.country, row.starts_on, row.rate_bps) for row in rate_rows())
    for country in [*EUROPEAN_UNION, "GB", "CH", "NO"]:
        bps = rates.on(country, DAY)
        assert bps is not None, country
        assert 810 <= bps <= 2700, country
    assert rates.on("DE", dt.date(2020, 8, 1)) == 1600
    assert rates.on("DE", DAY) == 1900
    assert (rates.on("EE", dt.date(2025, 6, 30)), rates.on("EE", dt.date(2025, 7, 1))) == (
        2200,
        2400,
    )
    assert rates.on("FI", DAY) == 2550
    assert all(row.source for row in VatRate.objects.all())
