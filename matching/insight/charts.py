"""Bars of counts, drawn on the server so that they need no script and no inline style."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplace.core.display import month_text
from matching.insight.selectors.market import MonthRow

STEPS = 4


@dataclass(frozen=True)
class Column:
    """One month: positions are SVG units in a box that is 100 high and one wide per month."""

    label: str
    number: int | None
    x: str
    y: str
    height: str

    @property
    def title(self) -> str:
        """What hovering says."""
        if self.number is None:
            return _("%(month)s: too few to show") % {"month": self.label}
        return _("%(month)s: %(number)s") % {"month": self.label, "number": self.number}


@dataclass(frozen=True)
class CountChart:
    """Everything the template draws."""

    columns: Sequence[Column]
    ticks: Sequence[int]

    @property
    def width(self) -> int:
        """Units across."""
        return len(self.columns)


def posted_chart(months: Sequence[MonthRow]) -> CountChart | None:
    """Projects posted a month; None when no month may be shown."""
    known = [row.figures.posted for row in months if row.figures.posted is not None]
    if not known:
        return None
    top = max(STEPS, -(-max(known) // STEPS) * STEPS)
    columns = []
    for place, row in enumerate(months):
        height = 100 * (row.figures.posted or 0) / top
        columns.append(
            Column(
                label=month_text(row.month),
                number=row.figures.posted,
                x=f"{place + 0.19:.2f}",
                y=f"{100 - height:.2f}",
                height=f"{height:.2f}",
            )
        )
    return CountChart(columns, [top * step // STEPS for step in range(STEPS, -1, -1)])
