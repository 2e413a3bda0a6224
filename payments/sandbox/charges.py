"""Payment intents and charges: a card is tried, money comes in, a fee goes off."""

import hashlib
import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from payments.sandbox.balance import SETTLES_AFTER, post
from payments.sandbox.events import emit
from payments.sandbox.state import Body
from payments.sandbox.world import World

GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"


@dataclass(frozen=True)
class Card:
    """A test card number of Stripe's and what happens with it."""

    number: str
    outcome: object  # what a person reads on the page
    decline: str = ""
    message: str = ""
    settles_at_once: bool = False
    authenticates: bool = False
    # Everybody who uses it uses one and the same card; other numbers stand for a card per person.
    is_one_card: bool = False
    # How it is paid with, by Stripe's name; a bank account is asked, and answers days later.
    method: str = "card"

    @property
    def is_slow(self) -> bool:
        """Whether the money, or a no, comes later."""
        return self.method != "card"

    @property
    def grouped(self) -> str:
        """The number in groups of four."""
        return " ".join(re.findall("....", self.number))


CARDS = {
    card.number: card
    for card in (
        Card(GOOD_CARD, _("The payment succeeds")),
        Card(
            "4000000000000077",
            _("The payment succeeds and the money is available at once"),
            settles_at_once=True,
        ),
        Card(
            "4000000000003220",
            _("The payment succeeds after 3-D Secure"),
            authenticates=True,
        ),
        Card(
            DECLINED_CARD,
            _("The bank declines the card"),
            decline="generic_decline",
            message="Your card was declined.",
        ),
        Card(
            "4000000000009995",
            _("The bank declines: not enough money"),
            decline="insufficient_funds",
            message="Your card has insufficient funds.",
        ),
        Card("4000000000007726", _("The payment succeeds; a refund takes a moment")),
        Card("4000000000005126", _("The payment succeeds; a refund fails a moment later")),
        Card(
            "5555555555554444",
            _("The payment succeeds; whoever uses this number uses the same card"),
            is_one_card=True,
        ),
        Card(
            "AT611904300234573201",
            _("The money comes from a bank account, after some days"),
            method="sepa_debit",
        ),
        Card(
            "AT861904300235473202",
            _("After some days the bank refuses: not enough money"),
            decline="insufficient_funds",
            message="The payment was refused by the bank.",
            method="sepa_debit",
        ),
    )
}
# How long a bank takes to answer a direct debit.
BANK_TAKES = 5 * 24 * 3600
SLOW_REFUND, FAILING_REFUND = "4000000000007726", "4000000000005126"


def fee_on(amount: int) -> int:
    """1.5 % of the amount, rounded half up, plus 25 minor units."""
    return (amount * 15 + 500) // 1000 + 25


def create_intent(world: World, session: Body) -> Body:
    """The payment intent of a Checkout Session, made when the payer first tries to pay."""
    asked = session["_payment_intent_data"]
    intent = world.state.create(
        "payment_intent",
        amount=session["amount_total"],
        amount_capturable=0,
        amount_received=0,
        capture_method="automatic_async",
        confirmation_method="automatic",
        currency=session["currency"],
        description=asked.get("description"),
        metadata=asked.get("metadata", {}),
        payment_method_types=session["payment_method_types"],
        receipt_email=asked.get("receipt_email"),
        status="requires_payment_method",
        transfer_group=asked.get("transfer_group"),
    )
    emit(world, "payment_intent.created", intent)
    return intent


def attempt(world: World, intent: Body, session: Body, card: Card) -> Body:
    """Try a card or a bank account: the charge tells whether it worked, or is pending."""
    state = world.state
    charge = state.create(
        "charge",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        captured=False,
        currency=intent["currency"],
        description=intent["description"],
        metadata=intent["metadata"],
        paid=False,
        payment_intent=intent["id"],
        payment_method_details=_method(card, session.get("customer_email") or ""),
        status="pending",
        transfer_group=intent["transfer_group"],
        _card=card.number,
        _session=session["id"],
    )
    intent["latest_charge"] = charge["id"]
    if card.is_slow:
        charge["_due_at"] = state.now() + BANK_TAKES
        intent["status"] = "processing"
        state.save(charge)
        state.save(intent)
        emit(world, "charge.pending", charge)
        emit(world, "payment_intent.processing", intent)
    elif card.decline:
        _decline(world, intent, charge, card)
    else:
        _receive(world, intent, charge, card)
    return charge


def hear_from_the_bank(world: World, charge: Body) -> bool:
    """A direct debit is answered; whether the money came."""
    charge["_due_at"] = None
    card = CARDS[charge["_card"]]
    intent = world.state.get("payment_intent", charge["payment_intent"])
    if card.decline:
        _decline(world, intent, charge, card)
    else:
        _receive(world, intent, charge, card)
    return not card.decline


def _method(card: Card, email: str) -> Body:
    if card.is_slow:
        return {
            "type": card.method,
            card.method: {"country": card.number[:2], "last4": card.number[-4:]},
        }
    proved: Body | None = None
    if card.authenticates:
        proved = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
    whose = card.number if card.is_one_card else f"{card.number} of {email}"
    return {
        "type": "card",
        "card": {
            "brand": "visa",
            "exp_month": 12,
            "exp_year": 2039,
            "fingerprint": hashlib.sha256(whose.encode()).hexdigest()[:16],
            "last4": card.number[-4:],
            "three_d_secure": proved,
        },
    }


def _receive(world: World, intent: Body, charge: Body, card: Card) -> None:
    state, amount = world.state, intent["amount"]
    transaction = post(
        world,
        "charge",
        amount,
        intent["currency"],
        source=charge["id"],
        fee=fee_on(amount),
        available_on=None if card.settles_at_once else state.now() + SETTLES_AFTER,
    )
    charge |= {
        "amount_captured": amount,
        "balance_transaction": transaction["id"],
        "captured": True,
        "paid": True,
        "status": "succeeded",
    }
    intent |= {"status": "succeeded", "amount_received": amount, "last_payment_error": None}
    state.save(charge)
    state.save(intent)
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.succeeded", intent)


def _decline(world: World, intent: Body, charge: Body, card: Card) -> None:
    code = "card_declined" if card.method == "card" else card.decline
    charge |= {"failure_code": code, "failure_message": card.message, "status": "failed"}
    world.state.save(charge)
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "type": "card_error",
        "code": code,
        "decline_code": card.decline,
        "message": card.message,
        "charge": charge["id"],
    }
    world.state.save(intent)
    emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", intent)


def cancel_intent(world: World, intent: Body) -> None:
    """The session ran out; nobody can pay this intent any more."""
    intent |= {
        "status": "canceled",
        "canceled_at": world.state.now(),
        "cancellation_reason": "abandoned",
    }
    world.state.save(intent)
    emit(world, "payment_intent.canceled", intent)
