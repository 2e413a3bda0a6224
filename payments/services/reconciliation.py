"""Our books against Stripe's: every movement of our balance there is a posting here, and back.

What Stripe shows and we have not heard of is read from Stripe and posted by the same code as a
webhook; what stays different afterwards is for a person.
"""

import datetime as dt
import logging
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Sum

from marketplace.core.money import Money
from payments import gateway, ledger
from payments.models import Account, Entry, Funding, Refund, Transfer, TransferReversal
from payments.services import chargebacks, refunds
from payments.services import funding as fundings

log = logging.getLogger(__name__)

BEGINNING = dt.datetime(2011, 1, 1, tzinfo=dt.UTC)
# Between our balance at Stripe and our bank, both ways.
OUR_OWN = {"payout", "payout_cancel", "payout_failure", "topup", "topup_reversal"}

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
    under_way: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    balances: dict[str, tuple[int, int]] = field(default_factory=dict)


def reconcile(*, since: dt.datetime | None = None) -> Report:
    """Compare all movements since then, by default since ever, and close the gaps that can be.

    Only the whole past can be compared with the balance, and only then a posting without a
    movement is a difference. Talks to Stripe, so call it outside transactions; raises Unavailable.
    """
    report = Report()
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
    open_now = _under_way()
    for key in sorted(set(at_stripe) | set(booked)):
        source, currency = key
        there, here = at_stripe.get(key, 0), booked.get(key, 0)
        if not _differs(key, at_stripe, booked, whole=whole):
            report.caught_up += _differs(key, at_stripe, before, whole=whole)
        else:
            line = f"{source}: {there} {currency} at Stripe, {here} in the books"
            known = source in open_now or (there - here, currency) in open_now
            (report.under_way if known else report.differences).append(line)
    if whole:
        _compare_balances(report, at_stripe, booked)
    return report


def _differs(key: Key, at_stripe: Movements, booked: Movements, *, whole: bool) -> bool:
    """Whether Stripe and the books disagree about it. Of a part of the past we only see whether it
    is in the books at all: what came before may explain the amount.
    """
    if whole:
        return at_stripe.get(key, 0) != booked.get(key, 0)
    return key not in booked


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


def _under_way() -> set[object]:
    """What may be at Stripe and not in the books for good reason: it is being recorded.

    Refunds are known by their id there; of a transfer or a reversal that is just being made we know
    the amount.
    """
    at_the_bank = Refund.objects.filter(status=Refund.Status.PENDING)
    on_their_way = Transfer.objects.filter(status=Transfer.Status.SENDING)
    coming_back = TransferReversal.objects.filter(status=TransferReversal.Status.REQUESTED)
    return {
        *at_the_bank.values_list("stripe_id", flat=True),
        *((-transfer.to_send.minor, transfer.currency) for transfer in on_their_way),
        *coming_back.values_list("amount_minor", "currency"),
    }


def _catch_up(movement: gateway.BalanceTransaction) -> None:
    """Read the object behind the movement and record it, as its webhook would have done."""
    source = movement.source or ""
    if movement.type in OUR_OWN:
        _post_own(movement)
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


def _compare_balances(report: Report, at_stripe: Movements, booked: Movements) -> None:
    """The whole: what Stripe says we have must be what its movements, and ours, add up to."""
    for currency, there in gateway.balance().items():
        movements = sum(net for (_ref, code), net in at_stripe.items() if code == currency)
        here = sum(net for (_ref, code), net in booked.items() if code == currency)
        report.balances[currency] = (there, here)
        if there != movements:
            report.differences.append(
                f"balance: {there} {currency} at Stripe, its movements add up to {movements}"
            )
