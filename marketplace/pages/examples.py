"""One invented contract, always labelled as an example, for the front page and the style guide."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.display import money_text
from marketplace.core.money import Money


@dataclass(frozen=True)
class ExampleSegment:
    """One part of the money bar."""

    state: str
    money: Money


@dataclass(frozen=True)
class ExampleParty:
    """Somebody who does not exist."""

    pk: int
    name: str
    kind: str = "person"


@dataclass(frozen=True)
class ExampleEvent:
    """One line of the history."""

    text: str
    icon: str
    at: datetime
    kind: str = ""


@dataclass(frozen=True)
class ExampleContract:
    """What the card on the front page shows."""

    total: Money
    segments: list[ExampleSegment]
    events: list[ExampleEvent]
    freelancer: ExampleParty = field(default_factory=lambda: ExampleParty(1, "Ines Carvalho"))


def example_contract(*, currency: str, review_days: int) -> ExampleContract:
    """A contract whose second milestone was delivered three days ago."""
    paid, review, open_ = (Money(minor, currency) for minor in (600_00, 1_100_00, 700_00))
    delivered = clock.now() - timedelta(days=3)
    amount = {"amount": money_text(review)}
    return ExampleContract(
        total=paid + review + open_,
        segments=[
            ExampleSegment("paid_out", paid),
            ExampleSegment("in_review", review),
            ExampleSegment("not_funded", open_),
        ],
        events=[
            ExampleEvent(
                _("%(amount)s goes to Ines if Kiezrad does not reply") % amount,
                "clock",
                delivered + timedelta(days=review_days),
                "next",
            ),
            ExampleEvent(_("Ines delivered “Design and build”"), "upload", delivered, "warn"),
            ExampleEvent(
                _("Kiezrad set aside %(amount)s") % amount,
                "lock",
                delivered - timedelta(days=17),
                "held",
            ),
        ],
    )


def example_steps(currency: str) -> list[list[ExampleSegment]]:
    """The bar at each of the four steps of the money."""
    small, rest = Money(400_00, currency), Money(600_00, currency)
    return [
        [ExampleSegment("not_funded", small + rest)],
        [ExampleSegment("held", small), ExampleSegment("not_funded", rest)],
        [ExampleSegment("paid_out", small), ExampleSegment("held", rest)],
        [ExampleSegment("paid_out", small), ExampleSegment("disputed", rest)],
    ]
