"""Money on its way back to a card."""

import pytest

from marketplace.core.money import Money
from payments import gateway
from tests.stripe_sandbox import FAILING_REFUND_CARD, SLOW_REFUND_CARD


def test_part_of_a_charge_goes_back_at_once(paid_charge, refund):
    charge = paid_charge(Money(100_00, "EUR"))

    made = refund(charge, Money(30_00, "EUR"))

    assert (made.status, made.amount, made.currency) == ("succeeded", 30_00, "EUR")
    assert made.failure_reason is None
    assert gateway.retrieve_charge(charge.id).refunded_minor == 30_00
    # Stripe keeps the fee of the charge.
    assert gateway.balance() == {"EUR": 68_25}


def test_more_than_is_left_is_refused(paid_charge, refund):
    charge = paid_charge(Money(100_00, "EUR"))
    refund(charge, Money(60_00, "EUR"))

    with pytest.raises(gateway.Refused, match="greater than unrefunded"):
        refund(charge, Money(40_01, "EUR"))


def test_a_refunded_charge_cannot_be_refunded_again(stripe_sandbox, paid_charge, refund):
    stripe_sandbox.add_money(Money(10_00, "EUR"))
    charge = paid_charge(Money(100_00, "EUR"))
    refund(charge, Money(100_00, "EUR"))

    with pytest.raises(gateway.Refused) as refused:
        refund(charge, Money(1, "EUR"))

    assert refused.value.code == "charge_already_refunded"


def test_a_refund_waits_for_balance_and_succeeds_when_it_is_there(
    stripe_sandbox, paid_charge, refund
):
    # The fee is missing on the balance.
    made = refund(paid_charge(Money(100_00, "EUR")), Money(100_00, "EUR"))
    assert (made.status, made.balance_transaction) == ("pending", None)

    stripe_sandbox.move_clock(11)
    assert gateway.retrieve_refund(made.id).status == "pending"

    stripe_sandbox.add_money(Money(10_00, "EUR"))
    stripe_sandbox.move_clock(11)
    arrived = gateway.retrieve_refund(made.id)
    assert arrived.status == "succeeded"
    assert arrived.balance_transaction is not None
    assert stripe_sandbox.drain()[-1].type == "refund.updated"


def test_a_slow_refund_is_pending_first(stripe_sandbox, paid_charge, refund):
    made = refund(paid_charge(card=SLOW_REFUND_CARD), Money(10_00, "EUR"))
    assert made.status == "pending"

    stripe_sandbox.move_clock(6)

    assert gateway.retrieve_refund(made.id).status == "succeeded"


def test_a_failed_refund_puts_the_money_back_on_our_balance(stripe_sandbox, paid_charge, refund):
    charge = paid_charge(Money(100_00, "EUR"), card=FAILING_REFUND_CARD)
    made = refund(charge, Money(30_00, "EUR"))
    assert made.status == "succeeded"

    stripe_sandbox.move_clock(6)

    failed = gateway.retrieve_refund(made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction is not None
    assert gateway.retrieve_charge(charge.id).refunded_minor == 0
    assert gateway.balance() == {"EUR": 98_25}
    assert [webhook.type for webhook in stripe_sandbox.drain()][-2:] == [
        "refund.updated",
        "refund.failed",
    ]


def test_a_refund_is_found_by_the_command_in_its_metadata(paid_charge, refund):
    charge = paid_charge()
    made = refund(charge, Money(10_00, "EUR"), metadata={"command": "command-7"})

    assert gateway.find_refund(charge=charge.id, command_id="command-7") == made
    assert gateway.find_refund(charge=charge.id, command_id="command-8") is None
