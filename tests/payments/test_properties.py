"""Fees, splits and currencies are exact to the last minor unit, for thousands of random amounts.

    PROPERTY_CASES=100000 PROPERTY_SEED=7 ./test tests/payments/test_properties.py

Every rule is computed a second time here, with fractions, so that a formula is not its own proof.
"""

import os
import random
from collections.abc import Iterator
from fractions import Fraction

import moneyed
import pytest
from babel.numbers import format_decimal
from django.conf import settings
from django.db import connection

from marketplace.core.money import LARGEST_MINOR, InvalidAmount, Money, exponent
from payments.models import Hold, PlatformPolicy
from payments.services.quotes import quote
from payments.stripe_units import OTHER_UNITS, CurrencyNotSupported, from_stripe, to_stripe

CASES = int(os.environ.get("PROPERTY_CASES", "5000"))
SEED = int(os.environ.get("PROPERTY_SEED", "1"))
CURRENCIES = sorted(moneyed.CURRENCIES)
COUNTED_ALIKE = sorted(set(CURRENCIES) - OTHER_UNITS)
HIGHEST_BPS = 5_000


def cases(property_name: str) -> Iterator[random.Random]:
    """Dice for each case; a failing one is found again by its seed, which pytest shows."""
    for number in range(CASES):
        seed = f"{SEED}:{property_name}:{number}"
        yield random.Random(seed)


def an_amount(dice: random.Random) -> int:
    """Small amounts, where rounding shows, as often as large ones."""
    return dice.randint(1, 10 ** dice.randint(1, 12))


def half_up(exact: Fraction) -> int:
    return (exact + Fraction(1, 2)).__floor__()


def a_hold(dice: random.Random) -> Hold:
    """A hold with the fees of a random policy, as `open_hold` would make it."""
    price = Money(an_amount(dice), dice.choice(CURRENCIES))
    fees = quote(price, a_policy(dice))
    return Hold(
        amount_minor=price.minor,
        client_fee_minor=fees.client_fee.minor,
        freelancer_fee_minor=fees.freelancer_fee.minor,
        currency=price.currency,
    )


def a_policy(dice: random.Random) -> PlatformPolicy:
    return PlatformPolicy(
        client_fee_bps=dice.randint(0, HIGHEST_BPS), freelancer_fee_bps=dice.randint(0, HIGHEST_BPS)
    )


# --- Fees -----------------------------------------------------------------------------------


def test_a_quote_rounds_each_fee_once_and_the_rest_is_by_subtraction():
    for dice in cases("quote"):
        price, policy = Money(an_amount(dice), dice.choice(CURRENCIES)), a_policy(dice)
        if dice.random() < 0.3:
            # Half of these lie exactly between two units.
            price = Money(100 * price.minor, price.currency)
            policy.client_fee_bps = 50 * dice.randint(0, HIGHEST_BPS // 50)
        shown = quote(price, policy)
        for fee, bps in (
            (shown.client_fee, policy.client_fee_bps),
            (shown.freelancer_fee, policy.freelancer_fee_bps),
        ):
            assert fee.minor == half_up(Fraction(price.minor * bps, 10_000))
        assert shown.client_pays - shown.client_fee == price
        assert shown.freelancer_gets + shown.freelancer_fee == price
        assert shown.freelancer_gets.minor >= 0


def test_a_share_taken_and_given_back_leaves_nothing():
    for dice in cases("mirror"):
        amount, bps = Money(an_amount(dice), "EUR"), dice.randint(0, 10_000)
        assert amount.share(bps) + (-amount).share(bps) == Money.zero("EUR")


# --- Splits ---------------------------------------------------------------------------------


def test_whatever_part_is_awarded_the_four_shares_are_what_the_client_paid():
    for dice in cases("shares"):
        hold = a_hold(dice)
        awarded = Money(dice.randint(0, hold.amount_minor), hold.currency)
        parts = hold.shares(awarded)
        earned = Fraction(awarded.minor, hold.amount_minor)
        assert parts.freelancer_fee.minor == half_up(hold.freelancer_fee_minor * earned)
        assert parts.client_fee.minor == half_up(hold.client_fee_minor * earned)
        assert parts.to_payee + parts.freelancer_fee == awarded
        every = (parts.to_payee, parts.freelancer_fee, parts.client_fee, parts.to_payer)
        assert sum(part.minor for part in every) == hold.client_pays.minor
        assert min(part.minor for part in every) >= 0


def test_all_is_the_quote_and_nothing_goes_back_whole():
    for dice in cases("ends"):
        hold = a_hold(dice)
        nothing = Money.zero(hold.currency)
        whole, none = hold.shares(hold.amount), hold.shares(nothing)
        assert (whole.to_payee, whole.to_payer) == (hold.amount - hold.freelancer_fee, nothing)
        assert whole.fees == hold.freelancer_fee + hold.client_fee
        assert (none.to_payee, none.fees, none.to_payer) == (nothing, nothing, hold.client_pays)


def test_who_is_awarded_more_gets_no_less():
    for dice in cases("monotone"):
        hold = a_hold(dice)
        low, high = sorted(dice.randint(0, hold.amount_minor) for _ in range(2))
        less = hold.shares(Money(low, hold.currency))
        more = hold.shares(Money(high, hold.currency))
        assert less.to_payee <= more.to_payee
        assert more.to_payer <= less.to_payer
        assert less.fees <= more.fees


def test_parts_of_one_payment_sum_to_it_and_nobody_is_a_unit_away_from_fair():
    for dice in cases("split"):
        amount = Money(an_amount(dice), dice.choice(CURRENCIES))
        weights = [an_amount(dice) for _ in range(dice.randint(1, 8))]
        parts = amount.split(weights)
        assert sum(part.minor for part in parts) == amount.minor
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part.minor - Fraction(amount.minor * weight, sum(weights))) < 1


def test_a_milestone_paid_in_equal_parts_is_paid_exactly():
    for dice in cases("equal parts"):
        amount = Money(an_amount(dice), dice.choice(CURRENCIES))
        parts = amount.split([1] * dice.randint(1, 12))
        minors = [part.minor for part in parts]
        assert sum(minors) == amount.minor
        assert max(minors) - min(minors) <= 1
        assert minors == sorted(minors, reverse=True)


@pytest.mark.django_db
def test_the_nightly_proof_computes_shares_as_the_product_does():
    """`verify_ledger` repeats the rule in SQL: both must round every case alike."""
    holds = [(hold, dice) for dice in cases("sql") for hold in [a_hold(dice)]]
    awards = [dice.randint(0, hold.amount_minor) for hold, dice in holds]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT round(freelancer_fee::numeric * awarded / amount)::bigint,
                   round(client_fee::numeric * awarded / amount)::bigint
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
                 WITH ORDINALITY AS one (amount, freelancer_fee, client_fee, awarded, place)
            ORDER BY place
            """,
            [
                [hold.amount_minor for hold, _ in holds],
                [hold.freelancer_fee_minor for hold, _ in holds],
                [hold.client_fee_minor for hold, _ in holds],
                awards,
            ],
        )
        in_sql = cursor.fetchall()
    for (hold, _), awarded, fees in zip(holds, awards, in_sql, strict=True):
        parts = hold.shares(Money(awarded, hold.currency))
        assert fees == (parts.freelancer_fee.minor, parts.client_fee.minor), (hold, awarded)


# --- Currencies -----------------------------------------------------------------------------


def test_stripe_gets_and_gives_back_the_same_amount_in_every_currency():
    for dice in cases("stripe"):
        amount = Money(an_amount(dice), dice.choice(CURRENCIES))
        if amount.currency in OTHER_UNITS:
            with pytest.raises(CurrencyNotSupported):
                to_stripe(amount)
            continue
        minor, code = to_stripe(amount)
        assert (minor, code) == (amount.minor, amount.currency.lower())
        assert from_stripe(minor, code) == amount


def test_every_amount_is_read_back_from_its_own_text():
    languages = [code for code, _name in settings.LANGUAGES]
    for dice in cases("text"):
        amount = Money(min(an_amount(dice), LARGEST_MINOR), dice.choice(CURRENCIES))
        digits = exponent(amount.currency)
        assert amount.decimal_text.partition(".")[2] == "" or digits
        assert Money.parse(amount.decimal_text, amount.currency) == amount
        language = dice.choice(languages)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        typed = format_decimal(amount.decimal, pattern, locale=language.replace("-", "_"))
        assert Money.parse_local(typed, amount.currency, language) == amount, (typed, language)


def test_a_digit_too_many_is_refused_and_never_rounded():
    for dice in cases("digits"):
        currency = dice.choice(CURRENCIES)
        digits = exponent(currency) + dice.randint(1, 3)
        text = f"{dice.randint(0, 10**6)}.{dice.randint(1, 10**digits - 1):0{digits}d}"
        with pytest.raises(InvalidAmount):
            Money.parse(text, currency)


def test_amounts_of_two_currencies_never_mix():
    for dice in cases("mix"):
        one, other = dice.sample(COUNTED_ALIKE, 2)
        with pytest.raises(ValueError, match="do not mix"):
            Money(an_amount(dice), one) + Money(an_amount(dice), other)
