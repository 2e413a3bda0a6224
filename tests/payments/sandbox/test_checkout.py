"""A payment page, from being made to being paid, declined or left."""

import datetime as dt
import threading

import pytest

from marketplace.core.money import Money
from payments import gateway
from payments.stripe_units import CurrencyNotSupported
from tests.stripe_sandbox import DECLINED_CARD


def test_a_session_is_open_unpaid_and_without_a_payment_intent(checkout):
    session = checkout(Money(100_00, "EUR"), Money(5_00, "EUR"))

    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (105_00, "EUR")
    assert session.payment_intent is None
    assert session.charge is None
    assert session.metadata == {"hold": "hold-1"}


def test_the_request_turns_adaptive_pricing_off_and_asks_for_cards_only(stripe_sandbox, checkout):
    checkout()

    asked = stripe_sandbox.requests[-1]["params"]
    assert asked["adaptive_pricing"] == {"enabled": False}
    assert asked["allowed_payment_method_types"] == ["card"]
    assert asked["submit_type"] == "pay"
    assert asked["payment_intent_data"]["metadata"] == {"hold": "hold-1"}


def test_paying_leads_back_with_the_session_in_the_address(stripe_sandbox, checkout):
    session = checkout()

    assert stripe_sandbox.pay(session.id) == f"http://127.0.0.1:8000/paid/?session={session.id}"

    paid = gateway.retrieve_checkout(session.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert paid.charge is not None
    assert paid.payment_intent is not None


def test_the_fee_stands_on_the_balance_transaction(paid_charge):
    charge = paid_charge(Money(100_00, "EUR"))

    moved = charge.balance_transaction
    assert (moved.amount, moved.fee, moved.net) == (100_00, 1_75, 98_25)
    assert (moved.type, moved.source, moved.currency) == ("charge", charge.id, "EUR")


def test_pressing_pay_twice_pays_once(stripe_sandbox, checkout):
    session = checkout()

    first, second = stripe_sandbox.pay(session.id), stripe_sandbox.pay(session.id)

    assert first == second
    assert gateway.balance() == {"EUR": 98_25}


def test_twenty_browsers_pressing_pay_at_once_pay_once(stripe_sandbox, checkout):
    session = checkout()
    presses = [
        threading.Thread(target=stripe_sandbox.submit, args=[f"/c/pay/{session.id}"], kwargs=good)
        for good in [{"card": "4242424242424242"}] * 20
    ]
    for press in presses:
        press.start()
    for press in presses:
        press.join()

    assert gateway.balance() == {"EUR": 98_25}


def test_a_declined_card_leaves_the_session_open_for_another_try(stripe_sandbox, checkout):
    session = checkout()

    stripe_sandbox.decline(session.id)

    declined = gateway.retrieve_checkout(session.id)
    assert (declined.status, declined.payment_status, declined.charge) == ("open", "unpaid", None)
    assert declined.payment_intent is not None
    kinds = [webhook.type for webhook in stripe_sandbox.drain()]
    assert kinds == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]

    stripe_sandbox.pay(session.id)
    paid = gateway.retrieve_checkout(session.id)
    assert paid.payment_intent == declined.payment_intent
    assert gateway.retrieve_charge(paid.charge).paid


def test_an_expired_session_cannot_be_paid(stripe_sandbox, checkout):
    session = checkout()

    expired = gateway.expire_checkout(session.id, key="expire-1")

    assert (expired.status, expired.url) == ("expired", None)
    assert stripe_sandbox.submit(f"/c/pay/{session.id}", card="4242424242424242").status_code == 410
    assert gateway.balance() == {}
    assert [webhook.type for webhook in stripe_sandbox.drain()] == ["checkout.session.expired"]


def test_a_session_expires_by_itself_when_its_time_is_up(stripe_sandbox, checkout):
    session = checkout()

    stripe_sandbox.move_clock(2 * 3600 + 1)

    assert gateway.retrieve_checkout(session.id).status == "expired"
    assert stripe_sandbox.open(session.url).status_code == 410


def test_a_paid_session_cannot_be_expired(stripe_sandbox, checkout):
    session = checkout()
    stripe_sandbox.pay(session.id)

    with pytest.raises(gateway.Refused):
        gateway.expire_checkout(session.id, key="expire-1")


def test_expiring_after_a_declined_card_cancels_the_payment_intent(stripe_sandbox, checkout):
    session = checkout()
    stripe_sandbox.decline(session.id)
    stripe_sandbox.drain()

    gateway.expire_checkout(session.id, key="expire-1")

    kinds = [webhook.type for webhook in stripe_sandbox.drain()]
    assert kinds == ["payment_intent.canceled", "checkout.session.expired"]


@pytest.mark.parametrize("minutes", [5, 25 * 60])
def test_a_session_lasts_between_thirty_minutes_and_a_day(checkout, minutes):
    with pytest.raises(gateway.Refused, match="expires_at"):
        checkout(expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(49, "EUR"), "amount_too_small"),
        (Money(10**8, "EUR"), "amount_too_large"),
        (Money(12_345, "KWD"), "invalid_charge_amount"),
    ],
)
def test_amounts_stripe_would_not_charge_are_refused(checkout, amount, code):
    with pytest.raises(gateway.Refused) as refused:
        checkout(amount)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (Money(12_345, "JPY"), (12_345, "jpy")),
        (Money(12_340, "KWD"), (12_340, "kwd")),
        (Money(12_345, "EUR"), (12_345, "eur")),
    ],
)
def test_minor_units_are_exact_from_end_to_end(stripe_sandbox, paid_charge, amount, sent):
    charge = paid_charge(amount)

    price = stripe_sandbox.requests[0]["params"]["line_items"][0]["price_data"]
    assert (price["unit_amount"], price["currency"]) == sent
    assert Money(charge.amount, charge.currency) == amount


@pytest.mark.parametrize("currency", ["ISK", "UGX", "MGA"])
def test_currencies_that_stripe_counts_otherwise_are_not_sent(stripe_sandbox, checkout, currency):
    with pytest.raises(CurrencyNotSupported, match=currency):
        checkout(Money(12_345, currency))

    assert stripe_sandbox.requests == []


@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
def test_addresses_must_be_addresses(checkout, name):
    with pytest.raises(gateway.Refused) as refused:
        checkout(**{name: "javascript:alert(1)"})

    assert refused.value.code == "url_invalid"


def test_an_unknown_session_is_refused_by_name(stripe_sandbox):
    with pytest.raises(gateway.Refused, match="cs_test_nobody") as refused:
        gateway.retrieve_checkout("cs_test_nobody")

    assert refused.value.code == "resource_missing"


def test_a_card_that_is_no_test_card_is_refused_and_not_shown_again(stripe_sandbox, checkout):
    session = checkout()

    answer = stripe_sandbox.submit(f"/c/pay/{session.id}", card="4111 1111 1111 1111")

    assert answer.status_code == 422
    assert "Never type a real card here" in answer.text
    assert "4111" not in answer.text
    assert gateway.balance() == {}


def test_the_declined_page_says_that_no_money_has_moved(stripe_sandbox, checkout):
    session = checkout()

    answer = stripe_sandbox.submit(f"/c/pay/{session.id}", card=DECLINED_CARD)

    assert "No money has moved" in answer.text
