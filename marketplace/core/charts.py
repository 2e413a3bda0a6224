"""Bar charts of money, drawn on the server so that they need no script and no inline style."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from marketplace.core.display import money_round_text, money_text
from marketplace.core.money import Money

STEPS = 4


@dataclass(frozen=True)
class Bar:
    """One column: positions are SVG units in a box that is 100 high and one wide per row."""

    label: str
    first: Money
    second: Money | None
    x: str
    first_y: str
    first_height: str
    second_y: str
    second_height: str

    @property
    def title(self) -> str:
        """What hovering says."""
        text = _("%(label)s: %(amount)s") % {"label": self.label, "amount": money_text(self.first)}
        if self.second:
            text = _("%(first)s and %(second)s") % {
                "first": text,
                "second": money_text(self.second),
            }
        return text


@dataclass(frozen=True)
class Chart:
    """Everything the chart template draws."""

    title: str
    first: str
    second: str
    bars: list[Bar]
    ticks: list[str]
    sentence: str

    @property
    def width(self) -> int:
        """Units across."""
        return len(self.bars)


def bar_chart(rows: list[Any], *, title: str, first: str, second: str = "") -> Chart | None:
    """Scale the rows to a round maximum; None when there is nothing to show."""
    if not rows or not any(row.first.minor or _second(row) for row in rows):
        return None
    currency = rows[0].first.currency
    top = _round_up(max(row.first.minor + _second(row) for row in rows))
    ticks = [
        money_round_text(Money(top * step // STEPS, currency)) for step in range(STEPS, -1, -1)
    ]
    bars = [_bar(index, row, top) for index, row in enumerate(rows)]
    low = min(bars, key=lambda bar: bar.first.minor)
    high = max(bars, key=lambda bar: bar.first.minor)
    sentence = _(
        "Bar chart. Lowest %(low)s with %(low_amount)s, highest %(high)s with %(high_amount)s. "
        "%(last)s so far %(last_amount)s."
    ) % {
        "low": low.label,
        "low_amount": money_text(low.first),
        "high": high.label,
        "high_amount": money_text(high.first),
        "last": bars[-1].label,
        "last_amount": money_text(bars[-1].first),
    }
    return Chart(title, first, second, bars, ticks, sentence)


def _bar(index: int, row: Any, top: int) -> Bar:
    first = Decimal(row.first.minor) * 100 / top
    second = Decimal(_second(row)) * 100 / top
    extra = Money(_second(row), row.first.currency) if _second(row) else None
    numbers = (Decimal(index) + Decimal("0.19"), 100 - first, first, 100 - first - second, second)
    x, first_y, first_height, second_y, second_height = (f"{number:.2f}" for number in numbers)
    return Bar(str(row.label), row.first, extra, x, first_y, first_height, second_y, second_height)


def _second(row: Any) -> int:
    money = getattr(row, "second", None)
    return money.minor if money else 0


def _round_up(minor: int) -> int:
    """The next 1, 2, 4 or 8 times a power of ten: each divides well into four steps."""
    power = 1
    while power * 10 <= minor:
        power *= 10
    factor = next(factor for factor in (1, 2, 4, 8, 10) if power * factor >= minor)
    return max(power * factor, STEPS)
