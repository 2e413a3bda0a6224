"""The same accounts through the v2 API: opened and led to the set-up pages; JSON in and out.

Only what an account answers without `include` is played: the rest of it is read through v1.
"""

import datetime as dt

from payments.sandbox import accounts
from payments.sandbox.contract import blank
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.state import Body
from payments.sandbox.world import Call


def create(call: Call) -> Body:
    """POST /v2/core/accounts, for recipients."""
    params = call.params
    _refuse_include(params)
    configuration = params.get("configuration", {})
    if set(configuration) != {"recipient"}:
        raise StripeRefusal("The sandbox plays recipients only.", param="configuration")
    balance = configuration["recipient"].get("capabilities", {}).get("stripe_balance", {})
    asked = ["transfers"] if balance.get("stripe_transfers", {}).get("requested") else []
    carried = params.get("defaults", {}).get("responsibilities", {})
    account = accounts.open_account(
        call,
        country=params.get("identity", {}).get("country", ""),
        asked=asked,
        controller={
            "type": "application",
            "is_controller": True,
            "fees": {"payer": carried.get("fees_collector", "application_express")},
            "losses": {"payments": carried.get("losses_collector", "application")},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": params.get("dashboard", "express")},
        },
        email=params.get("contact_email"),
        metadata=params.get("metadata", {}),
        type="none",
    )
    return _shown(account)


def retrieve(call: Call) -> Body:
    """GET /v2/core/accounts/{id}."""
    _refuse_include(call.params)
    return _shown(accounts.retrieve(call))


def create_link(call: Call) -> Body:
    """POST /v2/core/account_links: an address that works once, for five minutes."""
    case = call.params["use_case"]
    if case["type"] != "account_onboarding" or "account_onboarding" not in case:
        raise StripeRefusal("The sandbox plays the use case account_onboarding only.")
    url = accounts.make_link(call, call.params["account"], case["account_onboarding"])
    now = call.state.now()
    return {
        **blank("v2.core.account_link"),
        "account": call.params["account"],
        "created": _moment(now),
        "expires_at": _moment(now + accounts.LINK_LASTS),
        "url": url,
        "use_case": {
            "type": case["type"],
            "account_onboarding": {"collection_options": None, **case["account_onboarding"]},
            "account_update": None,
        },
    }


def _refuse_include(params: Body) -> None:
    if params.get("include"):
        raise StripeRefusal("The sandbox does not play include.", code="sandbox_unsupported")


def _shown(account: Body) -> Body:
    return {
        **blank("v2.core.account"),
        "id": account["id"],
        "applied_configurations": ["recipient"],
        "contact_email": account["email"],
        "created": _moment(account["created"]),
        "dashboard": account["controller"]["stripe_dashboard"]["type"],
        "metadata": account["metadata"],
    }


def _moment(seconds: int) -> str:
    """A time as the v2 API writes it."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", ".000Z")
