"""Payouts: from a connected account's balance to its bank, and sometimes back."""

import datetime as dt

from payments.sandbox import balance, banks, schedules
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.events import emit
from payments.sandbox.state import PLATFORM, Body
from payments.sandbox.world import Call, World

DAY = 24 * 3600
# Banks take this long; a failure shows a day after Stripe believed the money had arrived.
SENT_AFTER, ARRIVES_AFTER, BOUNCES_AFTER = 3600, 2 * DAY, DAY
INSTANTLY = 1800
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account details on file are probably incorrect.",
}


def create(call: Call) -> Body:
    """POST /v1/payouts for a connected account: money to its bank, on demand."""
    params, world = call.params, call.world
    amount, currency = params["amount"], params["currency"].lower()
    if call.account == PLATFORM:
        raise StripeRefusal("The sandbox plays payouts of connected accounts only.")
    account = call.state.get("account", call.account)
    if not account["payouts_enabled"]:
        raise StripeRefusal(
            "Cannot create payouts: this account has payouts disabled.", code="payouts_not_allowed"
        )
    if amount <= 0:
        raise StripeRefusal(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    bank = banks.in_use(world, call.account)
    if bank is None or bank["status"] == "errored":
        raise StripeRefusal(
            "Sorry, you don't have any external accounts in that currency that can be paid out to.",
            code="no_account",
        )
    fee = 0
    if params.get("method") == "instant":
        fee = _instant_fee(bank, amount)
    if balance.available(world, currency, account=call.account) < amount + fee:
        raise StripeRefusal(
            "You have insufficient funds in your Stripe account for this transfer. Your card "
            "balance is too low.",
            code="balance_insufficient",
        )
    metadata = params.get("metadata", {})
    return _make(world, bank, amount, currency, automatic=False, metadata=metadata, fee=fee)


def _instant_fee(bank: Body, amount: int) -> int:
    """What it costs; raises Stripe's refusal when the bank does not take it so."""
    refusal = banks.NUMBERS[bank["_number"]].instant_failure
    if refusal or not banks.takes_instant(bank):
        raise StripeRefusal(
            "This external account does not support instant payouts.",
            code=refusal or "instant_payouts_unsupported",
            param="method",
        )
    return balance.instant_fee(amount)


def _make(
    world: World,
    bank: Body,
    amount: int,
    currency: str,
    *,
    automatic: bool,
    metadata: Body | None = None,
    fee: int = 0,
) -> Body:
    state, account = world.state, bank["account"]
    now = state.now()
    payout = state.create(
        "payout",
        account=account,
        amount=amount,
        application_fee_amount=fee or None,
        arrival_date=(now + (INSTANTLY if fee else ARRIVES_AFTER)) // DAY * DAY,
        automatic=automatic,
        currency=currency,
        destination=bank["id"],
        metadata=metadata or {},
        method="instant" if fee else "standard",
        reconciliation_status="in_progress" if automatic else "not_applicable",
        source_type="card",
        status="pending",
        type="bank_account",
        _due_at=now + (INSTANTLY // 2 if fee else SENT_AFTER),
    )
    moved = balance.post(
        world, "payout", -amount, currency, source=payout["id"], fee=fee, account=account
    )
    payout["balance_transaction"] = moved["id"]
    if fee:
        # The payee pays the operator, and the operator pays Stripe.
        payout["application_fee"] = f"fee_{payout['id']}"
        balance.post(world, "application_fee", fee, currency, source=payout["application_fee"])
        balance.post(world, "stripe_fee", -fee, currency, source=None)
    state.save(payout)
    emit(world, "payout.created", payout, account=account)
    return payout


def by_schedule(world: World, account: Body) -> None:
    """A day has passed: pay out what is available, if the account's schedule names this day."""
    now = world.state.now()
    account["_due_at"] = now + DAY
    world.state.save(account)
    today = dt.datetime.fromtimestamp(now, dt.UTC)
    if world.switches.automatic_payouts and schedules.names(account, today):
        pay_out_all(world, account)


def pay_out_all(world: World, account: Body) -> list[Body]:
    """An automatic payout of everything available, one per currency; nothing when manual."""
    bank = banks.in_use(world, account["id"])
    if not account["payouts_enabled"] or schedules.is_manual(account):
        return []
    if bank is None or bank["status"] == "errored":
        return []
    return [
        _make(world, bank, available, currency, automatic=True)
        for currency, (available, _pending) in world.state.balances(account["id"]).items()
        if available > 0
    ]


def go_on(world: World, payout: Body) -> None:
    """The next thing that happens to it by itself."""
    if payout["status"] == "pending":
        send(world, payout)
    elif payout["status"] == "in_transit":
        arrive(world, payout)
    else:
        fail(world, payout, failure_of(world, payout))


def failure_of(world: World, payout: Body) -> str:
    """Why the bank it goes to sends money back; empty when it keeps it."""
    bank = world.state.get("bank_account", payout["destination"], account=payout["_account"])
    return banks.NUMBERS[bank["_number"]].failure


def send(world: World, payout: Body) -> None:
    """Handed to the bank."""
    instant = payout["method"] == "instant"
    later = INSTANTLY // 2 if instant else ARRIVES_AFTER - SENT_AFTER
    _become(world, payout, "in_transit", due_in=later)


def arrive(world: World, payout: Body) -> None:
    """Stripe believes the money has arrived."""
    bounces = failure_of(world, payout)
    _become(world, payout, "paid", due_in=BOUNCES_AFTER if bounces else None)


def fail(world: World, payout: Body, code: str) -> None:
    """The bank sends the money back, also when it seemed to have arrived."""
    _give_back(world, payout, "payout_failure")
    payout |= {"failure_code": code, "failure_message": FAILURES[code]}
    _become(world, payout, "failed", due_in=None)
    bank = world.state.get("bank_account", payout["destination"], account=payout["_account"])
    banks.spoil(world, bank)


def call_off(call: Call) -> Body:
    """POST /v1/payouts/{payout}/cancel: only what was asked for, and has not left."""
    payout = call.object("payout")
    if payout["automatic"]:
        raise StripeRefusal("Automatic payouts cannot be canceled.")
    if payout["status"] != "pending":
        raise StripeRefusal(
            f"This payout cannot be canceled because it has a status of {payout['status']}."
        )
    cancel(call.world, payout)
    return payout


def cancel(world: World, payout: Body) -> None:
    """Called off before it left."""
    _give_back(world, payout, "payout_cancel")
    _become(world, payout, "canceled", due_in=None)


def _give_back(world: World, payout: Body, kind: str) -> None:
    fee = payout.get("application_fee_amount") or 0
    back = balance.post(
        world,
        kind,
        payout["amount"] + fee,
        payout["currency"],
        source=payout["id"],
        account=payout["_account"],
    )
    if fee:
        # What was not delivered costs nobody anything.
        currency = payout["currency"]
        source = f"fr_{payout['id']}"
        balance.post(world, "application_fee_refund", -fee, currency, source=source)
        balance.post(world, "stripe_fee", fee, currency, source=None)
    payout["failure_balance_transaction"] = back["id"]


def _become(world: World, payout: Body, status: str, *, due_in: int | None) -> None:
    payout["status"] = status
    payout["_due_at"] = None if due_in is None else world.state.now() + due_in
    world.state.save(payout)
    kind = "updated" if status == "in_transit" else status
    emit(world, f"payout.{kind}", payout, account=payout["_account"])
