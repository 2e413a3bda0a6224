"""Our balance at Stripe and the movements on it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import stripe

from payments.gateway import connection
from payments.gateway.answers import id_of, moment
from payments.stripe_units import from_stripe


@dataclass(frozen=True)
class BalanceTransaction:
    """One movement of a Stripe balance; `source` is the id of the object that caused it."""

    id: str
    type: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str | None
    created: dt.datetime


def list_balance_transactions(*, since: dt.datetime) -> Iterator[BalanceTransaction]:
    """Movements of our own balance since then, newest first, page by page."""
    with connection.our_errors():
        page = connection.client().v1.balance_transactions.list(
            {"created": {"gte": int(since.timestamp())}, "limit": connection.PAGE}
        )
        for moved in page.auto_paging_iter():
            yield read_movement(moved)


def balance(*, account: str = "") -> dict[str, int]:
    """Our balance, or a connected account's, by currency: available and pending money together."""
    ours = _retrieve(account)
    parts = [(part.amount, part.currency) for part in ours.available]
    parts += [(part.amount, part.currency) for part in ours.pending]
    return _sums(parts)


def available(*, account: str) -> dict[str, int]:
    """What a connected account can pay out now, by currency."""
    return ready_to_leave(account=account).available


@dataclass(frozen=True)
class AtOnce:
    """What may leave within minutes, and what is kept for that; together they are the balance."""

    net: int
    fee: int


@dataclass(frozen=True)
class Ready:
    """What can leave a connected account now, by currency."""

    available: dict[str, int]
    at_once: dict[str, AtOnce]


def ready_to_leave(*, account: str) -> Ready:
    """What a connected account can pay out now, and what of it within minutes, less the fee.

    The fee is the one the operator has set at Stripe for payouts of connected accounts.
    """
    told = _retrieve(account)
    at_once: dict[str, AtOnce] = {}
    for part in told.instant_available or []:
        nets = [to.amount for to in part.net_available or []]
        if nets:
            whole = from_stripe(part.amount, part.currency)
            net = from_stripe(max(nets), part.currency)
            at_once[whole.currency] = AtOnce(net.minor, whole.minor - net.minor)
    return Ready(_sums([(part.amount, part.currency) for part in told.available]), at_once)


def _retrieve(account: str) -> stripe.Balance:
    with connection.our_errors():
        return connection.client().v1.balance.retrieve(
            {}, {"stripe_account": account} if account else {}
        )


def _sums(parts: list[tuple[int, str]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for minor, currency in parts:
        amount = from_stripe(minor, currency)
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return sums


def read_movement(moved: stripe.BalanceTransaction) -> BalanceTransaction:
    """Our record of a balance transaction."""
    amount, fee, net = (
        from_stripe(minor, moved.currency) for minor in (moved.amount, moved.fee, moved.net)
    )
    return BalanceTransaction(
        id=moved.id,
        type=moved.type,
        amount=amount.minor,
        fee=fee.minor,
        net=net.minor,
        currency=amount.currency,
        source=id_of(moved.source),
        created=moment(moved.created),
    )
