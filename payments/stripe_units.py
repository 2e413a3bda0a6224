"""Amounts as Stripe writes them: a lower-case currency and Stripe's own idea of minor units.

For nearly every currency that is the ISO 4217 minor unit. Where it is not, Stripe's fees come in
fractions our ledger could not hold, so those currencies are refused outright.
"""

from marketplace.core.money import Money, exponent

# Stripe counts krónur and Ugandan shillings in hundredths, and ariary whole.
OTHER_UNITS = frozenset({"ISK", "UGX", "MGA"})


class CurrencyNotSupported(ValueError):
    """Our minor unit of this currency is not Stripe's, or nobody knows the currency."""


def check_currency(currency: str) -> None:
    """Raise CurrencyNotSupported unless both sides count this currency alike."""
    try:
        exponent(currency)
    except ValueError as error:
        raise CurrencyNotSupported(str(error)) from error
    if currency in OTHER_UNITS:
        raise CurrencyNotSupported(f"{currency} has another minor unit at Stripe")


def to_stripe(amount: Money) -> tuple[int, str]:
    """Stripe's integer and currency code for an amount; raises CurrencyNotSupported."""
    check_currency(amount.currency)
    return amount.minor, amount.currency.lower()


def from_stripe(amount: int, currency: str) -> Money:
    """The amount behind Stripe's integer and code; raises CurrencyNotSupported."""
    check_currency(currency.upper())
    return Money(amount, currency.upper())
