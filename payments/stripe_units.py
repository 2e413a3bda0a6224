"""Amounts as Stripe writes them: a lower-case currency and Stripe's own idea of minor units.

For nearly every currency that is the ISO 4217 minor unit. The exceptions are history: Stripe
still counts krónur and Ugandan shillings in hundredths, and ariary whole.
"""

from marketplace.core.money import Money, exponent

STRIPE_EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}


class NotWhole(ValueError):
    """The amount has a fraction that the other side's minor unit cannot hold."""


def to_stripe(amount: Money) -> tuple[int, str]:
    """Stripe's integer and currency code for an amount; raises NotWhole."""
    return _rescale(amount.minor, _shift(amount.currency)), amount.currency.lower()


def from_stripe(amount: int, currency: str) -> Money:
    """The amount behind Stripe's integer and currency code; raises NotWhole."""
    code = currency.upper()
    return Money(_rescale(amount, -_shift(code)), code)


def _shift(code: str) -> int:
    iso = exponent(code)
    return STRIPE_EXPONENTS.get(code, iso) - iso


def _rescale(minor: int, shift: int) -> int:
    if shift >= 0:
        return minor * 10**shift
    scaled, rest = divmod(minor, 10**-shift)
    if rest:
        raise NotWhole(f"{minor} is not a whole number of larger units")
    return scaled
