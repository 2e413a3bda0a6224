"""A milestone whose card payment is questioned by the client's bank: it waits, goes on, or ends.

Runs inside the payment's own transaction, which locks the hold after this.
"""

import datetime as dt
from typing import Any

from django.db import transaction

from marketplace.core import audit, clock
from marketplace.core.display import day_text
from payments.models import Hold
from payments.services.evidence import WorkRecord
from projects.models import Cancellation, Dispute, Message, Milestone
from projects.services import clocks, locks, news
from projects.services.change_orders import closing
from projects.services.contracts import end_if_over
from projects.services.deliveries import next_reminder

RULE = "C6"
Status = Milestone.Status


@transaction.atomic
def stop(hold: Hold) -> None:
    """The milestone waits and its review clock remembers its rest. Repeating changes nothing.

    A disputed milestone stays disputed: its money is stopped all the same.
    """
    milestone = _locked(hold)
    if milestone is None or milestone.status not in Milestone.HELD:
        return
    due = milestone.review_due_at
    left = None if due is None else max(0, int((due - clock.now()).total_seconds()))
    milestone.move_to(
        Status.FROZEN,
        frozen_was=milestone.status,
        frozen_left=left,
        review_due_at=None,
        remind_at=None,
        dormant="",
        stopped_at=clock.now(),
    )
    audit.record(None, "milestone.frozen", milestone, rule=RULE, hold=hold.pk)
    news.note(
        milestone.contract, "payment.questioned", milestone=milestone, amount=milestone.amount
    )
    news.tell_both(
        milestone.contract,
        "payment_questioned",
        key=f"payment-questioned:{milestone.ref}:{clock.now():%Y%m%d%H%M%S}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
    )


@transaction.atomic
def go_on(hold: Hold) -> None:
    """The payment stands: the milestone is as before and its review clock runs on."""
    milestone = _locked(hold)
    if milestone is None or milestone.status != Status.FROZEN:
        return
    now = clock.now()
    again: dict[str, Any] = clocks.go_on(milestone)
    if milestone.frozen_left is not None:
        due = now + dt.timedelta(seconds=milestone.frozen_left)
        again |= {"review_due_at": due, "remind_at": next_reminder(due, after=now)}
    milestone.move_to(milestone.frozen_was, **again)
    audit.record(None, "milestone.thawed", milestone, rule=RULE, hold=hold.pk)
    news.note(milestone.contract, "payment.cleared", milestone=milestone, amount=milestone.amount)
    news.tell_both(
        milestone.contract,
        "payment_cleared",
        key=f"payment-cleared:{milestone.ref}:{now:%Y%m%d%H%M%S}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
    )


@transaction.atomic
def end(hold: Hold) -> None:
    """The bank has returned the payment for good: nothing is left to work for or argue over."""
    milestone = _locked(hold)
    if milestone is None or milestone.status not in {Status.FROZEN, Status.DISPUTED}:
        return
    now = clock.now()
    for dispute in milestone.disputes.filter(status=Dispute.Status.OPEN).select_for_update():
        dispute.move_to(Dispute.Status.OVERTAKEN, ended_at=now, notice_due_at=None)
        audit.record(None, "dispute.overtaken", dispute, rule=RULE)
    for question in milestone.cancellations.filter(status=Cancellation.Status.OPEN):
        question.move_to(Cancellation.Status.OVERTAKEN, answered_at=now)
    closing.overtake(milestone, by=None)
    milestone.move_to(Status.CANCELLED)
    audit.record(None, "milestone.taken_back", milestone, rule=RULE, hold=hold.pk)
    news.note(
        milestone.contract, "payment.taken_back", milestone=milestone, amount=milestone.amount
    )
    news.tell_both(
        milestone.contract,
        "payment_taken_back",
        key=f"payment-taken-back:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
    )
    end_if_over(milestone.contract, by=None)


def work_record(hold: Hold) -> WorkRecord | None:
    """What the money of this hold was for, for the bank; None when it is no milestone's."""
    milestone = Milestone.objects.select_related("contract__freelancer").filter(hold=hold).first()
    if milestone is None:
        return None
    contract = milestone.contract
    deliveries = milestone.deliveries.order_by("round").prefetch_related("files")
    return WorkRecord(
        title=f"{contract.title}: {milestone.title}",
        terms=contract.terms,
        agreed_at=contract.client_agreed_at,
        deliveries=[
            f"{day_text(one.delivered_at)}, round {one.round}: {one.note[:500]}"
            + "".join(f" [file {file.name}, SHA-256 {file.sha256}]" for file in one.files.all())
            for one in deliveries
        ],
        accepted_at=milestone.approved_at,
        messages=Message.objects.filter(contract=contract).count(),
    )


def _locked(hold: Hold) -> Milestone | None:
    """Payments may hold money for other things than milestones; those are not our business."""
    pk = Milestone.objects.filter(hold=hold).values_list("pk", flat=True).first()
    return None if pk is None else locks.milestone(pk)
