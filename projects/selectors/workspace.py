"""What a contract's page shows: its steps, and where every cent of it is, by the ledger's word."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from marketplace.core import clock
from marketplace.core.display import day_text, moment_text, money_text
from marketplace.core.money import Money
from payments.selectors import HoldMoney, Segment, where_money_is
from projects.models import Bonus, ChangeOrder, Milestone, Proposal
from projects.selectors.contracts import (
    Seat,
    bonuses_of,
    contracts_of,
    milestones_of,
    open_order,
)
from projects.selectors.next_step import NextStep, next_step

S = Milestone.Status
# States of the money bar by a milestone's status, before any money has left it.
BEFORE_THE_END = {
    S.PLANNED: "not_funded",
    S.FUNDING: "on_its_way",
    S.FUNDED: "held",
    S.CHANGES_REQUESTED: "held",
    S.SUBMITTED: "in_review",
    S.DISPUTED: "disputed",
    S.FROZEN: "disputed",
}
DONE = (S.APPROVED, S.SETTLED)
Where = dict[int, HoldMoney]


@dataclass(frozen=True)
class Sum:
    """A line of a table of amounts."""

    label: str
    money: Money
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class FileLink:
    """A file as the file component shows it."""

    name: str
    size: int
    url: str
    scan: str

    @classmethod
    def of(cls, file: dict[str, Any]) -> "FileLink":
        """From a row of a query; the link is empty until the virus check is through."""
        clean = file["scan"] == "clean"
        url = reverse("projects:file", kwargs={"ref": file["ref"]}) if clean else ""
        return cls(file["name"], file["size"], url, file["scan"])


@dataclass(frozen=True)
class Suggestion:
    """An open proposal as the milestone's row shows it."""

    ref: str
    kind: str
    mine: bool
    due_on: dt.date | None
    amount: Money | None
    carry: bool
    answer_due_at: dt.datetime | None
    text: str
    url: str


@dataclass(frozen=True)
class Step:
    """A milestone as its row shows it."""

    milestone: Milestone
    state: str
    meta: str
    segments: Sequence[Segment]
    delivery: dict[str, Any] | None = None
    files: list[FileLink] = field(default_factory=list)
    proposals: list[Suggestion] = field(default_factory=list)
    available_at: dt.datetime | None = None

    @property
    def held(self) -> bool:
        """Whether its money is with us and nobody disputes it."""
        return self.milestone.status in Milestone.HELD

    @property
    def returnable(self) -> bool:
        """Whether the freelancer may still give something of it back after its release."""
        hold = self.milestone.hold
        if hold is None:
            return False
        until = hold.returnable_until(self.milestone.contract.policy)
        return until is not None and clock.now() <= until

    @property
    def undelivered(self) -> bool:
        """Whether its due date still means something."""
        return self.milestone.status in {S.PLANNED, S.FUNDED}

    @property
    def number(self) -> int:
        return self.milestone.position

    @property
    def title(self) -> str:
        return self.milestone.title

    @property
    def money(self) -> Money:
        return self.milestone.amount

    @property
    def receives(self) -> Money:
        """What the freelancer gets of it after our fee, once it is held."""
        hold = self.milestone.hold
        return hold.shares(hold.amount).to_payee if hold else self.money

    @property
    def status(self) -> str:
        return self.milestone.status

    @property
    def done(self) -> bool:
        """Whether the work of it is accepted or settled."""
        return self.milestone.status in DONE

    @property
    def cancelled(self) -> bool:
        return self.milestone.status == S.CANCELLED

    @property
    def now(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.milestone.status in {S.SUBMITTED, S.CHANGES_REQUESTED, S.DISPUTED, S.FROZEN}


@dataclass(frozen=True)
class BonusRow:
    """A bonus that was paid, and where its money is."""

    bonus: Bonus
    money: HoldMoney

    @property
    def amount(self) -> Money:
        return self.bonus.hold.amount


@dataclass(frozen=True)
class Workspace:
    """A contract from one seat: steps, bar and sums, all from the same figures."""

    seat: Seat
    steps: list[Step]
    segments: list[Segment]
    sums: list[Sum]
    bonuses: list[BonusRow] = field(default_factory=list)
    order: ChangeOrder | None = None


def workspace_of(seat: Seat) -> Workspace:
    """The contract's steps and money: one query for the steps, one for the money."""
    milestones = milestones_of(seat.contract)
    bonuses = bonuses_of(seat.contract)
    holds = [step.hold for step in milestones if step.hold]
    where = where_money_is([*holds, *(bonus.hold for bonus in bonuses)])
    asked = vars(seat.contract).get("has_open_order", True)
    order = open_order(seat.contract) if asked else None
    return workspace(seat, milestones, where, bonuses, order=order)


def workspace(
    seat: Seat,
    milestones: Iterable[Milestone],
    where: Where,
    bonuses: Iterable[Bonus] = (),
    *,
    order: ChangeOrder | None = None,
) -> Workspace:
    """The same from what a caller has fetched already."""
    steps = [_step(milestone, where, seat) for milestone in milestones]
    segments = [segment for step in steps for segment in step.segments]
    rows = [BonusRow(bonus, where[bonus.hold_id]) for bonus in bonuses]
    return Workspace(
        seat, steps, segments, [*sums(seat, steps, segments), *_bonus(rows)], rows, order
    )


def _bonus(rows: Sequence[BonusRow]) -> list[Sum]:
    """Bonuses stand below the contract total: they come on top of it."""
    if not rows:
        return []
    total = sum((row.amount for row in rows[1:]), rows[0].amount)
    return [Sum(_("Bonus, on top"), total)]


def segments_of(milestone: Milestone, where: Where) -> list[Segment]:
    """Where the amount of one milestone is; called off before any payment, it is nowhere."""
    gone = [Segment("refunded", milestone.returned)] if milestone.returned else []
    if state := BEFORE_THE_END.get(S(milestone.status)):
        return [Segment(state, milestone.amount), *gone]
    money = where.get(milestone.hold_id or 0)
    if money is None or money.state == "not_funded":
        return []
    out = "paid_out" if money.paid_out else "released"
    back = money.returned + milestone.returned
    parts = [Segment(out, money.awarded), Segment("refunded", back)]
    return [part for part in parts if part.money]


def _step(milestone: Milestone, where: Where, seat: Seat) -> Step:
    segments = segments_of(milestone, where)
    delivery = vars(milestone).get("delivered")
    if delivery:
        delivery = delivery | {"at": parse_datetime(delivery["at"])}
    money = where.get(milestone.hold_id or 0)
    return Step(
        milestone=milestone,
        state=segments[0].state if segments else "",
        meta=_meta(milestone, where, seat, delivery),
        segments=segments,
        delivery=delivery,
        files=[FileLink.of(file) for file in delivery["files"]] if delivery else [],
        proposals=[_suggestion(one, milestone, seat) for one in vars(milestone)["proposed"]],
        available_at=money.available_at if money else None,
    )


def _suggestion(proposal: dict[str, Any], milestone: Milestone, seat: Seat) -> Suggestion:
    mine = proposal["side"] == seat.side.value
    words = {"name": (seat.mine if mine else seat.other).short_name}
    due_on = amount = None
    if proposal["kind"] == Proposal.Kind.EXTENSION:
        due_on = dt.date.fromisoformat(proposal["due_on"])
        words["day"] = day_text(due_on)
        text, page = _("%(name)s proposes %(day)s as the new due date."), "extend"
    else:
        amount = Money(proposal["minor"], seat.contract.currency)
        words["amount"] = money_text(amount)
        text, page = _("%(name)s proposes to end it with %(amount)s."), "release-part"
    url = reverse(f"projects:{page}", kwargs={"ref": seat.contract.ref, "n": milestone.position})
    return Suggestion(
        ref=proposal["ref"],
        kind=proposal["kind"],
        mine=mine,
        due_on=due_on,
        amount=amount,
        carry=proposal["carry"],
        answer_due_at=parse_datetime(proposal["answer_due_at"]),
        text=text % words,
        url=url,
    )


def _meta(milestone: Milestone, where: Where, seat: Seat, delivery: dict[str, Any] | None) -> str:
    words = _state_in_words(milestone, where, seat, delivery)
    if milestone.carried:
        on = _("%(amount)s of it held for the next one") % {"amount": money_text(milestone.carried)}
        words = _("%(state)s, %(more)s") % {"state": words, "more": on} if words else on
    if not milestone.returned:
        return words
    back = _("%(amount)s of it given back before") % {"amount": money_text(milestone.returned)}
    return _("%(state)s, %(more)s") % {"state": words, "more": back} if words else back


def _state_in_words(
    milestone: Milestone, where: Where, seat: Seat, delivery: dict[str, Any] | None
) -> str:
    delivered = day_text(delivery["at"]) if delivery else ""
    if milestone.status == S.SUBMITTED and milestone.review_due_at:
        return _("Delivered %(day)s, review until %(until)s") % {
            "day": delivered,
            "until": day_text(milestone.review_due_at),
        }
    if milestone.status == S.CHANGES_REQUESTED:
        asked = milestone.changes_asked
        return ngettext(
            "Changes asked for, round %(n)s of %(all)s",
            "Changes asked for, round %(n)s of %(all)s",
            asked,
        ) % {"n": asked, "all": max(asked, seat.contract.change_rounds)}
    if milestone.status == S.APPROVED and milestone.approved_at:
        approved = _("Approved %(day)s") % {"day": day_text(milestone.approved_at)}
        approved = _with_give_back(approved, where.get(milestone.hold_id or 0))
        return _with_wait(approved, where.get(milestone.hold_id or 0), seat)
    if milestone.status == S.SETTLED:
        return _settled(where.get(milestone.hold_id or 0), seat)
    if milestone.status in {S.FROZEN, S.CANCELLED}:
        return _stopped(milestone, seat)
    return _due(milestone)


def _due(milestone: Milestone) -> str:
    if milestone.due_on is None:
        return ""
    late = milestone.late_at
    is_late = milestone.status == S.FUNDED and late is not None and late <= clock.now()
    words = _("Late: it was due %(day)s") if is_late else _("Due %(day)s")
    return words % {"day": day_text(milestone.due_on)}


def _with_wait(text: str, money: HoldMoney | None, seat: Seat) -> str:
    """The freelancer also reads when the money leaves the security hold, and why then."""
    if money is None or money.available_at is None or seat.is_client:
        return text
    return _("%(text)s. Available %(when)s: %(why)s") % {
        "text": text,
        "when": moment_text(money.available_at),
        "why": money.why_waiting,
    }


def _with_give_back(text: str, money: HoldMoney | None) -> str:
    if money is None or money.given_back is None:
        return text
    return _("%(text)s, %(amount)s given back since") % {
        "text": text,
        "amount": money_text(money.given_back),
    }


def _stopped(milestone: Milestone, seat: Seat) -> str:
    client = {"client": seat.contract.client.short_name}
    if milestone.status == S.FROZEN:
        return _("On hold: %(client)s’s bank questions the card payment") % client
    if milestone.hold and milestone.hold.basis_detail.startswith("C6:"):
        return _("Paid back by %(client)s’s bank") % client
    return _("Called off")


def _settled(money: HoldMoney | None, seat: Seat) -> str:
    if money is None:
        return _("Settled")
    settled = _("Settled: %(part)s to %(freelancer)s, %(rest)s back to %(client)s") % {
        "part": money_text(money.awarded),
        "rest": money_text(money.returned),
        "freelancer": seat.contract.freelancer.short_name,
        "client": seat.contract.client.short_name,
    }
    return _with_wait(_with_give_back(settled, money), money, seat)


def sums(seat: Seat, steps: Sequence[Step], segments: Sequence[Segment]) -> list[Sum]:
    """The lines beside the bar; with what was called off they add up to the contract total."""
    contract = seat.contract
    names = {
        "freelancer": contract.freelancer.short_name,
        "client": contract.client.short_name,
    }
    labels = {
        "paid_out": _("Paid out to %(freelancer)s"),
        "released": _("Released, on its way to %(freelancer)s"),
        "in_review": _("Held by us, in review"),
        "disputed": _("Disputed, paused"),
        "held": _("Held by us"),
        "on_its_way": _("Payment on its way"),
        "not_funded": _("Not funded yet"),
        "refunded": _("Back to %(client)s"),
    }
    rows = []
    for state, label in labels.items():
        total = sum(part.money.minor for part in segments if part.state == state)
        if total:
            rows.append(Sum(label % names, Money(total, contract.currency)))
    carried = sum(step.milestone.carried_minor for step in steps)
    if carried:
        rows.append(
            Sum(_("Agreed on less, held for the next one"), Money(carried, contract.currency))
        )
    dropped = sum(s.money.minor for s in steps if s.cancelled and not s.segments)
    if dropped:
        rows.append(Sum(_("Called off, never paid"), Money(dropped, contract.currency)))
    return rows


@dataclass(frozen=True)
class ContractRow:
    """A contract in a list: bar, how far it is, whose turn, the next date."""

    seat: Seat
    segments: list[Segment]
    done: int
    all: int
    next_on: dt.date | dt.datetime | None
    step: NextStep


def contract_rows(user: User, tab: str = "", *, after: str = "") -> tuple[list[ContractRow], str]:
    """A page of the user's contracts, with what their rows show: three queries."""
    seats, following = contracts_of(user, tab, after=after)
    steps = {seat.contract.pk: list(seat.contract.milestones.all()) for seat in seats}
    holds = [step.hold for rows in steps.values() for step in rows if step.hold]
    where = where_money_is(holds)
    rows = []
    for seat in seats:
        milestones = steps[seat.contract.pk]
        for milestone in milestones:
            milestone.contract = seat.contract
        live = [m for m in milestones if m.status != S.CANCELLED]
        rows.append(
            ContractRow(
                seat=seat,
                segments=[part for m in milestones for part in segments_of(m, where)],
                done=sum(m.status in DONE for m in live),
                all=len(live),
                next_on=next_date(milestones),
                step=next_step(seat, milestones, reviewed=True),
            )
        )
    return rows, following


def next_date(milestones: Iterable[Milestone]) -> dt.date | dt.datetime | None:
    """The date a list shows for a contract: the end of a review, else the next thing due."""
    reviews = [m.review_due_at for m in milestones if m.review_due_at]
    if reviews:
        return min(reviews)
    due = [m.due_on for m in milestones if m.due_on and m.status not in Milestone.ENDED]
    return min(due) if due else None
