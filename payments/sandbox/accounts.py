"""Connected accounts and the links people set them up through."""

import secrets
from typing import Any

from babel.numbers import get_territory_currencies

from payments.sandbox import banks
from payments.sandbox.checkout import check_url
from payments.sandbox.contract import blank
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.events import emit
from payments.sandbox.state import PLATFORM, Body
from payments.sandbox.world import Call, World

LINK_LASTS = 5 * 60
DAY = 24 * 3600
# What a person still has to tell Stripe; a real account asks for more.
QUESTIONS = [
    "individual.first_name",
    "individual.last_name",
    "individual.dob",
    "individual.address",
    "external_account",
    "tos_acceptance.date",
]
ANSWERED_FIRST = QUESTIONS[:2]


def create(call: Call) -> Body:
    """POST /v1/accounts, with controller properties or with a type."""
    params = call.params
    asked = [name for name, ask in params.get("capabilities", {}).items() if ask.get("requested")]
    return open_account(
        call,
        country=params.get("country", ""),
        asked=asked,
        controller=_controller(params),
        business_type=params.get("business_type"),
        email=params.get("email"),
        metadata=params.get("metadata", {}),
        type=params.get("type", "express"),
    )


def open_account(
    call: Call, *, country: str, asked: list[str], controller: Body, **fields: Any
) -> Body:
    """An account that has answered nothing yet, by whichever API it was asked for."""
    currencies = get_territory_currencies(country) if len(country) == 2 else []
    if not currencies:
        raise StripeRefusal(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code.",
            code="country_unsupported",
            param="country",
        )
    return call.state.create(
        "account",
        capabilities=dict.fromkeys(asked, "inactive"),
        charges_enabled=False,
        controller=controller,
        country=country,
        default_currency=currencies[-1].lower(),
        details_submitted=False,
        payouts_enabled=False,
        requirements=_requirements(QUESTIONS),
        _links={},
        **fields,
    )


def _controller(params: Body) -> Body:
    given = params.get("controller", {})
    return {
        "type": "application",
        "is_controller": True,
        "fees": {"payer": given.get("fees", {}).get("payer", "application_express")},
        "losses": {"payments": given.get("losses", {}).get("payments", "application")},
        "requirement_collection": given.get("requirement_collection", "stripe"),
        "stripe_dashboard": {"type": given.get("stripe_dashboard", {}).get("type", "express")},
    }


def _requirements(due: list[str]) -> Body:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


def retrieve(call: Call) -> Body:
    """GET /v1/accounts/{account}, while it is connected to us."""
    account = call.object("account")
    refuse_if_cut_off(account)
    return account


def create_link(call: Call) -> Body:
    """POST /v1/account_links: an address that works once, for five minutes."""
    params = call.params
    if params["type"] != "account_onboarding":
        raise StripeRefusal(
            "The sandbox only knows links of type account_onboarding.", param="type"
        )
    link = make_link(call, params["account"], params)
    return {
        **blank("account_link"),
        "created": call.state.now(),
        "expires_at": call.state.now() + LINK_LASTS,
        "url": link,
    }


def make_link(call: Call, account_id: str, urls: Body) -> str:
    """An address of our own that works once, by whichever API it was asked for."""
    state = call.state
    for name in ("refresh_url", "return_url"):
        check_url(urls, name)
        if name not in urls:
            raise StripeRefusal(
                f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    account = state.get("account", account_id, param="account")
    refuse_if_cut_off(account)
    token = secrets.token_urlsafe(16)
    account["_links"][token] = {
        "expires_at": state.now() + LINK_LASTS,
        "refresh_url": urls["refresh_url"],
        "return_url": urls["return_url"],
        "visit": None,
    }
    state.save(account)
    return f"{call.world.base_url}/connect/setup/{account['id']}/{token}"


def open_link(world: World, account: Body, token: str) -> str | None:
    """The key of a visit that starts now; None when the link was used or is too old."""
    link = account["_links"].get(token)
    if link is None or link["visit"] or link["expires_at"] < world.state.now():
        return None
    link["visit"] = secrets.token_urlsafe(16)
    world.state.save(account)
    return str(link["visit"])


def link_of_visit(account: Body, visit: str) -> Body | None:
    """The link a visit came through."""
    return next(
        (link for link in account["_links"].values() if link["visit"] == visit),
        None,
    )


def complete(world: World, account: Body, number: str = "") -> None:
    """All questions answered: money can arrive and be paid out, to the bank account given.

    Without a number the bank account stays; somebody's first is a good one.
    """
    if number or not banks.in_use(world, account["id"]):
        banks.add(world, account, number or banks.GOOD_NUMBER)
    account |= {
        "_due_at": account.get("_due_at") or world.state.now() + DAY,
        "charges_enabled": True,
        "details_submitted": True,
        "payouts_enabled": True,
        "requirements": _requirements([]),
        "capabilities": dict.fromkeys(account["capabilities"], "active"),
    }
    _changed(world, account)


def leave_unfinished(world: World, account: Body) -> None:
    """Some questions answered, the rest later."""
    if not account["details_submitted"]:
        left = [question for question in QUESTIONS if question not in ANSWERED_FIRST]
        account["requirements"] = _requirements(left)
    _changed(world, account)


def restrict(world: World, account: Body) -> None:
    """Stripe wants a document and stops transfers and payouts until it has it."""
    account |= {
        "charges_enabled": False,
        "payouts_enabled": False,
        "requirements": _requirements(["individual.verification.document"]),
        "capabilities": dict.fromkeys(account["capabilities"], "inactive"),
    }
    _changed(world, account)


def reject(world: World, account: Body) -> None:
    """Stripe closes the account for good."""
    account |= {
        "charges_enabled": False,
        "payouts_enabled": False,
        "requirements": {**_requirements([]), "disabled_reason": "rejected.fraud"},
        "capabilities": dict.fromkeys(account["capabilities"], "inactive"),
    }
    _changed(world, account)


def ask_for_more(world: World, account: Body, *, seconds: int) -> None:
    """Stripe wants a document soon, and goes on paying until then."""
    wanted = "individual.verification.document"
    account["requirements"] |= {
        "current_deadline": world.state.now() + seconds,
        "currently_due": [wanted],
        "eventually_due": [wanted],
    }
    _changed(world, account)


def cut_off(world: World, account: Body, *, cut: bool) -> None:
    """The account is no longer ours to see, or is so again."""
    account["_cut_off"] = cut
    if not cut:
        _changed(world, account)
        return
    world.state.save(account)
    application = {**blank("application"), "id": "ca_sandbox", "name": "Sandbox"}
    emit(world, "account.application.deauthorized", application, account=account["id"])


def refuse_if_cut_off(account: Body) -> None:
    """Raise what Stripe says about an account that is not connected to us."""
    if account.get("_cut_off"):
        raise _not_connected(account["id"])


def _not_connected(account_id: str) -> StripeRefusal:
    return StripeRefusal(
        f"The provided key does not have access to account '{account_id}' (or that account does "
        "not exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
    )


def _changed(world: World, account: Body) -> None:
    world.state.save(account)
    emit(world, "account.updated", account, account=account["id"])


def receives_transfers(account: Body) -> bool:
    """Whether the transfers capability is active."""
    return bool(account["capabilities"].get("transfers") == "active")


def owner_of_request(world: World, header: str | None) -> str:
    """Whose request it is: the Stripe-Account header, else the platform."""
    if not header:
        return PLATFORM
    account = world.state.find(header)
    if account is None or account["object"] != "account":
        raise _not_connected(header)
    refuse_if_cut_off(account)
    return header
