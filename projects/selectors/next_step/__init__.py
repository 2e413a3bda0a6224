"""The next step for one side: one thing to do, by when, and what happens if nobody does it."""

from collections.abc import Callable, Sequence

from projects.models import Contract, Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step import before, ended, reviewing, stopped, working
from projects.selectors.next_step.parts import Action, NextStep

__all__ = ["Action", "NextStep", "next_step"]

S = Milestone.Status


TELLERS: dict[str, Callable[[Seat, Milestone], NextStep]] = {
    S.PLANNED: before.planned,
    S.FUNDING: before.funding,
    S.FUNDED: working.funded,
    S.SUBMITTED: reviewing.submitted,
    S.CHANGES_REQUESTED: reviewing.changes_requested,
    S.DISPUTED: stopped.disputed,
    S.FROZEN: stopped.frozen,
}
# What comes first when several milestones go on: what the reader can do, then what they wait for.
ORDER = {
    "client": (
        S.SUBMITTED,
        S.DISPUTED,
        S.FROZEN,
        S.FUNDING,
        S.CHANGES_REQUESTED,
        S.FUNDED,
        S.PLANNED,
    ),
    "freelancer": (
        S.CHANGES_REQUESTED,
        S.DISPUTED,
        S.FROZEN,
        S.FUNDED,
        S.SUBMITTED,
        S.FUNDING,
        S.PLANNED,
    ),
}


def next_step(seat: Seat, milestones: Sequence[Milestone], *, reviewed: bool) -> NextStep:
    """The one banner of the page. `reviewed` says whether this side has written its review."""
    if seat.contract.status != Contract.Status.ACTIVE:
        return ended.after_the_end(seat, milestones, reviewed=reviewed)
    by_status: dict[str, Milestone] = {}
    for step in milestones:
        by_status.setdefault(step.status, step)
    for status in ORDER[seat.side]:
        if found := by_status.get(status):
            return TELLERS[status](seat, found)
    raise AssertionError("an active contract has a milestone that goes on")
