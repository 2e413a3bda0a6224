"""From an operation of Stripe's API to the noun that plays it; lists, cursors and expansion."""

import dataclasses
from collections.abc import Callable
from typing import Any

from payments.sandbox import (
    accounts,
    accounts_v2,
    balance,
    checkout,
    disputes,
    payouts,
    refunds,
    schedules,
    transfers,
)
from payments.sandbox.contract import Operation
from payments.sandbox.errors import StripeRefusal, missing
from payments.sandbox.state import FILTERS, Body, public
from payments.sandbox.world import Call

Handler = Callable[[Call], Body]
PAGING = {"limit", "starting_after", "ending_before", "created", "expand"}
LISTS = {
    "/v1/accounts": "account",
    "/v1/accounts/{account}/external_accounts": "bank_account",
    "/v1/balance_transactions": "balance_transaction",
    "/v1/charges": "charge",
    "/v1/checkout/sessions": "checkout.session",
    "/v1/disputes": "dispute",
    "/v1/events": "event",
    "/v1/payment_intents": "payment_intent",
    "/v1/payouts": "payout",
    "/v1/radar/early_fraud_warnings": "radar.early_fraud_warning",
    "/v1/refunds": "refund",
    "/v1/transfers": "transfer",
    "/v1/transfers/{id}/reversals": "transfer_reversal",
}
BANKS = "/v1/accounts/{account}/external_accounts"
REVERSALS = "/v1/transfers/{id}/reversals"
LARGEST_PAGE, USUAL_PAGE = 100, 10


def _one(kind: str) -> Handler:
    return lambda call: call.object(kind)


HANDLERS: dict[tuple[str, str], Handler] = {
    ("POST", "/v1/accounts"): accounts.create,
    ("GET", "/v1/accounts/{account}"): accounts.retrieve,
    ("POST", "/v1/account_links"): accounts.create_link,
    ("POST", "/v2/core/accounts"): accounts_v2.create,
    ("GET", "/v2/core/accounts/{id}"): accounts_v2.retrieve,
    ("POST", "/v2/core/account_links"): accounts_v2.create_link,
    ("GET", "/v1/balance"): balance.retrieve,
    ("GET", "/v1/balance_settings"): schedules.retrieve,
    ("POST", "/v1/balance_settings"): schedules.update,
    ("GET", "/v1/balance_transactions/{id}"): _one("balance_transaction"),
    ("GET", "/v1/charges/{charge}"): _one("charge"),
    ("POST", "/v1/checkout/sessions"): checkout.create,
    ("GET", "/v1/checkout/sessions/{session}"): _one("checkout.session"),
    ("POST", "/v1/checkout/sessions/{session}/expire"): checkout.expire,
    ("GET", "/v1/disputes/{dispute}"): _one("dispute"),
    ("POST", "/v1/disputes/{dispute}"): disputes.update,
    ("GET", "/v1/events/{id}"): _one("event"),
    ("GET", "/v1/payment_intents/{intent}"): _one("payment_intent"),
    ("POST", "/v1/payouts"): payouts.create,
    ("GET", "/v1/payouts/{payout}"): _one("payout"),
    ("POST", "/v1/payouts/{payout}/cancel"): payouts.call_off,
    ("GET", "/v1/radar/early_fraud_warnings/{early_fraud_warning}"): _one(
        "radar.early_fraud_warning"
    ),
    ("POST", "/v1/refunds"): refunds.create,
    ("GET", "/v1/refunds/{refund}"): _one("refund"),
    ("POST", "/v1/transfers"): transfers.create,
    ("GET", "/v1/transfers/{transfer}"): _one("transfer"),
    ("POST", "/v1/transfers/{id}/reversals"): transfers.reverse,
}


def perform(call: Call, operation: Operation) -> Body:
    """Do what the request asks for; the answer in Stripe's form. Raises StripeRefusal."""
    handler = HANDLERS.get((operation.method, operation.template))
    if handler is not None:
        shown = public(handler(call))
    elif (operation.method, operation.template) == ("GET", BANKS):
        # The path says whose they are, whoever asks.
        owner = accounts.retrieve(call)["id"]
        shown = list_objects(dataclasses.replace(call, account=owner), operation.template)
    elif (operation.method, operation.template) == ("GET", REVERSALS):
        call.params["transfer"] = call.object("transfer")["id"]
        shown = list_objects(call, operation.template)
    elif operation.method == "GET" and operation.template in LISTS:
        shown = list_objects(call, operation.template)
    else:
        raise StripeRefusal(
            f"The sandbox does not play {operation.method} {operation.template}.",
            code="sandbox_unsupported",
        )
    for path in call.params.get("expand", []):
        _expand(call, shown, path.split("."), path)
    return shown


def list_objects(call: Call, path: str) -> Body:
    """A page of objects, newest first, as `limit` and the cursors ask."""
    params = call.params
    where = {name: value for name, value in params.items() if name not in PAGING}
    if unplayed := where.keys() - FILTERS.keys():
        raise StripeRefusal(
            f"The sandbox cannot narrow this list by {', '.join(sorted(unplayed))}.",
            code="sandbox_unsupported",
        )
    limit = params.get("limit", USUAL_PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise StripeRefusal(
            f"Limit must be between 1 and {LARGEST_PAGE}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    created = params.get("created")
    found = call.state.select(
        LISTS[path],
        where,
        account=call.account,
        created={"gte": created, "lte": created} if isinstance(created, int) else created,
        older_than=_cursor(call, "starting_after"),
        newer_than=_cursor(call, "ending_before"),
        limit=limit + 1,
    )
    # One more than asked tells whether there are more; it lies on the far side.
    extra = len(found) > limit
    page = (found[1:] if "ending_before" in params else found[:limit]) if extra else found
    return {
        "object": "list",
        "url": path.format(account=call.account, id=params.get("transfer", "")),
        "has_more": extra,
        "data": [public(body) for body in page],
    }


def _cursor(call: Call, name: str) -> int | None:
    if name not in call.params:
        return None
    place = call.state.place(call.params[name])
    if place is None:
        raise missing("object", call.params[name], name)
    return place


def _expand(call: Call, body: Body, steps: list[str], path: str) -> None:
    """Put the object where its id stands, along a path such as payment_intent.latest_charge."""
    name, *rest = steps
    if name not in body:
        raise StripeRefusal(
            f"This property cannot be expanded ({path}).", code="parameter_invalid", param="expand"
        )
    value: Any = body[name]
    if isinstance(value, str):
        found = call.state.find(value)
        if found is None:
            raise StripeRefusal(
                f"This property cannot be expanded ({path}).",
                code="parameter_invalid",
                param="expand",
            )
        body[name] = value = public(found)
    if rest:
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                _expand(call, item, rest, path)
