"""The template library of the design system; a builtin, so no `{% load %}` is needed."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from marketplace.core import display, moneybar
from marketplace.core.charts import bar_chart
from marketplace.core.icons import ICONS
from marketplace.core.money import Money

register = template.Library()

HUES = ("a", "b", "c", "d", "e", "f")
FEW_REVIEWS = 3


@register.simple_tag
def icon(name: str, cls: str = "", label: str = "") -> SafeString:
    """A glyph of our set. Decorative, unless `label` says that it stands alone."""
    meaning = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else format_html('aria-hidden="{}"', "true")
    )
    classes = " ".join(filter(None, ["icon", "icon--fill" if name == "star" else "", cls]))
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" {}>{}</svg>',
        classes,
        meaning,
        mark_safe(ICONS[name]),  # noqa: S308 - our own constants
    )


# --- Amounts --------------------------------------------------------------------------------


def _amount(text: str) -> SafeString:
    # <bdi> keeps an amount whole inside right-to-left text.
    return format_html('<bdi class="money">{}</bdi>', text) if text else SafeString("")


@register.filter
def money(value: Money | None) -> SafeString:
    """`€1,100.00` marked up for the page; nothing for None."""
    return _amount("" if value is None else display.money_text(value))


@register.filter
def money_minus(value: Money | None) -> SafeString:
    """The amount with a minus sign, whatever its own: for lines that take away."""
    if value is None:
        return SafeString("")
    return _amount(display.money_text(Money(-abs(value.minor), value.currency)))


@register.filter
def money_plain(value: Money | None) -> str:
    """`€1,100.00` as text: for attributes, titles, mails and `{% blocktranslate %}`."""
    return "" if value is None else display.money_text(value)


@register.filter
def money_round(value: Money | None) -> SafeString:
    """`€1,100`: for lists."""
    return _amount("" if value is None else display.money_round_text(value))


@register.simple_tag
def money_range(low: Money | None, high: Money | None) -> SafeString:
    """From €3,000 to 4,500, in short."""
    return _amount(display.money_range_text(low, high))


@register.filter
def percent(basis_points: int) -> str:
    """`8%` from 800."""
    return display.percent_text(basis_points)


@register.filter
def filesize(size: int) -> str:
    """`2.4 MB`."""
    return display.size_text(size)


# --- Days and times -------------------------------------------------------------------------


@register.filter
def day(value: date | datetime | None) -> str:
    """`Thu 3 Dec`, with the year when it is not this one."""
    return "" if value is None else display.day_text(value)


@register.filter
def days_left(value: date | datetime | None) -> str:
    """`11 days left`."""
    return "" if value is None else display.days_left_text(value)


@register.filter
def when(value: datetime | None) -> SafeString:
    """`Thu 19 Nov, 16:42` in the reader's time zone."""
    return _time(value, display.moment_text) if value else SafeString("")


@register.filter
def at(value: datetime | None) -> SafeString:
    """`16:42` in the reader's time zone."""
    return _time(value, display.clock_text) if value else SafeString("")


@register.filter
def ago(value: datetime | None) -> SafeString:
    """`3 hours ago`."""
    return _time(value, display.ago_text) if value else SafeString("")


def _time(value: datetime, words: Any) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(timespec="seconds"),
        display.full_moment_text(value),
        words(value),
    )


# --- Where the money is ---------------------------------------------------------------------


@register.simple_tag(name="moneybar")
def money_bar(segments: Iterable[moneybar.Segment], small: bool = False) -> SafeString:
    """The bar for objects with `.state` and `.money`."""
    return moneybar.bar(segments, small=small)


@register.inclusion_tag("components/legend.html")
def money_legend(segments: Iterable[moneybar.Segment], side: str = "hire") -> dict[str, Any]:
    """The key of the bar: colour, word and amount of each state in it."""
    amounts = moneybar.merged(segments)
    return {
        "rows": [
            {"key": moneybar.STATES[s].legend, "word": moneybar.STATES[s].word(side), "money": m}
            for s, m in amounts
        ]
    }


@register.simple_tag
def money_pill(state: str, side: str = "hire") -> SafeString:
    """The state of one amount as icon and word; `side` is "work" for the freelancer's words."""
    look = moneybar.STATES[state]
    classes = f"pill {look.pill}".strip()
    return format_html('<span class="{}">{}{}</span>', classes, icon(look.icon), look.word(side))


# --- People ---------------------------------------------------------------------------------


@register.simple_tag
def avatar(party: Any, size: str = "") -> SafeString:
    """Initials of a party or user on its own colour. Not read aloud: the name stands next to it."""
    name = str(getattr(party, "name", "") or party)
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"
    classes = ["avatar"]
    number = getattr(party, "party_id", None) or getattr(party, "pk", None) or 0
    hue = HUES[number % len(HUES)]
    classes += [f"avatar--{hue}"] if hue != "a" else []
    classes += ["avatar--org"] if getattr(party, "kind", "") == "organisation" else []
    classes += [f"avatar--{size}"] if size else []
    return format_html('<span class="{}" aria-hidden="true">{}</span>', " ".join(classes), initials)


@register.simple_tag
def stars(rating: Any, count: int) -> SafeString:
    """`★ 4.9 (14)`; “New here” below three reviews, because an average of two says nothing."""
    if rating is None or count < FEW_REVIEWS:
        return format_html('<span class="rating">{}</span>', _("New here"))
    return format_html(
        '<span class="rating">{}<b>{}</b> ({})<span class="vh"> {}</span></span>',
        icon("star", label=_("Rating")),
        f"{rating:.1f}",
        count,
        _("reviews"),
    )


# --- Pages ----------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def here(context: template.Context, *names: str) -> SafeString:
    """` aria-current="page"` when the page lies under one of these URL names."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return SafeString("")
    under = any(request.path.startswith(reverse(name)) for name in names)
    return SafeString(' aria-current="page"' if under else "")


@register.inclusion_tag("components/chart.html")
def chart(
    rows: Iterable[Any],
    title: str,
    first: str,
    second: str = "",
) -> dict[str, Any]:
    """Bars and a table of rows with `.label`, `.first` and perhaps `.second` (Money)."""
    return {"chart": bar_chart(list(rows), title=title, first=first, second=second)}
