"""How amounts, days and lists read in the language of the person looking at them.

Templates reach these through templatetags/ui.py; services and mails call them directly.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.money import Money, babel_locale, format_money

MINUS = "−"
# English follows the house style ("Thu 3 Dec", "16:42"); other languages follow CLDR.
ENGLISH = {"MMMEd": "EEE d MMM", "yMMMEd": "EEE d MMM y", "Hm": "HH:mm", "yMMM": "MMM y"}


def reader_locale() -> Locale:
    """The Babel locale of the active language."""
    return babel_locale(_language())


def money_text(money: Money) -> str:
    """`€1,100.00`: with the currency's own decimals, for amounts that move."""
    return format_money(money, _language()).replace("-", MINUS)


def money_round_text(money: Money) -> str:
    """`€1,100`: whole units, for lists and ranges."""
    return format_money(money, _language(), whole=True).replace("-", MINUS)


def money_range_text(low: Money | None, high: Money | None) -> str:
    """From €3,000 to 4,500 in short; one amount when both ends agree or one is missing."""
    if low is None or high is None or low == high:
        only = low if low is not None else high
        return money_round_text(only) if only is not None else ""
    locale = reader_locale()
    first, last = (format_decimal(_rounded(end), locale=locale) for end in (low, high))
    return money_round_text(low).replace(first, f"{first}–{last}", 1)


def currency_symbol(currency: str) -> str:
    """`€` in the reader's language."""
    return str(reader_locale().currency_symbols.get(currency, currency))


def percent_text(basis_points: int) -> str:
    """`8%`, `2.5%` from basis points."""
    locale = reader_locale()
    number = format_decimal(Decimal(basis_points).scaleb(-2).normalize(), locale=locale)
    pattern = str(locale.percent_formats[None].pattern)
    return pattern.replace("#,##0", number).replace(",##", "")


def day_text(value: date | datetime) -> str:
    """`Thu 3 Dec`, with the year when it is not this one."""
    day = _local(value)
    this_year = timezone.localtime(clock.now()).year
    return _skeleton("MMMEd" if day.year == this_year else "yMMMEd", day)


def moment_text(value: datetime) -> str:
    """`Thu 19 Nov, 16:42` in the reader's time zone."""
    return format_list([day_text(value), clock_text(value)], style="unit", locale=reader_locale())


def clock_text(value: datetime) -> str:
    """`16:42` in the reader's time zone."""
    return _skeleton("Hm", timezone.localtime(value))


def month_text(value: date) -> str:
    """`Nov 2026`."""
    return _skeleton("yMMM", value)


def full_moment_text(value: datetime) -> str:
    """The whole date with weekday, year and zone, for hover titles and records."""
    local = timezone.localtime(value)
    locale = reader_locale()
    day = format_date(local, "full", locale=locale)
    hour = format_datetime(local, "HH:mm z", locale=locale, tzinfo=local.tzinfo)
    return format_list([day, hour], style="unit", locale=locale)


def ago_text(value: datetime) -> str:
    """`3 hours ago`, `in 2 days`; the day itself when it is more than four weeks away."""
    gap = value - clock.now()
    if abs(gap) < timedelta(minutes=1):
        return _("just now")
    if abs(gap) > timedelta(weeks=4):
        return day_text(value)
    return format_timedelta(gap, add_direction=True, locale=reader_locale(), threshold=1.2)


def days_left_text(value: date | datetime) -> str:
    """`11 days left`, counted in the reader's calendar days; `today` and `overdue` at the ends."""
    left = (_as_date(value) - timezone.localtime(clock.now()).date()).days
    if left < 0:
        return _("overdue")
    if left == 0:
        return _("today")
    return ngettext("%(count)s day left", "%(count)s days left", left) % {"count": left}


def list_text(parts: Iterable[str]) -> str:
    """`a, b, c` as the language writes it, without a word for “and”."""
    return format_list(list(parts), style="unit", locale=reader_locale())


def size_text(size: int) -> str:
    """`310 KB`, `2.4 MB`."""
    locale = reader_locale()
    if size >= 1_000_000:
        number = format_decimal(Decimal(size) / 1_000_000, format="#,##0.#", locale=locale)
        return _("%(number)s MB") % {"number": number}
    return _("%(number)s KB") % {
        "number": format_decimal(max(1, round(size / 1000)), locale=locale)
    }


def _language() -> str:
    return get_language() or "en"


def _rounded(money: Money) -> Decimal:
    return money.decimal.quantize(Decimal(1), ROUND_HALF_EVEN)


def _local(value: date | datetime) -> date | datetime:
    return timezone.localtime(value) if isinstance(value, datetime) else value


def _as_date(value: date | datetime) -> date:
    local = _local(value)
    return local.date() if isinstance(local, datetime) else local


def _skeleton(name: str, value: date | datetime) -> str:
    locale = reader_locale()
    zone = value.tzinfo if isinstance(value, datetime) else None
    if locale.language == "en":
        form = ENGLISH[name]
        if isinstance(value, datetime):
            return format_datetime(value, form, tzinfo=zone, locale=locale)
        return format_date(value, form, locale=locale)
    return format_skeleton(name, value, tzinfo=zone, locale=locale)
