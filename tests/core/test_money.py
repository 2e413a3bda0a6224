"""Amounts are exact, and read only one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.money import InvalidAmount, Money, format_money

BPS = st.integers(0, 10_000)
MINOR = st.integers(0, 10**9)


@given(MINOR, BPS)
def test_a_share_and_the_rest_are_the_whole_and_never_negative(minor, bps):
    whole = Money(minor, "EUR")
    share = whole.share(bps)
    assert share + (whole - share) == whole
    assert Money.zero("EUR") <= share <= whole


@given(MINOR, st.lists(st.integers(1, 1000), min_size=1, max_size=12))
def test_split_parts_sum_to_the_whole_and_differ_from_fair_by_less_than_one_unit(minor, weights):
    parts = Money(minor, "EUR").split(weights)
    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - minor * weight) < sum(weights)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("0.01", "EUR", 1), ("1200", "EUR", 120000), ("5", "JPY", 5), ("1.005", "KWD", 1005)],
)
def test_canonical_text_is_read_with_the_currencys_own_digits(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "-1", "+1", "1e3", "1_000", "01", "1.", ".5", "1.234", "1,000", "NaN"),
        *("Infinity", "١٢", "\uff11\uff12", "9" * 5000, True, None, [], 12, 1.5, "1" * 13),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidAmount, match=r"amount|too large"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize(
    ("text", "language", "minor"),
    [
        ("1,200.50", "en", 120050),
        ("1.200,50", "en", 120050),
        ("€1200", "en", 120000),
        ("1,200", "en", 120000),
        ("1.200", "de", 120000),
        ("1,20", "de", 120),
        ("1 200", "de", 120000),
        ("EUR 12", "en", 1200),
        ("1,234,567.89", "en", 123456789),
    ],
)
def test_people_write_amounts_their_own_way(text, language, minor):
    assert Money.parse_local(text, "EUR", language) == Money(minor, "EUR")


@pytest.mark.parametrize("text", ["1.200", "12,34,56", "1.2.3", "abc", "", "1,2345.6"])
def test_an_ambiguous_amount_is_refused_rather_than_guessed(text):
    with pytest.raises(InvalidAmount):
        Money.parse_local(text, "EUR", "en")


def test_no_digit_after_the_point_in_yen():
    with pytest.raises(InvalidAmount):
        Money.parse("100.5", "JPY")


def test_currencies_never_mix_and_floats_never_enter():
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(TypeError):
        Money(1.5, "EUR")
    with pytest.raises(InvalidAmount):
        Money(1, "XXQ")


def test_money_is_shown_as_the_reader_writes_it():
    assert format_money(Money(110000, "EUR"), "en") == "€1,100.00"
    assert format_money(Money(110000, "EUR"), "de") == "1.100,00\u00a0€"
    assert format_money(Money(300000, "EUR"), "en", whole=True) == "€3,000"
    assert format_money(Money(1500, "JPY"), "en") == "¥1,500"
