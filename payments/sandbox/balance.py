"""Balances and the transactions that move them."""

from payments.sandbox import banks
from payments.sandbox.contract import blank
from payments.sandbox.events import emit
from payments.sandbox.state import PLATFORM, Body
from payments.sandbox.world import Call, World

# How long the money of a card payment stays pending, as on many European accounts.
# What a payout within minutes costs: a share of the amount, rounded up, and at least so much.
INSTANT_BPS, INSTANT_LEAST = 100, 40
SETTLES_AFTER = 2 * 24 * 3600
REPORTING_CATEGORIES = {
    "adjustment": "other_adjustment",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "charge": "charge",
    "payment": "charge",
    "payment_refund": "refund",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "stripe_fee": "fee",
    "topup": "topup",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
}


def post(
    world: World,
    kind: str,
    amount: int,
    currency: str,
    *,
    source: str | None,
    fee: int = 0,
    account: str = PLATFORM,
    available_on: int | None = None,
) -> Body:
    """Move a balance; before `available_on` the money counts as pending."""
    state = world.state
    settled_at = available_on or state.now()
    pending = settled_at > state.now()
    net = amount - fee
    details = {"amount": fee, "currency": currency, "type": "stripe_fee"}
    transaction = state.create(
        "balance_transaction",
        account=account,
        amount=amount,
        available_on=settled_at,
        balance_type="payments",
        currency=currency,
        fee=fee,
        fee_details=[{**details, "application": None, "description": "Stripe processing fees"}]
        if fee
        else [],
        net=net,
        reporting_category=REPORTING_CATEGORIES[kind],
        source=source,
        status="pending" if pending else "available",
        type=kind,
        _due_at=settled_at if pending else None,
    )
    state.add_to_balance(
        account, currency, available=0 if pending else net, pending=net if pending else 0
    )
    return transaction


def settle(world: World, transaction: Body) -> None:
    """Pending money becomes available."""
    account, net = transaction["_account"], transaction["net"]
    transaction |= {"status": "available", "_due_at": None}
    world.state.save(transaction)
    world.state.add_to_balance(account, transaction["currency"], available=net, pending=-net)
    emit(world, "balance.available", of_account(world, account), account=account)


def available(world: World, currency: str, *, account: str = PLATFORM) -> int:
    """What may leave now."""
    return world.state.balances(account).get(currency, (0, 0))[0]


def total(world: World, currency: str, *, account: str = PLATFORM) -> int:
    """Available and pending together."""
    return sum(world.state.balances(account).get(currency, (0, 0)))


def of_account(world: World, account: str) -> Body:
    """The balance object of an account."""
    balances = sorted(world.state.balances(account).items())
    parts = [
        [
            {"amount": amounts[part], "currency": currency, "source_types": {"card": amounts[part]}}
            for currency, amounts in balances
        ]
        for part in (0, 1)
    ]
    found = {**blank("balance"), "available": parts[0], "pending": parts[1]}
    bank = None if account == PLATFORM else banks.in_use(world, account)
    if bank and banks.takes_instant(bank):
        found["instant_available"] = [
            _at_once(bank, currency, amounts[0]) for currency, amounts in balances
        ]
    return found


def _at_once(bank: Body, currency: str, whole: int) -> Body:
    """What of so much could be there within minutes, before and after the operator's fee."""
    net = whole - instant_fee_in(whole)
    to = {"amount": net, "destination": bank["id"], "source_types": {"card": net}}
    return {
        "amount": whole,
        "currency": currency,
        "net_available": [to] if net > 0 else [],
        "source_types": {"card": whole},
    }


def instant_fee(amount: int) -> int:
    """What it costs to have so much arrive within minutes."""
    return max(INSTANT_LEAST, -(-amount * INSTANT_BPS // 10_000))


def instant_fee_in(whole: int) -> int:
    """The fee that is left beside the most that can arrive out of so much."""
    net = whole * 10_000 // (10_000 + INSTANT_BPS)
    while net > 0 and net + instant_fee(net) > whole:
        net -= 1
    return whole - max(0, net)


def retrieve(call: Call) -> Body:
    """GET /v1/balance."""
    return of_account(call.world, call.account)
