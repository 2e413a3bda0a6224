"""What a visitor looks for among freelancers. Nonsense is left out, never an error."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.selectors import PeopleFilter
from marketplace.core import text
from marketplace.core.display import currency_symbol, money_round_text
from marketplace.core.money import InvalidAmount, Money

MOST_SKILLS = 5


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the address of the list without it."""

    label: str
    url: str


class Looking:
    """The filter as read from an address, and the words and addresses to show it."""

    def __init__(self, query: QueryDict, *, action: str) -> None:
        self.action = action
        self.q = text.line(query.get("q", ""))[:100]
        self.skills = selectors.skills_named(query.getlist("skill")[: MOST_SKILLS + 1])
        self.skills = self.skills[:MOST_SKILLS]
        self.available = query.get("available") == "1"
        self.rate = self._rate(query.get("rate", ""))
        self.after = query.get("after", "")

    @staticmethod
    def _rate(typed: str) -> Money | None:
        try:
            rate = Money.parse_local(typed[:20], settings.DEFAULT_CURRENCY, get_language() or "en")
        except InvalidAmount:
            return None
        return rate if rate.minor > 0 else None

    @property
    def wanted(self) -> PeopleFilter:
        """What to look for."""
        return PeopleFilter(
            q=self.q,
            skills=self.skills,
            available=self.available,
            rate_max_minor=self.rate.minor if self.rate else None,
            currency=self.rate.currency if self.rate else "",
        )

    @property
    def rate_text(self) -> str:
        """The rate as it stands in its field."""
        if self.rate is None:
            return ""
        shown = money_round_text(self.rate).replace(currency_symbol(self.rate.currency), "")
        return shown.strip("\u00a0 ")

    @property
    def currency_symbol(self) -> str:
        """`€`, for the field of the rate."""
        return currency_symbol(settings.DEFAULT_CURRENCY)

    def pairs(self) -> list[tuple[str, str]]:
        """The filter as an address has it, in a stable order, defaults left out."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [("skill", skill.name) for skill in self.skills]
        pairs += [("available", "1")] if self.available else []
        return pairs + ([("rate", self.rate_text)] if self.rate else [])

    def url(self, without: tuple[str, str] | None = None, after: str = "") -> str:
        """The list with this filter, perhaps without one part of it or from a cursor on."""
        pairs = [pair for pair in self.pairs() if pair != without]
        pairs += [("after", after)] if after else []
        return f"{self.action}?{urlencode(pairs)}" if pairs else self.action

    def chips(self) -> list[Chip]:
        """One per filter that is on."""
        return [
            Chip(self._words(name, value), self.url(without=(name, value)))
            for name, value in self.pairs()
        ]

    def _words(self, name: str, value: str) -> str:
        if name == "q":
            return f"“{value}”"
        if name == "available":
            return _("Takes work")
        if name == "rate" and self.rate:
            return _("Up to %(amount)s an hour") % {"amount": money_round_text(self.rate)}
        return value
