"""The outlook of a running contract, for the people of its two sides and nobody else."""

import datetime as dt

from django.db.models import Count, Max, Min, Q

from marketplace.core import clock
from matching.insight.models import UsualMilestone
from matching.insight.outlook import Facts, Outlook, Step, outlook
from matching.insight.prices import rounded
from projects.models import Contract, ContractEvent, Dispute, Message, Milestone, Proposal
from projects.models.contracts import Side
from projects.selectors.contracts import Seat, milestones_of

S = Milestone.Status
RUNNING = (S.PLANNED, S.FUNDED, S.SUBMITTED, S.CHANGES_REQUESTED)


def outlook_of(seat: Seat) -> Outlook | None:
    """What may go wrong, or None when the contract is over. The same for both sides.

    The same few queries for any number of milestones and messages.
    """
    contract = seat.contract
    if contract.status != Contract.Status.ACTIVE:
        return None
    return outlook(_facts(contract))


def _facts(contract: Contract) -> Facts:
    proposals = Proposal.objects.filter(milestone__contract=contract).aggregate(
        moved=Count("pk", filter=Q(kind=Proposal.Kind.EXTENSION)),
        declined=Count("pk", filter=Q(status=Proposal.Status.DECLINED)),
    )
    events = ContractEvent.objects.filter(contract=contract).aggregate(
        last=Max("at"), silent=Count("pk", filter=Q(kind="milestone.approved_by_silence"))
    )
    said = Message.objects.filter(contract=contract).aggregate(
        last=Max("sent_at"),
        client=Max("pk", filter=Q(side=Side.CLIENT)),
        freelancer=Max("pk", filter=Q(side=Side.FREELANCER)),
    )
    # The side that wrote last waits; its messages since the other's last one are unanswered.
    answered = min(said["client"] or 0, said["freelancer"] or 0)
    waiting = Message.objects.filter(contract=contract, pk__gt=answered).aggregate(
        count=Count("pk"), since=Min("sent_at")
    )
    over = Dispute.objects.filter(milestone__contract=contract).exclude(status=Dispute.Status.OPEN)
    usual = UsualMilestone.objects.filter(currency=contract.currency).first()
    signs: list[dt.datetime] = [
        at for at in (contract.created_at, events["last"], said["last"]) if at is not None
    ]
    return Facts(
        now=clock.now(),
        steps=[_step(each) for each in milestones_of(contract) if each.status in RUNNING],
        change_rounds=contract.change_rounds,
        silence_days=contract.policy.silence_days,
        last_sign_at=max(signs),
        unanswered=waiting["count"],
        unanswered_since=waiting["since"],
        dates_moved=proposals["moved"],
        declined=proposals["declined"],
        released_by_silence=events["silent"],
        disputes_before=over.count(),
        usual_minor=rounded(usual.median_minor) if usual else None,
    )


def _step(milestone: Milestone) -> Step:
    return Step(
        number=milestone.position,
        status=milestone.status,
        minor=milestone.amount_minor,
        due_on=milestone.due_on,
        late_at=milestone.late_at,
        changes_asked=milestone.changes_asked,
        review_due_at=milestone.review_due_at,
        call_off_asked=bool(vars(milestone)["calling_off"]),
    )
