"""Checkout Sessions: made by the product, paid by a person on our page, or run out."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from marketplace.core.money import exponent
from payments.sandbox import charges
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.events import emit
from payments.sandbox.state import Body
from payments.sandbox.world import Call, World
from payments.stripe_units import CurrencyNotSupported, check_currency

SHORTEST, LONGEST = 30 * 60, 24 * 3600
# The clocks of the two sides may differ a little.
SLACK = 60
SMALLEST, LARGEST = 50, 99_999_999


@dataclass(frozen=True)
class Attempt:
    """What came of pressing Pay: the session, and why the card was declined, if it was."""

    session: Body
    declined: str = ""


def create(call: Call) -> Body:
    """POST /v1/checkout/sessions, mode payment with prices given in place."""
    params, state = call.params, call.state
    if params.get("mode") != "payment":
        raise _unsupported("mode", "Checkout Sessions of mode=payment")
    for name in ("success_url", "cancel_url"):
        check_url(params, name)
    lines = [_line(index, item) for index, item in enumerate(params.get("line_items", []))]
    currency = _one_currency(lines)
    amount = sum(line["amount"] * line["quantity"] for line in lines)
    _check_amount(amount, currency)
    expires_at = params.get("expires_at", state.now() + LONGEST)
    if not SHORTEST - SLACK <= expires_at - state.now() <= LONGEST + SLACK:
        raise StripeRefusal(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            param="expires_at",
        )
    session = state.create(
        "checkout.session",
        adaptive_pricing=params.get("adaptive_pricing"),
        allowed_payment_method_types=params.get("allowed_payment_method_types"),
        amount_subtotal=amount,
        amount_total=amount,
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        customer_email=params.get("customer_email"),
        expires_at=expires_at,
        metadata=params.get("metadata", {}),
        mode="payment",
        payment_method_types=params.get("allowed_payment_method_types", ["card"]),
        payment_status="unpaid",
        status="open",
        submit_type=params.get("submit_type"),
        success_url=params.get("success_url"),
        ui_mode="hosted_page",
        _due_at=expires_at,
        _lines=lines,
        _payment_intent_data=params.get("payment_intent_data", {}),
    )
    session["url"] = f"{call.world.base_url}/c/pay/{session['id']}"
    state.save(session)
    return session


def _line(index: int, item: Body) -> Body:
    price = item.get("price_data")
    param = f"line_items[{index}]"
    if not price or "unit_amount" not in price or "product_data" not in price:
        raise _unsupported(param, "prices given as price_data with unit_amount and product_data")
    if price["unit_amount"] < 0:
        raise StripeRefusal(
            "Invalid non-negative integer",
            code="parameter_invalid_integer",
            param=f"{param}[price_data][unit_amount]",
        )
    return {
        "name": price["product_data"]["name"],
        "amount": price["unit_amount"],
        "currency": price["currency"].lower(),
        "quantity": item.get("quantity", 1),
    }


def _one_currency(lines: list[Body]) -> str:
    currencies = {line["currency"] for line in lines}
    if not currencies:
        raise StripeRefusal(
            "The `line_items` parameter is required in payment mode.",
            code="parameter_missing",
            param="line_items",
        )
    if len(currencies) > 1:
        raise StripeRefusal("All prices must use the same currency.", param="line_items")
    return str(currencies.pop())


def _check_amount(amount: int, currency: str) -> None:
    try:
        check_currency(currency.upper())
    except CurrencyNotSupported as error:
        raise StripeRefusal(f"Invalid currency: {currency}. {error}", param="currency") from error
    if amount < SMALLEST:
        raise StripeRefusal(
            "The Checkout Session's total amount is below the smallest charge allowed.",
            code="amount_too_small",
        )
    if amount > LARGEST:
        raise StripeRefusal("Amount must be no more than 999,999.99", code="amount_too_large")
    # Stripe asks for this because card networks know two decimals at most.
    if exponent(currency.upper()) == 3 and amount % 10:
        raise StripeRefusal(
            f"Invalid amount. Amounts in {currency} must end in 0.",
            code="invalid_charge_amount",
        )


def check_url(params: Body, name: str) -> None:
    """Refuse an address a browser could not be sent to."""
    if name in params and urlsplit(params[name]).scheme not in ("http", "https"):
        raise StripeRefusal("Not a valid URL", code="url_invalid", param=name)


def _unsupported(param: str, wanted: str) -> StripeRefusal:
    return StripeRefusal(
        f"The sandbox only knows {wanted}.", code="sandbox_unsupported", param=param
    )


def expire(call: Call) -> Body:
    """POST /v1/checkout/sessions/{session}/expire."""
    session = call.object("checkout.session")
    if session["status"] != "open":
        raise StripeRefusal(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
    run_out(call.world, session)
    return session


def run_out(world: World, session: Body) -> None:
    """Close an open session that nobody paid."""
    session |= {"status": "expired", "url": None, "_due_at": None}
    world.state.save(session)
    if session.get("payment_intent"):
        intent = world.state.get("payment_intent", session["payment_intent"])
        charges.cancel_intent(world, intent)
    emit(world, "checkout.session.expired", session)


def pay(world: World, session_id: str, card: charges.Card) -> Attempt:
    """Press Pay. A session that is paid already stays as it is: a double click pays once."""
    state = world.state
    session = state.get("checkout.session", session_id)
    if session["status"] != "open":
        return Attempt(session)
    if session.get("payment_intent"):
        intent = state.get("payment_intent", session["payment_intent"])
    else:
        intent = charges.create_intent(world, session)
        session["payment_intent"] = intent["id"]
    charge = charges.attempt(world, intent, session, card)
    if charge["status"] == "failed":
        state.save(session)
        return Attempt(session, declined=card.message)
    email = session.get("customer_email")
    session |= {
        "status": "complete",
        "payment_status": "paid" if charge["paid"] else "unpaid",
        "url": None,
        "customer_details": {"email": email} if email else None,
        "_due_at": None,
    }
    state.save(session)
    emit(world, "checkout.session.completed", session)
    return Attempt(session)


def end_slow_payment(world: World, charge: Body) -> None:
    """The bank has answered a direct debit: the session is paid now, or never will be."""
    came = charges.hear_from_the_bank(world, charge)
    session = world.state.get("checkout.session", charge["_session"])
    if came:
        session["payment_status"] = "paid"
        world.state.save(session)
        emit(world, "checkout.session.async_payment_succeeded", session)
    else:
        emit(world, "checkout.session.async_payment_failed", session)


def present_in(world: World, session: Body, currency: str) -> None:
    """What Adaptive Pricing does: the payer is shown, and charged, another currency."""
    shown = {"presentment_amount": session["amount_total"], "presentment_currency": currency}
    session["presentment_details"] = shown
    world.state.save(session)
