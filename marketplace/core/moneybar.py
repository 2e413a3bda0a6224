"""The money bar: one bar that shows where every cent is, in colours, words and amounts.

Order, colour, icon and word of a state are the same on every screen, so they are decided here only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core.display import list_text, money_text
from marketplace.core.money import Money

Words = str | Promise
HATCH = "url(#hatch)"  # the pattern is drawn once per page, by base.html


@dataclass(frozen=True)
class MoneyState:
    """What one state of held money looks like and is called."""

    legend: str
    segment: str
    pill: str
    icon: str
    client: Words
    freelancer: Words
    sentence: Words

    def word(self, side: str) -> str:
        """The word for a reader on this side: "work" for freelancers, anything else for clients."""
        return str(self.freelancer if side == "work" else self.client)


# In the order in which the bar is filled.
STATES: dict[str, MoneyState] = {
    "paid_out": MoneyState(
        "paid",
        "seg-paid",
        "pill--good",
        "check",
        gettext_lazy("Paid out"),
        gettext_lazy("Paid out"),
        gettext_lazy("%(amount)s paid out"),
    ),
    "released": MoneyState(
        "paid",
        "seg-paid",
        "pill--good",
        "clock",
        gettext_lazy("Released"),
        gettext_lazy("On its way to you"),
        gettext_lazy("%(amount)s released and on its way"),
    ),
    "in_review": MoneyState(
        "review",
        "seg-review",
        "pill--warn",
        "eye",
        gettext_lazy("Held, in review"),
        gettext_lazy("Held, in review"),
        gettext_lazy("%(amount)s held and in review"),
    ),
    "disputed": MoneyState(
        "dispute",
        "seg-dispute",
        "pill--bad",
        "scale",
        gettext_lazy("Disputed, paused"),
        gettext_lazy("Disputed, paused"),
        gettext_lazy("%(amount)s in dispute and paused"),
    ),
    "held": MoneyState(
        "held",
        "seg-held",
        "pill--held",
        "lock",
        gettext_lazy("Held"),
        gettext_lazy("Funded, go ahead"),
        gettext_lazy("%(amount)s held"),
    ),
    "on_its_way": MoneyState(
        "none",
        "",
        "",
        "clock",
        gettext_lazy("Payment on its way"),
        gettext_lazy("Payment on its way"),
        gettext_lazy("%(amount)s on its way to us"),
    ),
    "not_funded": MoneyState(
        "none",
        "",
        "pill--open",
        "ring",
        gettext_lazy("Not funded"),
        gettext_lazy("Not funded, do not start"),
        gettext_lazy("%(amount)s not funded yet"),
    ),
    "refunded": MoneyState(
        "back",
        "seg-back",
        "",
        "refresh",
        gettext_lazy("Refunded"),
        gettext_lazy("Returned to client"),
        gettext_lazy("%(amount)s returned to the client"),
    ),
}


class Segment(Protocol):
    """Anything that has a state and an amount can stand in the bar."""

    @property
    def state(self) -> str: ...
    @property
    def money(self) -> Money: ...


def merged(segments: Iterable[Segment]) -> list[tuple[str, Money]]:
    """One amount per state, in the order of the bar, without empty ones."""
    sums: dict[str, int] = {}
    currency = ""
    for segment in segments:
        currency = segment.money.currency
        sums[segment.state] = sums.get(segment.state, 0) + segment.money.minor
    return [(state, Money(sums[state], currency)) for state in STATES if sums.get(state)]


def sentence(amounts: list[tuple[str, Money]]) -> str:
    """The bar for people who do not see it: `Of €2,400.00: €600.00 paid out, …`."""
    if not amounts:
        return _("No money yet")
    total = Money(sum(money.minor for _state, money in amounts), amounts[0][1].currency)
    parts = [
        str(STATES[state].sentence) % {"amount": money_text(money)} for state, money in amounts
    ]
    return _("Of %(total)s: %(parts)s") % {"total": money_text(total), "parts": list_text(parts)}


def bar(segments: Iterable[Segment], *, small: bool = False) -> SafeString:
    """The bar as SVG. Widths are attributes, because a strict CSP forbids inline styles."""
    amounts = merged(segments)
    total = sum(money.minor for _state, money in amounts)
    rects = []
    done = 0
    for state, money in amounts:
        start, width = _percent(done, total), _percent(money.minor, total)
        done += money.minor
        segment = STATES[state].segment
        paint = format_html('class="{}"', segment) if segment else format_html('fill="{}"', HATCH)
        rects.append((paint, start, width))
    drawn = format_html_join("", '<rect {} x="{}%" width="{}%" height="14"/>', rects)
    return format_html(
        '<svg class="moneybar{}" role="img" aria-label="{}" width="100%" height="14">{}</svg>',
        " moneybar--sm" if small else "",
        sentence(amounts),
        drawn,
    )


def _percent(part: int, whole: int) -> str:
    share = Decimal(part) * 100 / Decimal(whole)
    return f"{share.quantize(Decimal('0.01')).normalize():f}"
