"""Money on its way from the platform to a payee."""

import pytest

from marketplace.core.money import Money
from payments import gateway


def test_part_of_a_charge_moves_while_the_charge_still_settles(paid_charge, payee, transfer):
    charge = paid_charge(Money(100_00, "EUR"))

    made = transfer(charge, Money(90_00, "EUR"))

    assert (made.amount, made.currency, made.destination) == (90_00, "EUR", payee)
    assert made.source_charge == charge.id
    assert made.balance_transaction.startswith("txn_")
    assert gateway.balance() == {"EUR": 8_25}


def test_transfers_of_one_charge_never_exceed_it(paid_charge, transfer):
    charge = paid_charge(Money(100_00, "EUR"))
    transfer(charge, Money(60_00, "EUR"))

    with pytest.raises(gateway.Refused, match="must not exceed"):
        transfer(charge, Money(40_01, "EUR"))

    transfer(charge, Money(40_00, "EUR"))


def test_an_account_without_the_capability_receives_nothing(
    stripe_sandbox, paid_charge, transfer, payee
):
    charge = paid_charge()
    stripe_sandbox.restrict(payee)

    with pytest.raises(gateway.Refused) as refused:
        transfer(charge, Money(90_00, "EUR"))

    assert refused.value.code == "insufficient_capabilities_for_transfer"


def test_a_transfer_in_another_currency_than_its_charge_is_refused(paid_charge, transfer):
    with pytest.raises(gateway.Refused, match="currency"):
        transfer(paid_charge(Money(100_00, "EUR")), Money(90_00, "USD"))


def test_an_unknown_destination_is_refused(paid_charge, transfer):
    with pytest.raises(gateway.Refused, match="acct_nobody"):
        transfer(paid_charge(), Money(90_00, "EUR"), destination="acct_nobody")


def test_without_a_charge_only_available_money_moves(stripe_sandbox, paid_charge, payee):
    paid_charge(Money(100_00, "EUR"))
    without_charge = {"amount": 50_00, "currency": "eur", "destination": payee}

    def move(key: str) -> None:
        gateway.client().v1.transfers.create(without_charge, {"idempotency_key": key})

    with pytest.raises(Exception, match="insufficient available funds"):
        move("too-early")

    stripe_sandbox.move_clock(2 * 24 * 3600)
    move("settled")
    assert gateway.balance() == {"EUR": 48_25}
    assert "balance.available" in [webhook.type for webhook in stripe_sandbox.drain()]


def test_a_transfer_is_found_by_the_command_in_its_metadata(paid_charge, transfer):
    charge = paid_charge()
    for number in range(3):
        transfer(charge, Money(10_00, "EUR"), metadata={"command": f"command-{number}"})

    found = gateway.find_transfer(transfer_group="hold-1", command_id="command-1")

    assert found.metadata["command"] == "command-1"
    assert gateway.find_transfer(transfer_group="hold-1", command_id="command-9") is None
    assert gateway.find_transfer(transfer_group="hold-2", command_id="command-1") is None


def test_a_reversed_transfer_brings_the_money_back(stripe_sandbox, paid_charge, transfer):
    made = transfer(paid_charge(Money(100_00, "EUR")), Money(90_00, "EUR"))
    reversals = gateway.client().v1.transfers.reversals

    reversals.create(made.id, {"amount": 30_00})

    assert gateway.balance() == {"EUR": 38_25}
    found = gateway.find_transfer(transfer_group="hold-1", command_id="command-1")
    assert found.reversed_minor == 30_00
    with pytest.raises(Exception, match="greater than unreversed"):
        reversals.create(made.id, {"amount": 60_01})
    assert stripe_sandbox.drain()[-1].type == "transfer.reversed"
