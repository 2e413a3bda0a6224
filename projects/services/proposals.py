"""A new due date or a lower amount: one side proposes, the other accepts, silence is no."""

import datetime as dt
import logging
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.display import day_text, money_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from payments.services import holds
from projects.models import Milestone, Proposal
from projects.models.contracts import Side
from projects.services import carrying, clocks, locks, news
from projects.services.change_orders import closing
from projects.services.contracts import end_if_over
from projects.services.sides import over_money

log = logging.getLogger(__name__)
Kind, Status = Proposal.Kind, Proposal.Status
LONGEST_REASON = 2000
# While a due date means something, and while there is money to agree about.
MOVABLE = {
    Kind.EXTENSION: (Milestone.Status.PLANNED, Milestone.Status.FUNDED),
    Kind.PART: Milestone.HELD,
}
PAGES = {Kind.EXTENSION: "extend", Kind.PART: "release-part"}


@transaction.atomic
def propose_extension(milestone: Milestone, *, by: User, due_on: dt.date, reason: str) -> Proposal:
    """Propose a later due date (rule M12). It lapses if nobody answers within the policy's days.

    Raises InvalidInput for a day that is no extension or lies beyond the custody stop.
    """
    milestone = locks.milestone(milestone.pk)
    side = _seat(milestone, Kind.EXTENSION, by=by)
    now = clock.now()
    if due_on < now.date() or (milestone.due_on and due_on <= milestone.due_on):
        raise InvalidInput(_("Choose a day after the present due date"), field="due_on")
    longest = dt.timedelta(days=milestone.contract.policy.milestone_longest_days)
    stop = milestone.custody_ends_at
    # While it is not funded, a move of more than a whole milestone would have to be split.
    last = stop.date() if stop else (milestone.due_on or now.date()) + longest
    if due_on >= last:
        raise InvalidInput(
            _("Choose a day before %(day)s: longer than that we may not hold the money")
            % {"day": day_text(last)},
            field="due_on",
        )
    return _propose(
        Proposal(kind=Kind.EXTENSION, due_on=due_on, due_was=milestone.due_on),
        milestone,
        side,
        by=by,
        reason=reason,
    )


@transaction.atomic
def propose_part(
    milestone: Milestone, *, by: User, amount: Money, reason: str, carry: bool = False
) -> Proposal:
    """Propose to pay less than agreed and end the milestone with that (rule M8).

    With `carry` the rest is held for the next milestone instead of going back (rule M2); raises
    InvalidInput when there is none that could take it. Nothing moves before the other side
    accepts; the review clock runs on meanwhile.
    """
    milestone = locks.milestone(milestone.pk)
    side = _seat(milestone, Kind.PART, by=by)
    agreed = milestone.amount
    if amount.currency != agreed.currency or not 0 < amount.minor < agreed.minor:
        raise InvalidInput(
            _("Enter an amount above zero and below %(agreed)s") % {"agreed": money_text(agreed)},
            field="amount",
        )
    kept = carrying.plan(milestone, agreed - amount) if carry else None
    if carry and kept is None:
        raise InvalidInput(
            _("The rest cannot be held for a next milestone. Let it go back."), field="carry"
        )
    part = Proposal(
        kind=Kind.PART,
        amount_minor=amount.minor,
        carry=carry,
        carry_to=kept.to if kept else None,
        carry_minor=kept.amount.minor if kept else None,
    )
    return _propose(part, milestone, side, by=by, reason=reason)


def _seat(milestone: Milestone, kind: Proposal.Kind, *, by: User) -> Side:
    side = over_money(by, milestone.contract)
    if milestone.status not in MOVABLE[kind]:
        raise InvalidTransition
    if open_proposal(milestone, kind):
        raise DomainError(_("A proposal is open already. It has to be answered first."))
    return side


def _propose(
    proposal: Proposal, milestone: Milestone, side: Side, *, by: User, reason: str
) -> Proposal:
    reason = text.short_block(reason, limit=LONGEST_REASON, field="reason")
    if not reason:
        raise InvalidInput(_("Say why, in a sentence or two"), field="reason")
    contract, now = milestone.contract, clock.now()
    proposal.milestone, proposal.side, proposal.reason = milestone, side, reason
    proposal.asked_by, proposal.asked_at = by, now
    proposal.answer_due_at = now + dt.timedelta(days=contract.policy.proposal_answer_days)
    proposal.save(force_insert=True)
    _record(proposal, "asked", side.other, by=by)
    return proposal


@transaction.atomic
def answer(proposal: Proposal, *, by: User, accept: bool, take_rest_back: bool = False) -> None:
    """The other side accepts, and the date or the money moves at once; or declines.

    A client who is asked to have the rest held for the next milestone may agree and take it back
    instead; it is their money. Raises InvalidTransition when the proposal is not open any more, so
    that only what was read is accepted; NotAllowed for the side that proposed.
    """
    proposal, milestone = _open_and_locked(proposal)
    side = over_money(by, milestone.contract)
    if side == proposal.side:
        raise NotAllowed(_("The other side has to answer this."))
    if not accept:
        _close(proposal, Status.DECLINED, by=by)
        _record(proposal, "declined", Side(proposal.side), by=by)
        return
    if take_rest_back and proposal.carry:
        if side is not Side.CLIENT:
            raise NotAllowed(_("Only the client can take the rest back."))
        proposal.carry = False
        proposal.save(update_fields=["carry"])
    _close(proposal, Status.ACCEPTED, by=by)
    _record(proposal, "accepted", Side(proposal.side), by=by)
    if proposal.kind == Kind.EXTENSION:
        _move_due_date(milestone, proposal)
    else:
        _divide(milestone, proposal, by=by)


@transaction.atomic
def take_back(proposal: Proposal, *, by: User) -> None:
    """The side that proposed it no longer does."""
    proposal, milestone = _open_and_locked(proposal)
    if over_money(by, milestone.contract) != proposal.side:
        raise NotAllowed(_("Only the side that proposed this can take it back."))
    _close(proposal, Status.WITHDRAWN, by=by)
    _record(proposal, "withdrawn", Side(proposal.side).other, by=by)


def lapse_due() -> int:
    """Close what nobody answered in time; returns how many. Two sweeps close once."""
    due = Proposal.objects.filter(status=Status.OPEN, answer_due_at__lte=clock.now())
    lapsed = 0
    for proposal in due.order_by("answer_due_at")[:100]:
        try:
            lapsed += _lapse(proposal)
        except Exception:
            log.exception("proposal %s could not lapse", proposal.pk)
    return lapsed


@transaction.atomic
def _lapse(proposal: Proposal) -> bool:
    milestone = locks.milestone_unless_busy(proposal.milestone_id)
    if milestone is None or milestone.status == Milestone.Status.FROZEN:
        return False
    proposal.refresh_from_db()
    if proposal.status != Status.OPEN:
        return False
    proposal.milestone = milestone
    _close(proposal, Status.LAPSED, by=None)
    for side in Side:
        _record(proposal, "lapsed", side, by=None, noted=side is Side.CLIENT)
    return True


def open_proposal(milestone: Milestone, kind: Proposal.Kind) -> Proposal | None:
    """The proposal of that kind that waits for an answer."""
    found = milestone.proposals.filter(kind=kind, status=Status.OPEN).first()
    if found:
        found.milestone = milestone
    return found


def overtake(
    milestone: Milestone, *, by: User | None, kinds: Iterable[Proposal.Kind] = Kind
) -> None:
    """The milestone goes on or ends without what was proposed. The caller holds its locks."""
    for kind in kinds:
        if proposal := open_proposal(milestone, kind):
            _close(proposal, Status.OVERTAKEN, by=by)
            audit.record(
                by, "proposal.overtaken", milestone, proposal=proposal.pk, rule="overtaken"
            )


def _open_and_locked(proposal: Proposal) -> tuple[Proposal, Milestone]:
    milestone = locks.milestone(proposal.milestone_id)
    fresh = Proposal.objects.get(pk=proposal.pk)
    fresh.milestone = milestone
    if fresh.status != Status.OPEN:
        raise InvalidTransition
    return fresh, milestone


def _close(proposal: Proposal, how: Proposal.Status, *, by: User | None) -> None:
    proposal.move_to(how, answered_at=clock.now(), answered_by=by)


def _move_due_date(milestone: Milestone, proposal: Proposal) -> None:
    milestone.due_on = proposal.due_on
    milestone.late_due_at = milestone.late_at
    milestone.dormant = ""
    milestone.dormant_due_at = clocks.first_dormancy_notice(milestone)
    milestone.save(update_fields=["due_on", "late_due_at", "dormant", "dormant_due_at"])


def _divide(milestone: Milestone, proposal: Proposal, *, by: User) -> None:
    hold, amount = milestone.hold, proposal.amount
    if hold is None or amount is None:
        raise InvalidTransition
    overtake(milestone, by=by)
    closing.overtake(milestone, by=by)
    _overtake_cancellation(milestone, by=by)
    if proposal.carry:
        carrying.carry(milestone, proposal, by=by)
    milestone.move_to(Milestone.Status.SETTLED, review_due_at=None, remind_at=None)
    holds.settle(hold, to_payee=amount, by=by, basis_detail=f"proposal:{proposal.pk}")
    end_if_over(milestone.contract, by=by)


def _overtake_cancellation(milestone: Milestone, *, by: User) -> None:
    running = milestone.cancellations.filter(status="open").first()
    if running:
        running.move_to("overtaken", answered_at=clock.now(), answered_by=by)


def _record(
    proposal: Proposal, what: str, told: Side, *, by: User | None, noted: bool = True
) -> None:
    """Audit, the line in the history, and the notice to one side."""
    milestone = proposal.milestone
    contract = milestone.contract
    back = proposal.back
    kept = carrying.as_proposed(milestone, proposal)
    # Both read what is held on before it happens; what was answered otherwise has the usual words.
    kind = "carry" if kept and what in {"asked", "accepted"} else proposal.kind
    if kept:
        back = kept.back
    if noted:
        rule = {} if by else {"rule": "M12" if proposal.kind == Kind.EXTENSION else "M8"}
        audit.record(by, f"proposal.{what}", milestone, proposal=proposal.pk, **rule)
        news.note(
            contract,
            f"{kind}.{what}",
            by=by,
            milestone=milestone,
            amount=proposal.amount,
            side=proposal.side if what in {"asked", "withdrawn"} else Side(proposal.side).other,
            due_on=proposal.due_on.isoformat() if proposal.due_on else "",
            back_minor=back.minor if back else 0,
            kept_minor=kept.amount.minor if kept else 0,
            title=kept.to.title if kept else "",
        )
    ends = what == "accepted" and proposal.kind == Kind.PART
    news.tell(
        contract,
        told,
        f"{kind}_{what}",
        key=f"proposal-{what}:{proposal.ref}",
        group=news.MONEY if proposal.kind == Kind.PART else news.WORK,
        milestone=milestone,
        url="" if ends else news.page(PAGES[Kind(proposal.kind)], milestone),
        amount=proposal.amount,
        back=back,
        kept=kept.amount if kept else None,
        to=kept.to.title if kept else "",
        new=proposal.due_on,
        due=proposal.answer_due_at,
        by_freelancer=proposal.side == Side.FREELANCER,
    )
