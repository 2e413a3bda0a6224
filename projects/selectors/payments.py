"""The money of one contract as a table, with its paper."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Q

from marketplace.core.money import Money
from payments.models import Invoice
from payments.selectors.overviews import money_parties
from projects.selectors.contracts import Seat
from projects.selectors.workspace import Step, Workspace


@dataclass(frozen=True)
class PaymentRow:
    """One milestone: what was agreed, what our fee is, what was paid, received or returned."""

    step: Step
    fee: Money
    moved: Money
    back: Money
    agreed: Money
    invoices: list[Invoice] = field(default_factory=list)


@dataclass(frozen=True)
class PaymentTable:
    """Every milestone and the totals, from one side."""

    rows: list[PaymentRow]
    agreed: Money
    fee: Money
    moved: Money
    back: Money


def payment_rows(seat: Seat, space: Workspace) -> PaymentTable:
    """The table of the reader's side: a client reads what was paid, a freelancer what comes."""
    papers = _papers(seat, space)
    rows = [_row(seat, step, papers) for step in space.steps]
    zero = Money.zero(seat.contract.currency)
    return PaymentTable(
        rows=rows,
        agreed=seat.contract.price,
        fee=sum((row.fee for row in rows), zero),
        moved=sum((row.moved for row in rows), zero),
        back=sum((row.back for row in rows), zero),
    )


def _row(seat: Seat, step: Step, papers: dict[int, list[Invoice]]) -> PaymentRow:
    hold = step.milestone.hold
    zero = Money.zero(seat.contract.currency)
    if hold is None or hold.held_at is None:
        return PaymentRow(step, zero, zero, zero, step.money)
    parts = hold.shares(hold.kept if hold.ended_at else hold.amount)
    return PaymentRow(
        step=step,
        fee=parts.client_fee if seat.is_client else parts.freelancer_fee,
        moved=hold.paid_in if seat.is_client else parts.to_payee,
        back=hold.returned_to_payer + (parts.to_payer if hold.ended_at else zero),
        agreed=step.money + step.milestone.returned + step.milestone.carried,
        invoices=papers.get(hold.pk, []),
    )


def _papers(seat: Seat, space: Workspace) -> dict[int, list[Invoice]]:
    mine = money_parties(seat.user)
    holds = [step.milestone.hold_id for step in space.steps if step.milestone.hold_id]
    found: dict[int, list[Invoice]] = defaultdict(list)
    rows = Invoice.objects.filter(Q(seller__in=mine) | Q(buyer__in=mine), hold__in=holds)
    for paper in rows.order_by("kind"):
        found[paper.hold_id].append(paper)
    return found
