"""Money may not stay with us for ever: two warnings, then the custody stop (rule 2.1)."""

import datetime as dt
import logging

from django.db import transaction
from django.urls import reverse

from accounts.services.notices import notify
from marketplace.core import audit, clock
from projects.models import Dispute, Milestone
from projects.services import approvals, ending, locks, news
from projects.services.contracts import CUSTODY_RULE
from projects.services.disputes.telling import judges

log = logging.getLogger(__name__)
WITH_US = (*Milestone.HELD, Milestone.Status.DISPUTED)


def run_due() -> int:
    """Warn of stops that near and end what has reached one; returns how many milestones.

    Two sweeps at once act once.
    """
    due = Milestone.objects.filter(status__in=WITH_US, custody_due_at__lte=clock.now())
    acted = 0
    for pk in due.order_by("custody_due_at").values_list("pk", flat=True)[:100]:
        try:
            acted += _act(pk)
        except Exception:
            # One broken milestone must not keep the money of the others.
            log.exception("the custody stop of milestone %s did not act", pk)
    return acted


@transaction.atomic
def _act(pk: int) -> bool:
    milestone, now = locks.milestone_unless_busy(pk), clock.now()
    if milestone is None or milestone.status not in WITH_US:
        return False
    due, stop = milestone.custody_due_at, milestone.custody_ends_at
    if due is None or stop is None or due > now:
        return False
    if now < stop:
        _warn(milestone, stop, now)
    elif milestone.status == Milestone.Status.DISPUTED:
        _call_for_decision(milestone)
    elif at_the_stop(milestone) == "release":
        approvals.release_by_rule(milestone, CUSTODY_RULE)
    else:
        ending.return_by_custody(milestone)
    return True


def at_the_stop(milestone: Milestone) -> str:
    """What the stop will do as things stand: "release", "return", or call for a "decision"."""
    if milestone.status == Milestone.Status.DISPUTED:
        return "decision"
    return "return" if milestone.status == Milestone.Status.FUNDED else "release"


def _warn(milestone: Milestone, stop: dt.datetime, now: dt.datetime) -> None:
    policy, contract = milestone.contract.policy, milestone.contract
    last = stop - dt.timedelta(days=policy.deposit_max_days - policy.custody_last_warning_days)
    Milestone.objects.filter(pk=milestone.pk).update(custody_due_at=last if now < last else stop)
    outcome = at_the_stop(milestone)
    audit.record(
        None,
        "milestone.custody_warned",
        milestone,
        rule=CUSTODY_RULE,
        stop=stop.isoformat(),
        outcome=outcome,
    )
    news.note(contract, "milestone.custody_warned", milestone=milestone, amount=milestone.amount)
    news.tell_both(
        contract,
        "custody_warning",
        key=f"custody-warning:{milestone.ref}:{now < last}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
        due=stop,
        outcome=outcome,
    )


def _call_for_decision(milestone: Milestone) -> None:
    """A person has to decide; nothing moves by machine."""
    Milestone.objects.filter(pk=milestone.pk).update(custody_due_at=None)
    dispute = milestone.disputes.get(status=Dispute.Status.OPEN)
    audit.record(None, "dispute.custody_stop", dispute, rule=CUSTODY_RULE)
    news.note(milestone.contract, "dispute.custody_stop", milestone=milestone)
    notify(
        judges(),
        "dispute_custody_stop",
        key=f"dispute-custody-stop:{dispute.ref}",
        url=reverse("admin:projects_dispute_change", args=[dispute.pk]),
        group=news.MONEY,
        facts={
            "contract": milestone.contract.title,
            "dispute": dispute.ref,
            "amount": milestone.amount,
            "days": milestone.contract.policy.deposit_max_days,
        },
    )
