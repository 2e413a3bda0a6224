"""How a dispute ends with money moving: both settle, or a moderator decides."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.display import day_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from payments.models import Hold
from payments.services import holds
from projects.models import Contract, Decision, Dispute, Milestone
from projects.models.contracts import Side
from projects.selectors.disputes import public_name
from projects.services import news
from projects.services.contracts import end_if_over
from projects.services.disputes.statements import LONGEST, check_split, latest_proposal
from projects.services.disputes.telling import PERMISSION, open_and_locked, tell
from projects.services.rights import belongs_to
from projects.services.sides import over_money

SHORTEST_REASON = 80


@transaction.atomic
def settle(dispute: Dispute, *, by: User, seen: str | None = None) -> None:
    """Accept the other side's latest proposal: both agree, the money moves at once.

    Raises InvalidTransition when there is none, or when it is not the one with the ref `seen`.
    """
    dispute, contract = open_and_locked(dispute)
    side = over_money(by, contract)
    proposal = latest_proposal(dispute, contract.party(side.other))
    if proposal is None or (seen is not None and proposal.ref != seen):
        raise InvalidTransition
    to_freelancer = Money(proposal.to_freelancer_minor or 0, dispute.currency)
    dispute.move_to(
        Dispute.Status.SETTLED,
        ended_at=clock.now(),
        ended_by=by,
        accepted=proposal,
        notice_due_at=None,
    )
    audit.record(
        by,
        "dispute.settled",
        dispute,
        statement=proposal.pk,
        to_freelancer_minor=to_freelancer.minor,
    )
    _tell_outcome(dispute, "dispute_settled", to_freelancer, by=by)
    _move_money(
        dispute,
        to_freelancer,
        by=by,
        basis=Hold.Basis.SETTLEMENT,
        detail=f"statement:{proposal.pk}",
    )


@transaction.atomic
def decide(dispute: Dispute, *, by: User, to_freelancer: Money, reason: str) -> Decision:
    """Split the paused money as a named person decided; it moves in the same transaction.

    Enter the freelancer's part; the client's is the rest, so the parts always sum to the paused
    amount. Both sides read the reason. Raises NotAllowed for staff without the permission and for
    anybody who belongs to one of the parties.
    """
    dispute, contract = open_and_locked(dispute)
    refuse_judge(by, contract)
    if early := too_early(dispute):
        raise DomainError(early, code="answer_open")
    reason = text.short_block(reason, limit=LONGEST, field="reason")
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput(
            _("Give your reasons in %(least)s characters or more; both sides read them")
            % {"least": SHORTEST_REASON},
            field="reason",
        )
    check_split(dispute, to_freelancer)
    to_client = dispute.paused - to_freelancer
    now = clock.now()
    decision = Decision.objects.create(
        dispute=dispute,
        decided_by=by,
        to_freelancer_minor=to_freelancer.minor,
        to_client_minor=to_client.minor,
        reason=reason,
        decided_at=now,
    )
    dispute.move_to(Dispute.Status.DECIDED, ended_at=now, notice_due_at=None)
    audit.record(
        by,
        "dispute.decided",
        dispute,
        decision=decision.pk,
        to_freelancer_minor=to_freelancer.minor,
        to_client_minor=to_client.minor,
    )
    _tell_outcome(
        dispute,
        "dispute_decided",
        to_freelancer,
        by=by,
        moderator=public_name(by),
        reason=reason,
    )
    _move_money(
        dispute,
        to_freelancer,
        by=by,
        basis=Hold.Basis.DECISION,
        detail=f"decision:{decision.pk}",
    )
    return decision


def refuse_judge(by: User, contract: Contract) -> None:
    """Raise NotAllowed unless `by` may decide between these two: named staff, no party to it."""
    if not (by.is_active and by.is_staff and by.has_perm(PERMISSION)):
        raise NotAllowed(_("You do not have the right to decide disputes."))
    if any(belongs_to(by, contract.party(side)) for side in Side):
        raise NotAllowed(_("You belong to one of the sides. Somebody else has to decide."))


def too_early(dispute: Dispute) -> str | None:
    """Why nobody may decide yet: the other side was promised time to answer."""
    answered = dispute.statements.exclude(side=dispute.opened_for).exists()
    if answered or clock.now() >= dispute.answer_due_at:
        return None
    return _("The other side has not answered yet and has until %(day)s to do so.") % {
        "day": day_text(dispute.answer_due_at)
    }


@transaction.atomic
def open_file(dispute: Dispute, *, by: User) -> None:
    """Note that a moderator opened the case with the private messages of both."""
    contract = dispute.milestone.contract
    refuse_judge(by, contract)
    audit.record(by, "dispute.read_by_staff", dispute, contract=contract.pk)


def _move_money(
    dispute: Dispute, to_freelancer: Money, *, by: User, basis: Hold.Basis, detail: str
) -> None:
    milestone, contract = dispute.milestone, dispute.milestone.contract
    hold = milestone.hold
    if hold is None:
        raise InvalidTransition
    milestone.move_to(Milestone.Status.SETTLED)
    holds.split(hold, to_payee=to_freelancer, by=by, basis=basis, basis_detail=detail)
    end_if_over(contract, by=by)


def _tell_outcome(
    dispute: Dispute, kind: str, to_freelancer: Money, *, by: User, **facts: str
) -> None:
    contract = dispute.milestone.contract
    back = dispute.paused - to_freelancer
    news.note(
        contract,
        kind.replace("_", "."),
        by=by,
        milestone=dispute.milestone,
        amount=to_freelancer,
        back_minor=back.minor,
    )
    for side in Side:
        tell(
            dispute,
            contract,
            side,
            kind,
            key=f"{kind.replace('_', '-')}:{dispute.ref}",
            amount=to_freelancer,
            back=back,
            **facts,
        )
