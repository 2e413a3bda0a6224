"""The contract is over."""

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.display import day_text
from projects.models import Contract, Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.parts import Action, NextStep


def after_the_end(seat: Seat, milestones: Sequence[Milestone], *, reviewed: bool) -> NextStep:
    """The contract is over: a review, or nothing."""
    contract = seat.contract
    done = contract.status == Contract.Status.COMPLETED
    title = _("This contract is completed") if done else _("This contract ended early")
    paid = any(step.hold and step.hold.awarded_minor for step in milestones)
    end = contract.ended_at
    until = end + dt.timedelta(days=contract.policy.review_window_days) if end else None
    if paid and until and not reviewed and clock.now() < until and seat.moves_money:
        return NextStep(
            title=title,
            text=_(
                "How was it with %(other)s? Your review stays hidden until both are in, or "
                "until %(day)s."
            )
            % {"other": seat.other.short_name, "day": day_text(until)},
            icon="star",
            kind="good",
            pill=contract.get_status_display(),
            actions=[
                Action(
                    _("Review %(other)s") % {"other": seat.other.short_name},
                    reverse("projects:review", kwargs={"ref": contract.ref}),
                    primary=True,
                )
            ],
        )
    return NextStep(
        title=title,
        text=_("Nothing is left to do here. Everything stays here to read."),
        icon="check-circle" if done else "flag",
        kind="good" if done else "plain",
        pill=contract.get_status_display(),
    )
