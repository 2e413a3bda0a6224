"""Contracts for the people of their two sides. Everybody else gets 404."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.models import Membership, Party, User
from payments.models import Funding, PurchaseOrder
from projects.models import (
    Amendment,
    Bonus,
    Cancellation,
    ChangeOrder,
    Contract,
    Delivery,
    Dispute,
    Message,
    MessageRead,
    Milestone,
    Proposal,
)
from projects.models.contracts import Side
from projects.selectors import silence

TABS = {
    "active": (Contract.Status.ACTIVE,),
    "ended": (Contract.Status.COMPLETED, Contract.Status.ENDED_EARLY),
}


@dataclass(frozen=True)
class Seat:
    """Where a user sits at a contract: which side, with which rights."""

    contract: Contract
    user: User
    side: Side
    rights: dict[str, bool] = field(default_factory=dict)

    @property
    def is_client(self) -> bool:
        return self.side is Side.CLIENT

    @property
    def mine(self) -> Party:
        """The party the user sits for."""
        return self.contract.party(self.side)

    @property
    def other(self) -> Party:
        """The party across the table."""
        return self.contract.party(self.side.other)

    @property
    def moves_money(self) -> bool:
        """Whether the user may agree to money moving for their side."""
        return self.rights["pay" if self.is_client else "manage"]

    @property
    def reviews_work(self) -> bool:
        """Whether the user may send work back."""
        return self.is_client and self.rights["hire"]

    @property
    def words(self) -> str:
        """Which words of a money state the user reads: "hire" or "work"."""
        return "hire" if self.is_client else "work"

    @property
    def unread(self) -> int:
        """Messages of this contract the user has not read."""
        return int(vars(self.contract).get("unread", 0))


def contract_to_read(user: User, ref: str) -> Seat:
    """The contract with this ref, for the people of both sides; 404 for everybody else."""
    return seat_at(get_object_or_404(contracts_with_seat(user), ref=ref), user)


def milestone_to_fund(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for somebody who pays for the client; 403 for the others at the table."""
    seat, milestone = milestone_to_read(user, ref, n)
    if not (seat.is_client and seat.moves_money):
        raise PermissionDenied
    return seat, milestone


def milestone_to_approve(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for somebody who releases money for the client; 403 for the others."""
    return milestone_to_fund(user, ref, n)


def milestone_to_send_back(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for somebody who reviews work for the client; 403 for the others."""
    seat, milestone = milestone_to_read(user, ref, n)
    if not seat.reviews_work:
        raise PermissionDenied
    return seat, milestone


def milestone_to_deliver(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for the freelancer's people; 403 for the client's."""
    seat, milestone = milestone_to_read(user, ref, n)
    if seat.is_client:
        raise PermissionDenied
    return seat, milestone


def milestone_to_move(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for somebody who may agree to money moving, on either side; 403 otherwise."""
    seat, milestone = milestone_to_read(user, ref, n)
    if not seat.moves_money:
        raise PermissionDenied
    return seat, milestone


def contract_to_end(user: User, ref: str) -> Seat:
    """A contract for somebody who may agree to money moving, on either side; 403 otherwise."""
    seat = contract_to_read(user, ref)
    if not seat.moves_money:
        raise PermissionDenied
    return seat


def milestone_to_read(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """Milestone number `n` of a contract, with its hold and newest delivery."""
    seat = contract_to_read(user, ref)
    for milestone in milestones_of(seat.contract, number=n):
        return seat, milestone
    raise Http404


def milestones_of(contract: Contract, *, number: int | None = None) -> list[Milestone]:
    """The milestones with hold, newest delivery, open dispute and open cancellation: one query."""
    rows = _with_details(contract.milestones.all())
    if number is not None:
        rows = rows.filter(position=number)
    found = list(rows.order_by("position"))
    for milestone in found:
        milestone.contract = contract
    return found


def _with_details(rows: QuerySet[Milestone]) -> QuerySet[Milestone]:
    return rows.select_related("hold").annotate(
        delivered=Subquery(_newest_delivery()),
        disputed=Subquery(_newest_dispute()),
        calling_off=Subquery(_open_cancellation()),
        proposed=ArraySubquery(_open_proposals()),
        ordered=Subquery(_open_order()),
    )


def _newest_delivery() -> QuerySet[Delivery, Any]:
    hanging = Delivery.files.through.objects.filter(delivery=OuterRef("pk")).order_by("pk")
    files = hanging.values(
        json=JSONObject(
            ref="storedfile__ref",
            name="storedfile__name",
            size="storedfile__size",
            scan="storedfile__scan",
        )
    )
    return (
        Delivery.objects.filter(milestone=OuterRef("pk"))
        .order_by("-round")
        .values(
            json=JSONObject(
                round="round",
                note="note",
                link="link",
                at="delivered_at",
                points="change_request__points",
                asked_at="change_request__asked_at",
                files=ArraySubquery(files),
            )
        )[:1]
    )


def _newest_dispute() -> QuerySet[Dispute, Any]:
    return (
        Dispute.objects.filter(milestone=OuterRef("pk"))
        .order_by("-pk")
        .values(
            json=JSONObject(
                ref="ref",
                status="status",
                opened_for="opened_for_id",
                answer_due_at="answer_due_at",
                decide_due_at="decide_due_at",
            )
        )[:1]
    )


def _open_cancellation() -> QuerySet[Cancellation, Any]:
    return Cancellation.objects.filter(
        milestone=OuterRef("pk"), status=Cancellation.Status.OPEN
    ).values(json=JSONObject(reason="reason", asked_at="asked_at", due="answer_due_at"))[:1]


def _open_proposals() -> QuerySet[Proposal, Any]:
    return (
        Proposal.objects.filter(milestone=OuterRef("pk"), status=Proposal.Status.OPEN)
        .order_by("pk")
        .values(
            json=JSONObject(
                ref="ref",
                kind="kind",
                side="side",
                due_on="due_on",
                minor="amount_minor",
                carry="carry",
                answer_due_at="answer_due_at",
            )
        )
    )


def _open_order() -> QuerySet[ChangeOrder, Any]:
    """What is asked or offered about a milestone whose included rounds are used up.

    Only while it stops silence: otherwise the reader needs to see when the money is released.
    """
    return (
        silence.orders_that_stop_it()
        .filter(about=OuterRef("pk"))
        .values(json=JSONObject(ref="ref", status="status", side="side", due="due_at"))[:1]
    )


def proposal_to_answer(user: User, ref: str, proposal: str) -> tuple[Seat, Proposal]:
    """A proposal of a contract for somebody who may agree to it; 403 for others at the table."""
    seat = contract_to_read(user, ref)
    if not seat.moves_money:
        raise PermissionDenied
    of_contract = {"milestone__contract": seat.contract}
    return seat, get_object_or_404(Proposal, ref=proposal, **of_contract)


def order_to_read(user: User, ref: str, order: str) -> tuple[Seat, ChangeOrder]:
    """A change order of a contract, for the people of both sides."""
    seat = contract_to_read(user, ref)
    rows = ChangeOrder.objects.select_related("about", "milestone__hold", "amendment")
    found = get_object_or_404(rows, ref=order, contract=seat.contract)
    found.contract = seat.contract
    return seat, found


def order_to_answer(user: User, ref: str, order: str) -> tuple[Seat, ChangeOrder]:
    """A change order for somebody who may agree to it; 403 for others at the table."""
    seat, found = order_to_read(user, ref, order)
    if not seat.moves_money:
        raise PermissionDenied
    return seat, found


def open_order(contract: Contract) -> ChangeOrder | None:
    """What is asked, offered or waits for its payment."""
    rows = ChangeOrder.objects.filter(contract=contract, status__in=ChangeOrder.OPEN)
    found = rows.select_related("milestone").first()
    if found:
        found.contract = contract
    return found


def amendments_of(contract: Contract) -> list[Amendment]:
    """The versions of the terms after the first one, oldest first."""
    return list(Amendment.objects.filter(contract=contract).select_related("order"))


def milestone_to_return(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for somebody who may give its money back for the freelancer; 403 otherwise."""
    seat, milestone = milestone_to_move(user, ref, n)
    if seat.is_client:
        raise PermissionDenied
    return seat, milestone


def contract_to_reward(user: User, ref: str) -> Seat:
    """A contract for somebody who pays for the client; 403 for the others at the table."""
    seat = contract_to_end(user, ref)
    if not seat.is_client:
        raise PermissionDenied
    return seat


def bonuses_of(contract: Contract) -> list[Bonus]:
    """The bonuses that were paid, newest first, with their holds."""
    rows = Bonus.objects.filter(contract=contract, hold__held_at__isnull=False)
    return list(rows.select_related("hold").order_by("-pk"))


def bonus_on_its_way(contract: Contract) -> Funding | None:
    """The try to pay a bonus that is still running."""
    tried = Funding.objects.filter(
        parts__hold__bonus__contract=contract, status__in=Funding.RUNNING
    )
    return tried.order_by("-pk").first()


def last_try(milestone: Milestone) -> Funding | None:
    """The newest try to pay for the milestone."""
    if milestone.hold_id is None:
        return None
    return Funding.objects.filter(parts__hold=milestone.hold_id).order_by("-pk").first()


@dataclass(frozen=True)
class PaidFor:
    """One payment, and the milestones it is for."""

    tried: Funding
    steps: list[Milestone]


def newest_payment(contract: Contract) -> PaidFor | None:
    """The newest try to pay for milestones of the contract."""
    newest = Funding.objects.filter(parts__hold__milestone__contract=contract).order_by("-pk")
    tried = newest.first()
    return paid_for(tried) if tried else None


def paid_for(tried: Funding) -> PaidFor:
    """The milestones a payment is for."""
    steps = Milestone.objects.filter(hold__funding_parts__funding=tried).select_related("contract")
    return PaidFor(tried, list(steps.order_by("position")))


# --- Lists ----------------------------------------------------------------------------------


def contracts_of(
    user: User, tab: str = "", *, after: str = "", limit: int = 20
) -> tuple[list[Seat], str]:
    """The user's contracts, newest first, with their milestones, and the next page's cursor."""
    steps = _with_details(Milestone.objects.order_by("position"))
    rows = contracts_with_seat(user).prefetch_related(Prefetch("milestones", steps))
    rows = rows.defer("terms")
    if tab:
        rows = rows.filter(status__in=TABS[tab])
    if after:
        rows = rows.filter(pk__lt=Subquery(Contract.objects.filter(ref=after).values("pk")))
    page = list(rows.order_by("-pk")[: limit + 1])
    seats = [seat_at(contract, user) for contract in page[:limit]]
    return seats, page[limit - 1].ref if len(page) > limit else ""


def contract_counts(user: User) -> dict[str, int]:
    """How many of the user's contracts are in each tab."""
    return Contract.objects.filter(_has_seat(user)).aggregate(
        **{name: Count("pk", filter=Q(status__in=statuses)) for name, statuses in TABS.items()}
    )


# --- Seats ----------------------------------------------------------------------------------


def _has_seat(user: User) -> Q:
    parties = Membership.objects.filter(user=user).values("party")
    return Q(client__in=parties) | Q(freelancer__in=parties)


def contracts_with_seat(user: User) -> QuerySet[Contract]:
    """Contracts where the user sits, each with the rights there and the count of unread."""
    rights = JSONObject(pay="can_pay", hire="can_hire", manage="can_manage")
    mine = Membership.objects.filter(user=user)
    read = MessageRead.objects.filter(contract=OuterRef("contract"), user=user)
    order = PurchaseOrder.objects.filter(work=OuterRef("ref"))
    unread = (
        Message.objects.filter(contract=OuterRef("pk"))
        .exclude(author=user)
        .filter(pk__gt=Coalesce(Subquery(read.values("last_message")), 0))
        .values("contract")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return (
        Contract.objects.filter(_has_seat(user))
        .select_related("client", "freelancer__profile", "policy")
        .annotate(
            client_rights=Subquery(mine.filter(party=OuterRef("client")).values(json=rights)),
            freelancer_rights=Subquery(
                mine.filter(party=OuterRef("freelancer")).values(json=rights)
            ),
            unread=Coalesce(Subquery(unread), 0),
            # The client's own number for it.
            order_number=Coalesce(Subquery(order.values("number")), Value("")),
            # So that the page asks for extra work only where there is some.
            has_open_order=Exists(
                ChangeOrder.objects.filter(contract=OuterRef("pk"), status__in=ChangeOrder.OPEN)
            ),
        )
    )


def seat_at(contract: Contract, user: User) -> Seat:
    """The user's seat at a contract that came with its rights."""
    known = vars(contract)
    for side in Side:
        if rights := known[f"{side.value}_rights"]:
            return Seat(contract, user, side, rights)
    raise Http404


def unread_messages(user: User) -> int:
    """How many contracts have messages the user has not read; for the header."""
    read = MessageRead.objects.filter(contract=OuterRef("contract"), user=user)
    unread = (
        Message.objects.filter(contract=OuterRef("pk"))
        .exclude(author=user)
        .filter(pk__gt=Coalesce(Subquery(read.values("last_message")), 0))
    )
    return Contract.objects.filter(_has_seat(user)).filter(Exists(unread)).count()
