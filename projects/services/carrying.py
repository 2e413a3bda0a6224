"""What is left of a milestone's money is held for the next one, when both agree (rule M2).

A milestone has one hold and a hold has one charge. So the next milestone becomes the part that is
paid this way, and what it needs beyond that is a milestone of its own, to be funded as usual.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core.errors import DomainError
from marketplace.core.money import Money
from payments.models import Hold
from payments.services import carrying, holds
from projects.models import ChangeOrder, Milestone, Proposal
from projects.services import clocks, locks, news
from projects.services.contracts import LONGEST_TITLE

RULE = "M2"
Status = Milestone.Status


@dataclass(frozen=True)
class Plan:
    """What becomes of what is left."""

    to: Milestone
    amount: Money
    # What the next milestone still needs, and what goes back all the same.
    unfunded: Money
    back: Money
    # When it must have left us, wherever it is held: it counts from the payment it came by.
    stop: dt.datetime


def plan(milestone: Milestone, left: Money) -> Plan | None:
    """Where so much of a milestone's money would be held; None when it can only go back.

    It goes to the next milestone nobody has begun to pay, if that is due before the money has to
    leave us, the last warning of that is still to come, and each part is worth a payment.
    """
    stop = milestone.custody_ends_at
    step = _next(milestone, stop) if stop else None
    if stop is None or step is None:
        return None
    policy = milestone.contract.policy
    least = Money.parse(str(policy.smallest_amount), left.currency)
    amount = min(left, step.amount)
    if least > step.amount - amount > Money.zero(left.currency):
        amount = step.amount - least
    if amount < least:
        return None
    return Plan(
        to=step, amount=amount, unfunded=step.amount - amount, back=left - amount, stop=stop
    )


def as_proposed(milestone: Milestone, proposal: Proposal) -> Plan | None:
    """What becomes of the rest as it was proposed; None when that is not possible any more."""
    left = proposal.back
    found = plan(milestone, left) if proposal.carry and left else None
    if found is None:
        return None
    same = (found.to.pk, found.amount.minor) == (proposal.carry_to_id, proposal.carry_minor)
    return found if same else None


def _next(milestone: Milestone, stop: dt.datetime) -> Milestone | None:
    policy = milestone.contract.policy
    # Both are warned of the stop for the last time then: nothing new is planned on such money.
    ahead = dt.timedelta(days=policy.deposit_max_days - policy.custody_last_warning_days)
    if clock.now() >= stop - ahead:
        return None
    steps = milestone.contract.milestones.filter(
        status=Status.PLANNED, position__gt=milestone.position
    )
    # What both agreed to add is paid for as they agreed.
    own = ChangeOrder.objects.filter(milestone__isnull=False).values("milestone")
    step = steps.exclude(pk__in=own).select_related("hold").order_by("position").first()
    if step is None or (step.due_on is not None and step.due_on >= stop.date()):
        return None
    step.contract = milestone.contract
    return step


def carry(milestone: Milestone, proposal: Proposal, *, by: User) -> Money:
    """Hold what is left for the next milestone; returns how much that was.

    The caller holds the milestone's locks and ends it afterwards. Raises DomainError when that
    milestone cannot take so much any more: nobody agreed to another one.
    """
    found, hold = as_proposed(milestone, proposal), milestone.hold
    if found is None or hold is None:
        raise DomainError(
            _("The rest cannot be held for the next milestone any more. Let it go back instead."),
            code="cannot_carry",
        )
    step = locks.milestone(found.to.pk)
    if step.hold is not None:
        holds.cancel_hold(step.hold, by=by)
    contract = milestone.contract
    label = f"{contract.title}: {step.title}"[:200]
    other = carrying.carry(hold, by=by, amount=found.amount, label=label)
    milestone.amount_minor -= found.amount.minor
    milestone.carried_minor += found.amount.minor
    milestone.save(update_fields=["amount_minor", "carried_minor"])
    _fund(step, found, other)
    audit.record(
        by,
        "milestone.funded_by_rest",
        step,
        hold=other.pk,
        amount=found.amount.minor,
        came_from=milestone.pk,
    )
    news.note(contract, "milestone.funded_by_rest", by=by, milestone=step, amount=found.amount)
    return found.amount


def _fund(step: Milestone, found: Plan, hold: Hold) -> None:
    contract, now = step.contract, clock.now()
    if found.unfunded:
        last = contract.milestones.aggregate(last=Max("position"))["last"]
        title = _("%(title)s: the rest") % {"title": step.title}
        Milestone.objects.create(
            contract=contract,
            position=last + 1,
            title=title[:LONGEST_TITLE],
            amount_minor=found.unfunded.minor,
            due_on=step.due_on,
        )
    step.hold, step.funded_at = hold, now
    first_warning = dt.timedelta(days=contract.policy.custody_first_warning_days)
    step.move_to(
        Status.FUNDED,
        hold=hold,
        amount_minor=found.amount.minor,
        funded_at=now,
        # Its time with us counts from the charge it came by.
        custody_due_at=(hold.held_at or now) + first_warning,
        late_due_at=step.late_at,
        dormant_due_at=clocks.first_dormancy_notice(step),
    )
