"""Our books against Stripe's: every movement of our balance there is a posting here, and back.

What Stripe shows and we have not heard of is read from Stripe and posted by the same code as a
webhook; what stays different afterwards becomes a row for a person.
"""

import datetime as dt
import logging
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Sum

from marketplace.core import clock
from marketplace.core.money import Money
from payments import gateway, ledger
from payments.models import Account, Entry, Funding, Journal, Refund, Transfer, TransferReversal
from payments.services import breaks, chargebacks, refunds
from payments.services import funding as fundings
from payments.services.breaks import Difference

log = logging.getLogger(__name__)

BEGINNING = dt.datetime(2011, 1, 1, tzinfo=dt.UTC)
# The source of a difference between the balance and its movements.
BALANCE = "balance"
# Between our balance at Stripe and our bank, both ways.
OUR_OWN = {"payout", "payout_cancel", "payout_failure", "topup", "topup_reversal"}

# What payees paid us for payouts within minutes, and what Stripe takes from us for that and for
# other services: one pot, because the one is what the other costs (rule M10).
FEES = {"application_fee", "application_fee_refund", "stripe_fee"}

# What moved the balance, and in which currency.
Key = tuple[str, str]
# How much it moved it, as Stripe counts: what came in is positive.
Movements = dict[Key, int]


@dataclass
class Report:
    """What was compared, and what does not fit."""

    movements: int = 0
    sources: int = 0
    caught_up: int = 0
    under_way: list[Difference] = field(default_factory=list)
    # What a person has explained already, and the rest.
    explained: list[Difference] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    # By currency what Stripe says we have, and what our books say.
    balances: dict[str, tuple[int, int]] = field(default_factory=dict)


def reconcile(*, since: dt.datetime | None = None) -> Report:
    """Compare all movements since then, by default since ever, and close the gaps that can be.

    What differs is kept as rows, and rows that fit again are closed. Only the whole past can be
    compared with the balance, and only then a posting without a movement is a difference. Talks to
    Stripe, so call it outside transactions; raises Unavailable.
    """
    report, started = Report(), clock.now()
    whole = since is None
    moved = list(gateway.list_balance_transactions(since=since or BEGINNING))
    at_stripe = _by_source(moved)
    report.movements, report.sources = len(moved), len(at_stripe)
    only = None if whole else [source for source, _currency in at_stripe]
    before = _in_the_books(only)
    for movement in moved:
        if _differs(_key(movement), at_stripe, before, whole=whole):
            _catch_up(movement)
    booked = _in_the_books(only)
    report.caught_up = sum(
        _differs(key, at_stripe, before, whole=whole)
        and not _differs(key, at_stripe, booked, whole=whole)
        for key in {*at_stripe, *booked}
    )
    found = _compare_movements(report, at_stripe, booked, started, whole=whole)
    if whole:
        found += _compare_balances(report, at_stripe, booked)
    reasoned = breaks.explained(found)
    for one in found:
        (report.explained if one in reasoned else report.differences).append(one)
    breaks.keep(
        report.differences,
        at=started,
        # Of a part of the past only those are known to fit that are now in the books in full.
        fitting=None if whole else booked,
        moving={one.key for one in (*report.under_way, *report.explained)},
    )
    return report


def _compare_movements(
    report: Report, at_stripe: Movements, booked: Movements, started: dt.datetime, *, whole: bool
) -> list[Difference]:
    """What differs source by source; what is being recorded just now goes to the report."""
    open_now = _under_way(started)
    found: list[Difference] = []
    for key in sorted({*at_stripe, *booked}):
        if _differs(key, at_stripe, booked, whole=whole):
            one = Difference(*key, at_stripe.get(key, 0), booked.get(key, 0))
            missing = (one.at_stripe - one.in_books, one.currency)
            known = one.source in open_now or missing in open_now
            (report.under_way if known else found).append(one)
    return found


def _differs(key: Key, at_stripe: Movements, booked: Movements, *, whole: bool) -> bool:
    """Whether Stripe and the books disagree about it. Of a part of the past we only see whether it
    is in the books at all: what came before may explain the amount. What came and went there, like
    a refund the bank sent back before we heard of it, need not be.
    """
    if whole:
        return at_stripe.get(key, 0) != booked.get(key, 0)
    return key not in booked and at_stripe.get(key, 0) != 0


def _by_source(moved: list[gateway.BalanceTransaction]) -> Movements:
    sums: Movements = defaultdict(int)
    for movement in moved:
        sums[_key(movement)] += movement.net
    return dict(sums)


def _key(movement: gateway.BalanceTransaction) -> Key:
    return movement.source or movement.id, movement.currency


def _in_the_books(sources: list[str] | None) -> Movements:
    """What our balance at Stripe was moved by, by the reference of the postings."""
    legs = Entry.objects.filter(account__role=Account.Role.STRIPE_BALANCE)
    if sources is not None:
        legs = legs.filter(journal__ref__in=sources)
    sums = legs.values_list("journal__ref", "currency").annotate(sum=Sum("amount"))
    # Money we have is a debit.
    return {(ref, currency): -minor for ref, currency, minor in sums}


def _under_way(started: dt.datetime) -> set[object]:
    """What may be at one of the two alone for good reason: it is just being recorded.

    Refunds are known by their id there; of a transfer or a reversal that is just being made we know
    the amount. What was posted while we compared came too late for the list of movements.
    """
    at_the_bank = Refund.objects.filter(status=Refund.Status.PENDING)
    on_their_way = Transfer.objects.filter(status=Transfer.Status.SENDING)
    coming_back = TransferReversal.objects.filter(status=TransferReversal.Status.REQUESTED)
    return {
        *at_the_bank.values_list("stripe_id", flat=True),
        *Journal.objects.filter(created_at__gt=started).values_list("ref", flat=True),
        *((-transfer.to_send.minor, transfer.currency) for transfer in on_their_way),
        *coming_back.values_list("amount_minor", "currency"),
    }


def _catch_up(movement: gateway.BalanceTransaction) -> None:
    """Read the object behind the movement and record it, as its webhook would have done."""
    source = movement.source or ""
    if movement.type in OUR_OWN:
        _post_own(movement)
    elif movement.type in FEES:
        _post_fee(movement)
    elif source.startswith(("ch_", "py_")):
        charge = gateway.retrieve_charge(source)
        ours = Funding.objects.filter(ref=charge.metadata.get("funding", "")).first()
        if ours:
            fundings.confirm(ours)
            fundings.record_fee(charge)
    elif source.startswith(("re_", "pyr_")):
        refunds.record(gateway.retrieve_refund(source))
    elif source.startswith(("du_", "dp_")):
        chargebacks.record(gateway.retrieve_dispute(source))


def _post_own(movement: gateway.BalanceTransaction) -> None:
    """Money between our balance at Stripe and our bank: nobody else's business."""
    moved = Money(movement.net, movement.currency)
    ledger.post(
        f"own:{movement.id}",
        movement.type,
        [(ledger.STRIPE_BALANCE, -moved), (ledger.BANK, moved)],
        ref=movement.source or movement.id,
    )


def _post_fee(movement: gateway.BalanceTransaction) -> None:
    """A fee at Stripe that belongs to no payment of ours."""
    moved = Money(movement.net, movement.currency)
    ledger.post(
        f"fee:{movement.id}",
        "service_fee" if movement.type == "stripe_fee" else movement.type,
        [(ledger.STRIPE_BALANCE, -moved), (ledger.STRIPE_FEES, moved)],
        ref=movement.source or movement.id,
    )


def _compare_balances(report: Report, at_stripe: Movements, booked: Movements) -> list[Difference]:
    """The whole: what Stripe says we have must be what its movements, and ours, add up to."""
    moved, ours = _by_currency(at_stripe), _by_currency(booked)
    there = gateway.balance()
    if any(there.get(code, 0) != moved.get(code, 0) for code in {*there, *moved}):
        # Money that moved between the two answers is no difference: ask for both again.
        moved = _by_currency(_by_source(list(gateway.list_balance_transactions(since=BEGINNING))))
        there = gateway.balance()
    found = []
    for currency in sorted({*there, *moved, *ours}):
        has, adds_up_to = there.get(currency, 0), moved.get(currency, 0)
        report.balances[currency] = (has, ours.get(currency, 0))
        if has != adds_up_to:
            found.append(Difference(BALANCE, currency, has, adds_up_to))
    return found


def _by_currency(movements: Movements) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for (_source, currency), net in movements.items():
        sums[currency] += net
    return dict(sums)
