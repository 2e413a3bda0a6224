"""Handing work over, and asking for changes to it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition
from marketplace.core.models import StoredFile
from projects.models import Cancellation, ChangeRequest, Delivery, Milestone, Proposal
from projects.models.contracts import Side
from projects.services import clocks, funding, locks, news, proposals
from projects.services.change_orders import rounds
from projects.services.sides import require_client, require_freelancer
from projects.services.uploads import keep

# Rule M4: when the client is reminded before silence counts as yes.
REMINDERS = (
    dt.timedelta(days=7),
    dt.timedelta(days=3),
    dt.timedelta(hours=24),
    dt.timedelta(hours=2),
)
LONGEST_NOTE = 4000
DELIVERABLE = (Milestone.Status.FUNDED, Milestone.Status.CHANGES_REQUESTED)


@transaction.atomic
def deliver(
    milestone: Milestone,
    *,
    by: User,
    note: str,
    link: str = "",
    files: Sequence[StoredFile] = (),
    uploads: "Sequence[File[Any]]" = (),
) -> Delivery:
    """Hand the work over; the client's review window starts now.

    A paid extra round and the milestone it is for are handed over together. Raises DomainError
    (code "not_funded") while no money is behind the milestone and InvalidTransition when there is
    nothing to deliver.
    """
    kept = keep(uploads, files, by=by)
    milestone = locks.milestone(milestone.pk)
    require_freelancer(by, milestone.contract)
    funding.refuse_unfunded(milestone)
    if milestone.status not in DELIVERABLE:
        raise InvalidTransition
    note = text.short_block(note, limit=LONGEST_NOTE, field="note")
    if not note:
        raise InvalidInput(_("Say what you hand over"), field="note")
    link = text.web_address(link, field="link")
    delivery = _hand_over(milestone, by=by, note=note, link=link, files=kept)
    news.tell(
        milestone.contract,
        Side.CLIENT,
        "milestone_delivered",
        key=f"delivered:{delivery.ref}",
        milestone=milestone,
        amount=milestone.amount,
        due=milestone.review_due_at,
    )
    for other in rounds.together_with(milestone):
        if other.status in DELIVERABLE:
            _hand_over(other, by=by, note=note, link=link, files=kept)
    return delivery


def _hand_over(
    milestone: Milestone, *, by: User, note: str, link: str, files: Sequence[StoredFile]
) -> Delivery:
    contract, now = milestone.contract, clock.now()
    delivery = Delivery.objects.create(
        milestone=milestone,
        round=milestone.deliveries.count() + 1,
        note=note,
        link=link,
        delivered_by=by,
        delivered_at=now,
    )
    delivery.files.set(files)
    due = now + dt.timedelta(days=contract.review_days)
    milestone.move_to(
        Milestone.Status.SUBMITTED,
        submitted_at=now,
        review_due_at=due,
        remind_at=next_reminder(due, after=now),
        dormant="",
        dormant_due_at=None,
    )
    overtake_cancellation(milestone, by=by)
    proposals.overtake(milestone, by=by, kinds=[Proposal.Kind.EXTENSION])
    audit.record(
        by, "milestone.delivered", milestone, delivery=delivery.pk, review_due_at=due.isoformat()
    )
    news.note(
        contract,
        "milestone.delivered",
        by=by,
        milestone=milestone,
        round=delivery.round,
        review_due_at=due.isoformat(),
    )
    return delivery


def next_reminder(due: dt.datetime, *, after: dt.datetime) -> dt.datetime | None:
    """The first reminder before `due` that is still to come."""
    return next((due - gap for gap in REMINDERS if due - gap > after), None)


def overtake_cancellation(milestone: Milestone, *, by: User) -> None:
    """A running wish to call the milestone off has lost its reason."""
    running = milestone.cancellations.filter(status=Cancellation.Status.OPEN).first()
    if running:
        running.move_to(Cancellation.Status.OVERTAKEN, answered_at=clock.now(), answered_by=by)


@transaction.atomic
def ask_for_changes(milestone: Milestone, *, by: User, points: str) -> ChangeRequest:
    """Send the delivery back with what should change; the review clock stops (rule M6).

    Raises DomainError (code "rounds_used") when the included rounds are used up (rule M7).
    """
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require_client(by, contract, "hire")
    if milestone.status != Milestone.Status.SUBMITTED:
        raise InvalidTransition
    if rounds_left(milestone) == 0:
        raise DomainError(
            _(
                "The %(rounds)s included rounds of changes are used up. Approve the work, ask for "
                "an extra round, or open a dispute."
            )
            % {"rounds": contract.change_rounds},
            code="rounds_used",
        )
    points = text.short_block(points, limit=LONGEST_NOTE, field="points")
    if not points:
        raise InvalidInput(_("Name at least one thing that should change"), field="points")
    return send_back(milestone, by=by, points=points)


def send_back(milestone: Milestone, *, by: User, points: str) -> ChangeRequest:
    """Stop the review and tell the freelancer what should change. The caller holds the locks."""
    contract, delivery = milestone.contract, milestone.deliveries.latest("round")
    request = ChangeRequest.objects.create(
        delivery=delivery, points=points, asked_by=by, asked_at=clock.now()
    )
    milestone.move_to(
        Milestone.Status.CHANGES_REQUESTED,
        review_due_at=None,
        remind_at=None,
        changes_asked=milestone.changes_asked + 1,
        dormant_due_at=clocks.first_dormancy_notice(milestone),
    )
    overtake_cancellation(milestone, by=by)
    audit.record(by, "milestone.changes_asked", milestone, delivery=delivery.pk)
    news.note(
        contract,
        "milestone.changes_asked",
        by=by,
        milestone=milestone,
        round=milestone.changes_asked,
    )
    news.tell(
        contract,
        Side.FREELANCER,
        "changes_asked",
        key=f"changes-asked:{delivery.ref}",
        milestone=milestone,
        left=rounds_left(milestone),
    )
    return request


def rounds_left(milestone: Milestone) -> int:
    """How often the client may still ask for changes to this milestone."""
    if rounds.is_extra_round(milestone):
        return 0
    return max(0, milestone.contract.change_rounds - milestone.changes_asked)


def remind_due() -> int:
    """Remind clients whose review window runs out; returns how many. Two sweeps remind once."""
    now = clock.now()
    due = Milestone.objects.filter(status=Milestone.Status.SUBMITTED, remind_at__lte=now)
    parties = ("contract__client", "contract__freelancer")
    return sum(_remind(step, now) for step in due.select_related(*parties)[:200])


@transaction.atomic
def _remind(milestone: Milestone, now: dt.datetime) -> bool:
    due = milestone.review_due_at
    if due is None:
        return False
    # Whoever moves `remind_at` reminds; the other sweep finds nothing to move.
    mine = Milestone.objects.filter(
        pk=milestone.pk, status=Milestone.Status.SUBMITTED, remind_at=milestone.remind_at
    ).update(remind_at=next_reminder(due, after=now))
    if mine and due > now:
        news.tell(
            milestone.contract,
            Side.CLIENT,
            "review_reminder",
            key=f"review-reminder:{milestone.ref}:{milestone.remind_at:%Y%m%d%H%M}",
            group=news.MONEY,
            milestone=milestone,
            amount=milestone.amount,
            due=due,
        )
    return bool(mine)
