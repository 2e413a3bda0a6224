"""Refunds: money back to the card, at once, later, or in the end not at all."""

from payments.sandbox import balance, disputes
from payments.sandbox.charges import FAILING_REFUND, SLOW_REFUND
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.events import emit
from payments.sandbox.state import Body
from payments.sandbox.world import Call, World

# How long a bank "thinks" before a slow refund arrives or a failing one comes back.
BANK_TAKES = 5
# How often a refund that waits for balance is tried again.
TRIES_AGAIN_AFTER = 10


def create(call: Call) -> Body:
    """POST /v1/refunds, of a charge or of a payment intent's charge."""
    world, state, params = call.world, call.state, call.params
    charge = _charge(call)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if left == 0:
        raise StripeRefusal(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if disputed := disputes.disputed_amount(world, charge):
        left -= disputed
        if amount > left:
            raise StripeRefusal(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                code="charge_disputed",
            )
    if not 0 < amount <= left:
        raise StripeRefusal(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            code="amount_too_large",
            param="amount",
        )
    refund = state.create(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=params.get("metadata", {}),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="pending",
    )
    _start(world, refund, charge["_card"])
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    state.save(charge)
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge)
    return refund


def _charge(call: Call) -> Body:
    name = call.params.get("charge")
    if name is None and "payment_intent" in call.params:
        intent = call.state.get(
            "payment_intent", call.params["payment_intent"], param="payment_intent"
        )
        name = intent.get("latest_charge")
    if name is None:
        raise StripeRefusal(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    charge = call.state.get("charge", name, param="charge")
    if not charge["paid"]:
        raise StripeRefusal("This charge did not succeed; there is nothing to refund.")
    return charge


def _start(world: World, refund: Body, card: str) -> None:
    now = world.state.now()
    if balance.total(world, refund["currency"]) < refund["amount"]:
        refund |= {"pending_reason": "insufficient_funds", "_due_at": now + TRIES_AGAIN_AFTER}
    elif card == SLOW_REFUND:
        refund |= {"pending_reason": "processing", "_due_at": now + BANK_TAKES}
    else:
        _pay_out(world, refund)
        if card == FAILING_REFUND:
            refund["_due_at"] = now + BANK_TAKES
    world.state.save(refund)


def _pay_out(world: World, refund: Body) -> None:
    spent = balance.post(
        world, "refund", -refund["amount"], refund["currency"], source=refund["id"]
    )
    refund |= {
        "balance_transaction": spent["id"],
        "pending_reason": None,
        "status": "succeeded",
        "_due_at": None,
    }


def carry_on(world: World, refund: Body) -> None:
    """What happens to a refund whose time has come."""
    state = world.state
    if refund["status"] == "succeeded":
        _fail(world, refund)
        return
    if balance.total(world, refund["currency"]) < refund["amount"]:
        refund |= {
            "pending_reason": "insufficient_funds",
            "_due_at": state.now() + TRIES_AGAIN_AFTER,
        }
        state.save(refund)
        return
    _pay_out(world, refund)
    state.save(refund)
    emit(world, "refund.updated", refund)


def _fail(world: World, refund: Body) -> None:
    """The bank sends the money back: it is on our balance again, and the charge unrefunded."""
    state, amount = world.state, refund["amount"]
    returned = balance.post(
        world, "refund_failure", amount, refund["currency"], source=refund["id"]
    )
    refund |= {
        "failure_balance_transaction": returned["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
        "_due_at": None,
    }
    state.save(refund)
    charge = state.get("charge", refund["charge"])
    charge["amount_refunded"] -= amount
    charge["refunded"] = False
    state.save(charge)
    emit(world, "refund.updated", refund)
    emit(world, "refund.failed", refund)
