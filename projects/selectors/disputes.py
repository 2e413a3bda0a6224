"""Disputes, for both sides and for the moderator who decides."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Party, User
from marketplace.core import clock
from marketplace.core.models import StoredFile
from marketplace.core.money import Money
from projects.models import (
    Contract,
    Delivery,
    Dispute,
    DisputeStatement,
    Message,
    Milestone,
)
from projects.models.contracts import Side
from projects.selectors.contracts import Seat, contracts_with_seat, milestones_of, seat_at
from projects.selectors.workspace import FileLink, Sum


@dataclass(frozen=True)
class Said:
    """One statement as the page shows it."""

    statement: DisputeStatement
    side: Side
    party: Party
    mine: bool
    files: list[FileLink]
    split: list[Sum] = field(default_factory=list)


@dataclass(frozen=True)
class DisputeView:
    """A dispute from one seat."""

    seat: Seat
    dispute: Dispute
    milestone: Milestone
    said: list[Said]

    @property
    def is_open(self) -> bool:
        return self.dispute.status == Dispute.Status.OPEN

    @property
    def opened_by_me(self) -> bool:
        return self.dispute.opened_for_id == self.seat.mine.pk

    @property
    def answered(self) -> bool:
        """Whether the side that did not open it has said something."""
        return any(s.party.pk != self.dispute.opened_for_id for s in self.said)

    @property
    def proposals(self) -> dict[Side, Said]:
        """The newest proposal of each side."""
        return {s.side: s for s in self.said if s.split}

    @property
    def offer(self) -> Said | None:
        """What the other side proposes now, which the reader can accept."""
        return self.proposals.get(self.seat.side.other)

    @property
    def own_offer(self) -> Said | None:
        """What the reader's side proposes now."""
        return self.proposals.get(self.seat.side)

    @property
    def outcome(self) -> "Outcome | None":
        """How it ended, if money moved."""
        return outcome_of(self.dispute)

    @property
    def with_moderator(self) -> bool:
        """Whether the time to answer is over."""
        return clock.now() >= self.dispute.answer_due_at


def dispute_to_read(user: User, ref: str) -> DisputeView:
    """The dispute with this ref for the people of both sides; 404 for everybody else."""
    mine = contracts_with_seat(user)
    dispute = (
        Dispute.objects.filter(ref=ref, milestone__contract__in=mine.values("pk"))
        .select_related("milestone__hold", "opened_for", "accepted", "decision__decided_by")
        .first()
    )
    if dispute is None:
        raise Http404
    contract = mine.get(pk=dispute.milestone.contract_id)
    dispute.milestone.contract = contract
    seat = seat_at(contract, user)
    return DisputeView(seat, dispute, dispute.milestone, said_in(dispute, seat))


def dispute_to_answer(user: User, ref: str) -> DisputeView:
    """A dispute for somebody who may agree to money moving for their side; 403 otherwise."""
    view = dispute_to_read(user, ref)
    if not view.seat.moves_money:
        raise PermissionDenied
    return view


def milestone_to_dispute(user: User, ref: str, n: int) -> tuple[Seat, Milestone]:
    """A milestone for somebody who may open a dispute about it; 403 for the others."""
    seat = seat_or_404(user, ref)
    if not seat.moves_money:
        raise PermissionDenied
    for milestone in milestones_of(seat.contract, number=n):
        return seat, milestone
    raise Http404


def seat_or_404(user: User, ref: str) -> Seat:
    """The user's seat at the contract with this ref."""
    contract = contracts_with_seat(user).filter(ref=ref).first()
    if contract is None:
        raise Http404
    return seat_at(contract, user)


def said_in(dispute: Dispute, seat: Seat | None) -> list[Said]:
    """Every statement with its files, oldest first; `seat=None` for a moderator."""
    contract = dispute.milestone.contract
    hanging = DisputeStatement.files.through.objects.filter(disputestatement=OuterRef("pk"))
    files = hanging.order_by("pk").values(
        json=JSONObject(
            ref="storedfile__ref",
            name="storedfile__name",
            size="storedfile__size",
            scan="storedfile__scan",
        )
    )
    rows = dispute.statements.annotate(attached=ArraySubquery(files)).order_by("pk")
    said = []
    for statement in rows:
        statement.dispute = dispute
        side = Side.CLIENT if statement.side_id == contract.client_id else Side.FREELANCER
        part = statement.to_freelancer
        said.append(
            Said(
                statement=statement,
                side=side,
                party=contract.party(side),
                mine=seat is not None and side is seat.side,
                files=[FileLink.of(file) for file in vars(statement)["attached"]],
                split=split_rows(dispute.milestone, part) if part is not None else [],
            )
        )
    return said


def split_rows(milestone: Milestone, to_freelancer: Money) -> list[Sum]:
    """What a split means to the cent, by the code that pays: all lines sum to what was paid."""
    contract, hold = milestone.contract, milestone.hold
    if hold is None:
        return []
    parts = hold.shares(to_freelancer)
    names = {
        "freelancer": contract.freelancer.short_name,
        "client": contract.client.short_name,
    }
    rows = [
        Sum(_("%(freelancer)s’s part") % names, to_freelancer),
        Sum(
            _("%(client)s’s part") % names,
            hold.amount - to_freelancer,
            note=_("Both parts sum to what is paused"),
        ),
    ]
    rows.append(
        Sum(_("%(freelancer)s receives after the fee") % names, parts.to_payee, kind="total")
    )
    rows.append(
        Sum(
            _("%(client)s gets back, with the fee for that part") % names,
            parts.to_payer,
            kind="total",
        )
    )
    return rows


def evidence_choices(seat: Seat, picked: Sequence[str]) -> list[tuple[str, str]]:
    """What can be picked as evidence: files of the contract, and what was picked before."""
    contract = seat.contract
    delivered = Delivery.files.through.objects.filter(delivery__milestone__contract=contract)
    sent = Message.files.through.objects.filter(message__contract=contract)
    own = Q(ref__in=list(picked), uploaded_by=seat.user)
    rows = StoredFile.objects.filter(
        Q(pk__in=delivered.values("storedfile")) | Q(pk__in=sent.values("storedfile")) | own
    )
    return [(file.ref, file.name) for file in rows.order_by("-pk")[:100]]


@dataclass(frozen=True)
class Outcome:
    """How a dispute ended: the split, by whom, why."""

    split: list[Sum]
    to_freelancer: Money
    to_client: Money
    by: str
    at: dt.datetime
    reason: str = ""


def outcome_of(dispute: Dispute) -> Outcome | None:
    """The settlement or decision of a dispute; None while it is open or when it was withdrawn."""
    if dispute.status == Dispute.Status.DECIDED:
        decision = dispute.decision
        part = Money(decision.to_freelancer_minor, dispute.currency)
        by, at, reason = public_name(decision.decided_by), decision.decided_at, decision.reason
    elif dispute.status == Dispute.Status.SETTLED and dispute.accepted and dispute.ended_at:
        part = Money(dispute.accepted.to_freelancer_minor or 0, dispute.currency)
        by, at, reason = "", dispute.ended_at, ""
    else:
        return None
    return Outcome(
        split=split_rows(dispute.milestone, part),
        to_freelancer=part,
        to_client=dispute.paused - part,
        by=by,
        at=at,
        reason=reason,
    )


def public_name(user: User) -> str:
    """How both sides read a moderator's name: `Ayşe D.`"""
    first, _space, last = user.name.strip().rpartition(" ")
    return f"{first} {last[:1]}." if first else last


# --- Moderators -----------------------------------------------------------------------------


def disputes_to_decide() -> QuerySet[Dispute]:
    """All disputes with what the moderators' list shows; `answered` by the other side or not."""
    answers = DisputeStatement.objects.filter(dispute=OuterRef("pk")).exclude(
        side=OuterRef("opened_for")
    )
    return Dispute.objects.select_related(
        "milestone__hold",
        "milestone__contract__client",
        "milestone__contract__freelancer",
        "milestone__contract__policy",
        "opened_for",
        "accepted",
        "decision__decided_by",
    ).annotate(answered=Exists(answers))


@dataclass(frozen=True)
class CaseFile:
    """Everything a moderator needs to decide, on one page."""

    dispute: Dispute
    contract: Contract
    milestone: Milestone
    said: list[Said]
    deliveries: list[Delivery]
    messages: Sequence[Message]
    evidence: list[StoredFile]


def case_file(dispute: Dispute) -> CaseFile:
    """The whole case: terms, deliveries, thread, statements, files with their digests."""
    milestone = dispute.milestone
    contract = milestone.contract
    deliveries = list(
        milestone.deliveries.select_related("change_request", "delivered_by").prefetch_related(
            "files"
        )
    )
    thread = list(
        contract.messages.select_related("author").prefetch_related("files").order_by("-pk")[:300]
    )[::-1]
    hanging = DisputeStatement.files.through.objects.filter(disputestatement__dispute=dispute)
    files = StoredFile.objects.filter(
        Q(pk__in=hanging.values("storedfile"))
        | Q(pk__in=[file.pk for each in deliveries for file in each.files.all()])
    )
    return CaseFile(
        dispute=dispute,
        contract=contract,
        milestone=milestone,
        said=said_in(dispute, None),
        deliveries=deliveries,
        messages=thread,
        evidence=list(files.select_related("uploaded_by").order_by("pk")),
    )


def due_words(view: DisputeView) -> tuple[dt.datetime, str]:
    """The next deadline, and what follows when it passes."""
    dispute = view.dispute
    if view.with_moderator or view.answered:
        return dispute.decide_due_at, _("A moderator decides by then if you do not settle.")
    return dispute.answer_due_at, _("Without an answer a moderator decides on what is there.")
