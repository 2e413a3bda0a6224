"""Connected accounts and the links people set them up through."""

import secrets

from babel.numbers import get_territory_currencies

from payments.sandbox.checkout import check_url
from payments.sandbox.contract import blank
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.events import emit
from payments.sandbox.state import PLATFORM, Body
from payments.sandbox.world import Call, World

LINK_LASTS = 5 * 60
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
    country = params.get("country", "")
    currencies = get_territory_currencies(country) if len(country) == 2 else []
    if not currencies:
        raise StripeRefusal(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code.",
            code="country_unsupported",
            param="country",
        )
    asked = [name for name, ask in params.get("capabilities", {}).items() if ask.get("requested")]
    return call.state.create(
        "account",
        business_type=params.get("business_type"),
        capabilities=dict.fromkeys(asked, "inactive"),
        charges_enabled=False,
        controller=_controller(params),
        country=country,
        default_currency=currencies[-1].lower(),
        details_submitted=False,
        email=params.get("email"),
        metadata=params.get("metadata", {}),
        payouts_enabled=False,
        requirements=_requirements(QUESTIONS),
        type=params.get("type", "express"),
        _links={},
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


def create_link(call: Call) -> Body:
    """POST /v1/account_links: an address that works once, for five minutes."""
    params, state = call.params, call.state
    if params["type"] != "account_onboarding":
        raise StripeRefusal(
            "The sandbox only knows links of type account_onboarding.", param="type"
        )
    for name in ("refresh_url", "return_url"):
        check_url(params, name)
        if name not in params:
            raise StripeRefusal(
                f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    account = state.get("account", params["account"], param="account")
    token, now = secrets.token_urlsafe(16), state.now()
    account["_links"][token] = {
        "expires_at": now + LINK_LASTS,
        "refresh_url": params["refresh_url"],
        "return_url": params["return_url"],
        "visit": None,
    }
    state.save(account)
    return {
        **blank("account_link"),
        "created": now,
        "expires_at": now + LINK_LASTS,
        "url": f"{call.world.base_url}/connect/setup/{account['id']}/{token}",
    }


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


def complete(world: World, account: Body) -> None:
    """All questions answered: money can arrive and be paid out."""
    account |= {
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
        raise StripeRefusal(
            f"The provided key does not have access to account '{header}' (or that account does "
            "not exist). Application access may have been revoked.",
            status=403,
            code="account_invalid",
        )
    return header
