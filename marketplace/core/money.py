"""Amounts: whole minor units and an ISO 4217 currency. No float comes near them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import moneyed
from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_decimal_symbol, get_group_symbol
from django.utils.translation import gettext as _

# Beyond this nobody hires through a marketplace, and bigint sums stay far from overflow.
LARGEST_MINOR = 10**12


class InvalidAmount(ValueError):
    """The text is not an amount; the message says how to write one."""


@functools.cache
def exponent(currency: str) -> int:
    """Digits after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises InvalidAmount for a code ISO 4217 does not list.
    """
    known = moneyed.CURRENCIES.get(currency)
    if known is None or currency != currency.upper():
        raise InvalidAmount(_("“%(code)s” is not a currency we know") % {"code": currency})
    return len(str(known.sub_unit)) - 1


@dataclass(frozen=True, slots=True)
class Money:
    """`Money(1250, "EUR")` is €12.50. Adding different currencies raises ValueError."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("minor units are whole numbers")
        exponent(self.currency)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal_text} {self.currency}"

    def share(self, bps: int) -> Money:
        """`bps` basis points of it, rounded half up; the other side is the difference."""
        sign = -1 if self.minor < 0 else 1
        return Money(sign * ((abs(self.minor) * bps + 5_000) // 10_000), self.currency)

    def portion(self, part: int, whole: int) -> Money:
        """The same fraction of it as `part` is of `whole`, rounded half up."""
        return Money((2 * self.minor * part + whole) // (2 * whole), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Parts in proportion to `weights` that sum to the whole (largest remainder)."""
        total = sum(weights)
        floors = [self.minor * weight // total for weight in weights]
        order = sorted(
            range(len(weights)),
            key=lambda i: (-(self.minor * weights[i] % total), i),
        )
        for i in order[: self.minor - sum(floors)]:
            floors[i] += 1
        return [Money(minor, self.currency) for minor in floors]

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def decimal_text(self) -> str:
        """Canonical text of the API: ASCII, a point, the currency's own digits."""
        return f"{self.decimal:.{exponent(self.currency)}f}"

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: object, currency: str) -> Money:
        """Read canonical text (`1200.50`); raises InvalidAmount for anything else.

        Exponents, signs, spaces, group marks and non-ASCII digits are refused, because
        two programs could read them differently.
        """
        digits = exponent(currency)
        fraction = rf"(?:\.([0-9]{{1,{digits}}}))?" if digits else "()"
        match = isinstance(text, str) and re.fullmatch(rf"(0|[1-9][0-9]{{0,11}}){fraction}", text)
        if not match:
            raise InvalidAmount(_("Enter an amount, like 1200 or 1200.50"))
        minor = int(match[1]) * 10**digits + int((match[2] or "").ljust(digits, "0") or 0)
        if minor > LARGEST_MINOR:
            raise InvalidAmount(_("That amount is too large"))
        return cls(minor, currency)

    @classmethod
    def parse_local(cls, text: str, currency: str, language: str) -> Money:
        """Read what a person typed: `€1,200.50`, `1.200,50`, `1 200`.

        A mark that could be either decimal or group (`1.200`) is read the way the person's
        language writes numbers. Raises InvalidAmount when it stays ambiguous.
        """
        symbol = re.escape(moneyed.get_currency(currency).code)
        bare = re.sub(rf"[\s\u00a0\u202f']|{symbol}|[€$£¥]", "", text.strip(), flags=re.IGNORECASE)
        canonical = _canonical(bare, currency, language)
        if not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", canonical):
            raise InvalidAmount(_("Enter an amount, like 1,200 or 1,200.50"))
        return cls.parse(canonical, currency)


def _canonical(text: str, currency: str, language: str) -> str:
    marks = [mark for mark in text if mark in ".,"]
    if not marks:
        return text
    last = marks[-1]
    digits_after = len(text) - text.rindex(last) - 1
    if len(set(marks)) == 2:
        decimal_mark = last
    elif len(marks) > 1:
        decimal_mark = ""
    elif digits_after == 3 and exponent(currency) != 3:
        decimal_mark = "" if _mark(get_group_symbol, language) == last else last
    elif digits_after == 3:
        decimal_mark = last if _mark(get_decimal_symbol, language) == last else ""
    else:
        decimal_mark = last
    whole, point, fraction = text.rpartition(decimal_mark) if decimal_mark else (text, "", "")
    group = "[.,]"
    if re.search(group, whole) and not re.fullmatch(rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+", whole):
        raise InvalidAmount(_("Enter an amount, like 1,200 or 1,200.50"))
    whole = re.sub(group, "", whole)
    return f"{whole}.{fraction}" if point else whole


def _mark(symbol_of: object, language: str) -> str:
    return str(symbol_of(babel_locale(language)))  # type: ignore[operator]


@functools.cache
def babel_locale(language: str) -> Locale:
    """Babel's locale for a Django language code; English when Babel has none."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def format_money(amount: Money, language: str, *, whole: bool = False) -> str:
    """`€1,100.00` the way readers of `language` write it; `whole` drops the minor units."""
    locale = babel_locale(language)
    if whole:
        pattern = re.sub(r"0([.,]0+)", "0", locale.currency_formats["standard"].pattern)
        return format_currency(
            amount.decimal, amount.currency, pattern, locale=locale, currency_digits=False
        )
    return format_currency(amount.decimal, amount.currency, locale=locale)
