"""What a next step is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.core.display import money_text
from projects.models import Milestone
from projects.selectors.contracts import Seat


@dataclass(frozen=True)
class Action:
    """A link or button of the banner."""

    label: str
    url: str
    primary: bool = False
    danger: bool = False
    dialog: str = ""
    method: str = ""
    icon: str = ""


@dataclass(frozen=True)
class NextStep:
    """The banner: whose turn it is, by when, and what happens if nobody acts."""

    title: str
    text: str
    icon: str
    kind: str = ""
    note: str = ""
    pill: str = ""
    actions: Sequence[Action] = field(default=())
    milestone: Milestone | None = None


def link(name: str, step: Milestone) -> str:
    """Where something is done about this milestone."""
    return reverse(f"projects:{name}", kwargs={"ref": step.contract.ref, "n": step.position})


def trouble(step: Milestone) -> Action:
    """The way to a dispute."""
    url = reverse(
        "projects:dispute-new",
        kwargs={"ref": step.contract.ref, "n": step.position, "step": 1},
    )
    return Action(_("Something is wrong"), url)


def words_of(seat: Seat, step: Milestone) -> dict[str, str]:
    """Names and amounts for the sentences."""
    return {
        "title": step.title,
        "amount": money_text(step.amount),
        "client": seat.contract.client.short_name,
        "freelancer": seat.contract.freelancer.short_name,
        "n": str(step.position),
        "days": str(seat.contract.review_days),
    }
