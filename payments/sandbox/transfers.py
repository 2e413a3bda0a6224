"""Transfers from the platform to connected accounts, and their reversals."""

from payments.sandbox import accounts, balance
from payments.sandbox.errors import StripeRefusal, missing
from payments.sandbox.events import emit
from payments.sandbox.state import Body, public
from payments.sandbox.world import Call, World


def create(call: Call) -> Body:
    """POST /v1/transfers."""
    params, world, state = call.params, call.world, call.state
    amount, currency = params.get("amount"), params["currency"].lower()
    if amount is None:
        raise StripeRefusal(
            "Missing required param: amount.", code="parameter_missing", param="amount"
        )
    if amount <= 0:
        raise StripeRefusal(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    destination = state.find(params["destination"])
    if destination is None or destination["object"] != "account":
        raise missing("destination", params["destination"], "destination")
    accounts.refuse_if_cut_off(destination)
    if not accounts.receives_transfers(destination):
        raise StripeRefusal(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    charge = _source(call, amount, currency)
    if charge is None and balance.available(world, currency) < amount:
        raise StripeRefusal(
            "You have insufficient available funds in your Stripe account. Try adding funds "
            "directly to your available balance.",
            code="balance_insufficient",
        )
    transfer = state.create(
        "transfer",
        amount=amount,
        amount_reversed=0,
        currency=currency,
        description=params.get("description"),
        destination=destination["id"],
        metadata=params.get("metadata", {}),
        reversed=False,
        source_transaction=charge["id"] if charge else None,
        source_type="card",
        transfer_group=params.get("transfer_group") or (charge and charge["transfer_group"]),
    )
    settles = _available_on(world, charge)
    source = transfer["id"]
    spent = balance.post(world, "transfer", -amount, currency, source=source, available_on=settles)
    balance.post(
        world,
        "payment",
        amount,
        currency,
        source=source,
        account=destination["id"],
        available_on=settles,
    )
    transfer["balance_transaction"] = spent["id"]
    state.save(transfer)
    emit(world, "transfer.created", transfer)
    return transfer


def _source(call: Call, amount: int, currency: str) -> Body | None:
    """The charge the money comes from, checked to have that much left."""
    name = call.params.get("source_transaction")
    if name is None:
        return None
    charge = call.state.get("charge", name, param="source_transaction")
    if not charge["paid"]:
        raise StripeRefusal(
            "The charge in source_transaction did not succeed.", param="source_transaction"
        )
    if charge["currency"] != currency:
        raise StripeRefusal(
            f"The currency of source_transaction's balance transaction ({charge['currency']}) "
            f"must be the same as the transfer currency ({currency})",
            param="currency",
        )
    sent = call.state.select("transfer", {"source_transaction": name})
    used = sum(transfer["amount"] - transfer["amount_reversed"] for transfer in sent)
    if used + amount > charge["amount"]:
        raise StripeRefusal(
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{charge['amount']}; {used} is used.",
            code="balance_insufficient",
            param="amount",
        )
    return charge


def _available_on(world: World, charge: Body | None) -> int | None:
    """A transfer of pending money waits with it."""
    if charge is None:
        return None
    transaction = world.state.get("balance_transaction", charge["balance_transaction"])
    return int(transaction["available_on"])


def reverse(call: Call) -> Body:
    """POST /v1/transfers/{id}/reversals: the money, or part of it, comes back."""
    params, world, state = call.params, call.world, call.state
    transfer = call.object("transfer")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount, currency = params.get("amount", left), transfer["currency"]
    if not 0 < amount <= left:
        raise StripeRefusal(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount ({left}).",
            param="amount",
        )
    if balance.total(world, currency, account=transfer["destination"]) < amount:
        raise StripeRefusal(
            "The connected account has insufficient funds to reverse this transfer.",
            code="balance_insufficient",
        )
    reversal = state.create(
        "transfer_reversal",
        amount=amount,
        currency=currency,
        metadata=params.get("metadata", {}),
        transfer=transfer["id"],
    )
    back, destination = reversal["id"], transfer["destination"]
    returned = balance.post(world, "transfer_refund", amount, currency, source=back)
    balance.post(world, "payment_refund", -amount, currency, source=back, account=destination)
    reversal["balance_transaction"] = returned["id"]
    state.save(reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"] = {
        "object": "list",
        "url": f"/v1/transfers/{transfer['id']}/reversals",
        "has_more": False,
        "data": [
            public(item) for item in state.select("transfer_reversal", {"transfer": transfer["id"]})
        ],
    }
    state.save(transfer)
    emit(world, "transfer.reversed", transfer)
    return reversal
