"""What the two sides say: open a dispute, answer it, take it back."""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Party, User
from marketplace.core import audit, clock, text
from marketplace.core.display import day_text, money_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import StoredFile
from marketplace.core.money import Money
from payments.services import holds
from projects.models import Contract, Delivery, Dispute, DisputeStatement, Message, Milestone
from projects.models.contracts import Side
from projects.services import clocks, locks, news, proposals
from projects.services.change_orders import closing
from projects.services.deliveries import next_reminder, overtake_cancellation
from projects.services.disputes.deadlines import AHEAD, after_working_days
from projects.services.disputes.telling import open_and_locked, tell
from projects.services.sides import over_money
from projects.services.uploads import MOST_FILES, keep

log = logging.getLogger(__name__)
LONGEST = 6000


class TooLate(DomainError):
    """The time for statements and evidence is over."""

    code = "too_late"


@transaction.atomic
def open_dispute(
    milestone: Milestone,
    *,
    by: User,
    reason: str,
    body: str,
    to_freelancer: Money,
    files: Sequence[StoredFile] = (),
) -> Dispute:
    """Pause the milestone's money at once and say what is wrong and what would be fair.

    The review clock stops and remembers its rest. Raises InvalidTransition unless the money is
    held: of a release and a dispute at the same time one comes first.
    """
    milestone = locks.milestone(milestone.pk)
    contract, hold = milestone.contract, milestone.hold
    side = over_money(by, contract)
    if milestone.status not in Milestone.HELD or hold is None:
        raise InvalidTransition
    if reason not in Dispute.Reason.values:
        raise InvalidInput(_("Choose what happened"), field="reason")
    now = clock.now()
    left = milestone.review_due_at - now if milestone.review_due_at else None
    answer_due = now + dt.timedelta(days=contract.policy.dispute_answer_days)
    dispute = Dispute(
        milestone=milestone,
        milestone_was=milestone.status,
        review_left=None if left is None else max(0, int(left.total_seconds())),
        opened_by=by,
        opened_for=contract.party(side),
        reason=reason,
        paused_minor=hold.amount_minor,
        currency=hold.currency,
        opened_at=now,
        answer_due_at=answer_due,
        decide_due_at=after_working_days(answer_due, contract.policy.dispute_decision_days),
        notice_due_at=answer_due - AHEAD,
    )
    check_split(dispute, to_freelancer)
    overtake_cancellation(milestone, by=by)
    proposals.overtake(milestone, by=by)
    closing.overtake(milestone, by=by)
    holds.pause(hold, by=by)
    milestone.move_to(
        Milestone.Status.DISPUTED,
        review_due_at=None,
        remind_at=None,
        dormant="",
        stopped_at=dispute.opened_at,
    )
    dispute.save(force_insert=True)
    _say(dispute, contract, side, by=by, body=body, to_freelancer=to_freelancer, files=files)
    audit.record(
        by,
        "dispute.opened",
        dispute,
        milestone=milestone.pk,
        hold=hold.pk,
        reason=reason,
        paused_minor=dispute.paused_minor,
    )
    news.note(
        contract,
        "dispute.opened",
        by=by,
        milestone=milestone,
        amount=dispute.paused,
        side=side.value,
    )
    tell(
        dispute,
        contract,
        side.other,
        "dispute_opened",
        key=f"dispute-opened:{dispute.ref}",
        reason=str(reason),
        due=answer_due,
    )
    return dispute


@transaction.atomic
def add_statement(
    dispute: Dispute,
    *,
    by: User,
    body: str,
    to_freelancer: Money | None = None,
    files: Sequence[StoredFile] = (),
    uploads: "Sequence[File[Any]]" = (),
) -> DisputeStatement:
    """Explain, add evidence, or make another proposal; what was said before stays as it is.

    Raises TooLate once the moderator's time is over: they decide on what was there. Only a proposal
    alone is still possible, because an agreement always is.
    """
    if files or uploads or to_freelancer is None:
        _refuse_late(dispute, by=by)
    brought = [*files, *keep(uploads, by=by)]
    dispute, contract = open_and_locked(dispute)
    side = over_money(by, contract)
    if to_freelancer is not None:
        check_split(dispute, to_freelancer)
    statement = _say(
        dispute, contract, side, by=by, body=body, to_freelancer=to_freelancer, files=brought
    )
    audit.record(
        by,
        "dispute.statement",
        dispute,
        statement=statement.pk,
        to_freelancer_minor=statement.to_freelancer_minor,
        files=len(brought),
    )
    news.note(
        contract,
        "dispute.proposal" if to_freelancer is not None else "dispute.statement",
        by=by,
        milestone=dispute.milestone,
        amount=to_freelancer,
        side=side.value,
    )
    tell(
        dispute,
        contract,
        side.other,
        "dispute_statement",
        key=f"dispute-statement:{statement.ref}",
        proposal=to_freelancer is not None,
    )
    return statement


def _refuse_late(dispute: Dispute, *, by: User) -> None:
    if clock.now() >= dispute.decide_due_at:
        log.warning("dispute %s: evidence of user %s came too late", dispute.ref, by.ref)
        raise TooLate(
            _(
                "Evidence could be added until %(day)s; a moderator decides on what was there. You "
                "can still propose an amount without files, or accept the other side's."
            )
            % {"day": day_text(dispute.decide_due_at)}
        )


@transaction.atomic
def withdraw(dispute: Dispute, *, by: User) -> None:
    """The side that opened it takes it back: the money is held again, the clock runs on."""
    dispute, contract = open_and_locked(dispute)
    side = over_money(by, contract)
    if contract.party(side) != dispute.opened_for:
        raise NotAllowed(_("Only the side that opened the dispute can withdraw it."))
    milestone, hold = dispute.milestone, dispute.milestone.hold
    if hold is None:
        raise InvalidTransition
    now = clock.now()
    dispute.move_to(Dispute.Status.WITHDRAWN, ended_at=now, ended_by=by, notice_due_at=None)
    clock_again: dict[str, Any] = clocks.go_on(milestone, taken_back_by=side)
    if dispute.review_left is not None:
        due = now + dt.timedelta(seconds=dispute.review_left)
        clock_again |= {"review_due_at": due, "remind_at": next_reminder(due, after=now)}
    # The custody stop may have come while it was paused: then it acts at the next beat.
    clock_again["custody_due_at"] = milestone.custody_due_at or milestone.custody_ends_at
    milestone.move_to(dispute.milestone_was, **clock_again)
    holds.resume(hold, by=by)
    audit.record(by, "dispute.withdrawn", dispute)
    news.note(
        contract,
        "dispute.withdrawn",
        by=by,
        milestone=milestone,
        amount=dispute.paused,
        side=side.value,
    )
    tell(
        dispute,
        contract,
        side.other,
        "dispute_withdrawn",
        key=f"dispute-withdrawn:{dispute.ref}",
    )


def latest_proposal(dispute: Dispute, party: Party) -> DisputeStatement | None:
    """What that side proposes now: its newest statement with an amount."""
    return (
        dispute.statements.filter(side=party, to_freelancer_minor__isnull=False)
        .order_by("-id")
        .first()
    )


def evidence(contract: Contract, *, by: User, refs: Sequence[str]) -> list[StoredFile]:
    """Those of the files that `by` may bring: their own, or handed over or sent in the contract."""
    delivered = Delivery.files.through.objects.filter(delivery__milestone__contract=contract)
    sent = Message.files.through.objects.filter(message__contract=contract)
    allowed = (
        Q(uploaded_by=by)
        | Q(pk__in=delivered.values("storedfile"))
        | Q(pk__in=sent.values("storedfile"))
    )
    return list(StoredFile.objects.filter(allowed, ref__in=list(refs)).order_by("pk"))


def check_split(dispute: Dispute, to_freelancer: Money) -> None:
    paused = dispute.paused
    if to_freelancer.currency != paused.currency or not 0 <= to_freelancer.minor <= paused.minor:
        raise InvalidInput(
            _("Enter an amount between %(zero)s and %(paused)s")
            % {
                "zero": money_text(Money.zero(paused.currency)),
                "paused": money_text(paused),
            },
            field="to_freelancer",
        )


def _say(
    dispute: Dispute,
    contract: Contract,
    side: Side,
    *,
    by: User,
    body: str,
    to_freelancer: Money | None,
    files: Sequence[StoredFile],
) -> DisputeStatement:
    body = text.short_block(body, limit=LONGEST, field="body")
    if not body:
        raise InvalidInput(_("Say what happened in your own words"), field="body")
    if len(files) > MOST_FILES:
        raise InvalidInput(_("Add %(most)s files or fewer") % {"most": MOST_FILES}, field="files")
    if set(files) - set(evidence(contract, by=by, refs=[file.ref for file in files])):
        raise InvalidInput(
            _("Only your own files and files of this contract can be evidence"), field="files"
        )
    statement = DisputeStatement.objects.create(
        dispute=dispute,
        author=by,
        side=contract.party(side),
        body=body,
        to_freelancer_minor=None if to_freelancer is None else to_freelancer.minor,
        made_at=clock.now(),
    )
    statement.files.set(files)
    return statement
