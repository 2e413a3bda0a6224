"""Calling a milestone off before anything was delivered, and ending a contract early."""

import logging

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition
from payments.models import Hold
from payments.services import holds
from projects.models import Cancellation, Contract, Milestone
from projects.models.contracts import Side
from projects.services import locks, news, proposals
from projects.services.contracts import CANCEL_ANSWER, CUSTODY_RULE, end_if_over
from projects.services.rights import require
from projects.services.sides import over_money, require_client

log = logging.getLogger(__name__)
SILENCE_RULE, RETURN_RULE, LATE_RULE = "C1", "C3", "M13"
LONGEST_REASON = 2000
CANCEL_DAYS = CANCEL_ANSWER.days
# Statuses of a milestone whose money needs an end of its own before the contract can end.
MONEY_OUT = {"funding", "funded", "submitted", "changes_requested", "disputed", "frozen"}


def is_very_late(milestone: Milestone) -> bool:
    """Rule M13: nothing was delivered, and the policy's hours after the due date have passed."""
    since = milestone.very_late_at
    return milestone.status == Milestone.Status.FUNDED and since is not None and clock.now() > since


@transaction.atomic
def call_off(milestone: Milestone, *, by: User, reason: str = "") -> Cancellation | None:
    """End a funded milestone before any delivery; the client gets everything back, fee included.

    The freelancer may do it alone (rule C3), the client when it is very late (rule M13). Otherwise
    the client asks, the freelancer has 72 hours to answer, and the open question is returned.
    """
    milestone = locks.milestone(milestone.pk)
    side = over_money(by, milestone.contract)
    if milestone.status != Milestone.Status.FUNDED:
        raise InvalidTransition
    if side is Side.FREELANCER:
        return_money(milestone, by=by)
        return None
    if is_very_late(milestone):
        call_off_very_late(milestone, by=by)
        return None
    return _ask(milestone, by=by, reason=reason)


@transaction.atomic
def call_off_very_late(milestone: Milestone, *, by: User) -> None:
    """The client alone ends a milestone that is very late (rule M13): all of it comes back.

    Raises InvalidTransition when a delivery arrived first or the due date was moved.
    """
    milestone = locks.milestone(milestone.pk)
    require_client(by, milestone.contract, "pay")
    if not is_very_late(milestone):
        raise InvalidTransition
    _close_question(milestone, Cancellation.Status.OVERTAKEN, by=by)
    _give_back(milestone, by=by, basis=Hold.Basis.RULE, detail=LATE_RULE)


@transaction.atomic
def return_money(milestone: Milestone, *, by: User) -> None:
    """The freelancer alone gives all held money of a milestone back (rule C3), delivered or not.

    Raises InvalidTransition when the money is not held any more, or is disputed.
    """
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require(by, contract.freelancer, "manage")
    if milestone.status not in Milestone.HELD:
        raise InvalidTransition
    detail = f"{RETURN_RULE} by user {by.ref}"
    if milestone.status == Milestone.Status.FUNDED:
        _close_question(milestone, Cancellation.Status.ACCEPTED, by=by)
        _give_back(milestone, by=by, basis=Hold.Basis.SETTLEMENT, detail=detail)
        return
    _give_back(
        milestone,
        by=by,
        basis=Hold.Basis.SETTLEMENT,
        detail=detail,
        to=Milestone.Status.SETTLED,
        told=("milestone.money_returned", "money_returned"),
    )


def return_by_custody(milestone: Milestone) -> None:
    """Give back money nobody delivered for in all the time it may be held (rule 2.1).

    The caller holds the milestone's locks.
    """
    _close_question(milestone, Cancellation.Status.OVERTAKEN, by=None)
    _give_back(
        milestone,
        by=None,
        basis=Hold.Basis.RULE,
        detail=CUSTODY_RULE,
        told=("milestone.returned_by_custody", "custody_returned"),
    )


def _ask(milestone: Milestone, *, by: User, reason: str) -> Cancellation:
    reason = text.short_block(reason, limit=LONGEST_REASON, field="reason")
    if not reason:
        raise InvalidInput(_("Say why, in a sentence or two"), field="reason")
    if open_question(milestone):
        raise DomainError(_("You have asked already. The answer is still open."))
    now = clock.now()
    question = Cancellation.objects.create(
        milestone=milestone,
        reason=reason,
        asked_by=by,
        asked_at=now,
        answer_due_at=now + CANCEL_ANSWER,
    )
    audit.record(by, "cancellation.asked", milestone, cancellation=question.pk)
    news.note(milestone.contract, "cancellation.asked", by=by, milestone=milestone)
    news.tell(
        milestone.contract,
        Side.FREELANCER,
        "cancellation_asked",
        key=f"cancellation-asked:{question.pk}",
        group=news.MONEY,
        milestone=milestone,
        url=news.page("call-off", milestone),
        amount=milestone.amount,
        due=question.answer_due_at,
    )
    return question


@transaction.atomic
def answer(milestone: Milestone, *, by: User, accept: bool) -> None:
    """The freelancer agrees to call it off, and the money goes back; or declines, and it stays."""
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require(by, contract.freelancer, "manage")
    question = open_question(milestone)
    if question is None or milestone.status != Milestone.Status.FUNDED:
        raise InvalidTransition
    if accept:
        _close_question(milestone, Cancellation.Status.ACCEPTED, by=by)
        _give_back(
            milestone,
            by=by,
            basis=Hold.Basis.SETTLEMENT,
            detail=f"cancellation:{question.pk}",
        )
        return
    _close_question(milestone, Cancellation.Status.DECLINED, by=by)
    audit.record(by, "cancellation.declined", milestone, cancellation=question.pk)
    news.note(contract, "cancellation.declined", by=by, milestone=milestone)
    news.tell(
        contract,
        Side.CLIENT,
        "cancellation_declined",
        key=f"cancellation-declined:{question.pk}",
        group=news.MONEY,
        milestone=milestone,
    )


@transaction.atomic
def take_back(milestone: Milestone, *, by: User) -> None:
    """The client no longer wants to call it off."""
    milestone = locks.milestone(milestone.pk)
    require_client(by, milestone.contract, "pay")
    question = _close_question(milestone, Cancellation.Status.WITHDRAWN, by=by)
    if question is None:
        raise InvalidTransition
    audit.record(by, "cancellation.withdrawn", milestone, cancellation=question.pk)
    news.note(milestone.contract, "cancellation.withdrawn", by=by, milestone=milestone)
    news.tell(
        milestone.contract,
        Side.FREELANCER,
        "cancellation_withdrawn",
        key=f"cancellation-withdrawn:{question.pk}",
        milestone=milestone,
    )


def lapse_due() -> int:
    """Grant what the freelancer left unanswered (rule C1); returns how many. Two sweeps grant once.

    Nothing was delivered for these: a delivery overtakes the question.
    """
    due = Cancellation.objects.filter(
        status=Cancellation.Status.OPEN, answer_due_at__lte=clock.now()
    ).order_by("answer_due_at")
    granted = 0
    for question in due.select_related("milestone")[:100]:
        try:
            granted += _lapse(question)
        except Exception:
            log.exception("cancellation %s could not be granted", question.pk)
    return granted


@transaction.atomic
def _lapse(question: Cancellation) -> bool:
    milestone = locks.milestone(question.milestone_id)
    open_now = open_question(milestone)
    if open_now != question or milestone.status != Milestone.Status.FUNDED:
        return False
    _close_question(milestone, Cancellation.Status.LAPSED, by=None)
    _give_back(milestone, by=None, basis=Hold.Basis.RULE, detail=SILENCE_RULE)
    return True


def open_question(milestone: Milestone) -> Cancellation | None:
    """The client's wish to call the milestone off that still waits for an answer."""
    return milestone.cancellations.filter(status=Cancellation.Status.OPEN).first()


def _close_question(
    milestone: Milestone, how: Cancellation.Status, *, by: User | None
) -> Cancellation | None:
    question = open_question(milestone)
    if question:
        question.move_to(how, answered_at=clock.now(), answered_by=by)
    return question


def _give_back(
    milestone: Milestone,
    *,
    by: User | None,
    basis: Hold.Basis,
    detail: str,
    to: Milestone.Status = Milestone.Status.CANCELLED,
    told: tuple[str, str] = ("milestone.cancelled", "milestone_cancelled"),
) -> None:
    contract, hold = milestone.contract, milestone.hold
    if hold is None:
        raise InvalidTransition
    proposals.overtake(milestone, by=by)
    milestone.move_to(to, review_due_at=None, remind_at=None)
    holds.refund(hold, by=by, basis=basis, basis_detail=detail)
    line, notice = told
    audit.record(by, line, milestone, hold=hold.pk, basis=basis, detail=detail)
    news.note(
        contract,
        line,
        by=by,
        milestone=milestone,
        amount=hold.client_pays,
        rule=detail,
    )
    news.tell_both(
        contract,
        notice,
        key=f"cancelled:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=hold.client_pays,
        rule=detail,
    )
    end_if_over(contract, by=by)


@transaction.atomic
def end_early(contract: Contract, *, by: User) -> None:
    """Drop every milestone that is not funded, which ends the contract.

    Raises DomainError while money is held or on its way: that money needs its own end first.
    """
    contract = locks.contract(contract.pk)
    side = over_money(by, contract)
    if contract.status != Contract.Status.ACTIVE:
        raise InvalidTransition
    steps = list(
        contract.milestones.select_related("hold")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    if any(step.status in MONEY_OUT for step in steps):
        raise DomainError(
            _("Money is still held or on its way. Settle that milestone first, then end."),
            code="money_held",
        )
    for step in steps:
        if step.status == Milestone.Status.PLANNED:
            proposals.overtake(step, by=by)
            step.move_to(Milestone.Status.CANCELLED)
            if step.hold is not None:
                holds.cancel_hold(step.hold, by=by)
    audit.record(by, "contract.ended_by_side", contract, side=side.value)
    end_if_over(contract, by=by)
