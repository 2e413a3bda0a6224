"""One key, one effect: whatever the network and Stripe do in between."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketplace.core.money import Money
from payments import gateway

TEN = Money(10_00, "EUR")


def test_the_same_key_gets_the_first_answer(stripe_sandbox, paid_charge, refund):
    charge = paid_charge()

    first = refund(charge, TEN, key="refund-1")

    assert refund(charge, TEN, key="refund-1") == first
    assert gateway.retrieve_charge(charge.id).refunded_minor == 10_00


def test_a_refusal_is_replayed_too(stripe_sandbox, paid_charge, transfer, payee):
    charge = paid_charge()
    stripe_sandbox.restrict(payee)
    with pytest.raises(gateway.Refused):
        transfer(charge, TEN, key="transfer-1")
    stripe_sandbox.complete_onboarding(payee)

    with pytest.raises(gateway.Refused):
        transfer(charge, TEN, key="transfer-1")

    assert transfer(charge, TEN, key="transfer-1:2").amount == 10_00


def test_a_key_with_other_parameters_is_an_error_of_ours(paid_charge, refund):
    charge = paid_charge()
    refund(charge, TEN, key="refund-1")

    with pytest.raises(gateway.KeyReused):
        refund(charge, Money(11_00, "EUR"), key="refund-1")


def test_twenty_calls_with_one_key_make_one_refund(stripe_sandbox, paid_charge, refund):
    charge = paid_charge()
    together = threading.Barrier(20)

    def ask(_: int) -> str:
        together.wait()
        try:
            return refund(charge, TEN, key="refund-1").id
        except gateway.Unavailable:
            return "busy"

    with ThreadPoolExecutor(20) as threads:
        made = set(threads.map(ask, range(20)))

    assert len(made - {"busy"}) == 1
    assert gateway.retrieve_charge(charge.id).refunded_minor == 10_00


def test_a_call_beside_another_with_the_same_key_is_told_to_come_later(
    stripe_sandbox, paid_charge, refund
):
    charge = paid_charge()
    stripe_sandbox.switch(hold=2)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(refund, charge, TEN, key="refund-1")
        second = threads.submit(refund, charge, TEN, key="refund-1")
        made = [call.exception() or call.result() for call in (first, second)]

    assert [type(result) for result in made].count(gateway.Refund) >= 1
    assert 409 in {request["status"] for request in stripe_sandbox.requests}
    assert gateway.retrieve_charge(charge.id).refunded_minor == 10_00


def test_a_lost_answer_is_fetched_by_the_repeat(stripe_sandbox, paid_charge, refund):
    charge = paid_charge()
    stripe_sandbox.fail_next("drop_after", on="POST /v1/refunds")

    assert refund(charge, TEN).status == "succeeded"
    assert gateway.retrieve_charge(charge.id).refunded_minor == 10_00


def test_when_every_answer_is_lost_the_work_is_done_all_the_same(
    stripe_sandbox, paid_charge, refund
):
    charge = paid_charge()
    stripe_sandbox.fail_next("drop_after", on="POST /v1/refunds", times=2)

    with pytest.raises(gateway.Unavailable):
        refund(charge, TEN, key="refund-1")

    done = gateway.find_refund(charge=charge.id, command_id="command-1")
    assert refund(charge, TEN, key="refund-1") == done


def test_a_500_after_the_work_stays_a_500_under_its_key(stripe_sandbox, paid_charge, transfer):
    charge = paid_charge()
    stripe_sandbox.fail_next("error_after", on="POST /v1/transfers")

    for _ in range(2):
        with pytest.raises(gateway.Unavailable):
            transfer(charge, TEN, key="transfer-1")

    found = gateway.find_transfer(transfer_group="hold-1", command_id="command-1")
    assert found.amount == 10_00
    assert gateway.balance() == {"EUR": 88_25}


def test_a_500_before_the_work_does_nothing(stripe_sandbox, paid_charge, transfer):
    charge = paid_charge()
    stripe_sandbox.fail_next("error_before", on="POST /v1/transfers")

    with pytest.raises(gateway.Unavailable):
        transfer(charge, TEN, key="transfer-1")

    assert gateway.find_transfer(transfer_group="hold-1", command_id="command-1") is None
    assert transfer(charge, TEN, key="transfer-1:2").amount == 10_00


@pytest.mark.parametrize("mode", ["drop_before", "rate_limit", "lock_timeout"])
def test_what_was_never_begun_can_be_repeated_under_the_same_key(
    stripe_sandbox, paid_charge, refund, mode
):
    charge = paid_charge()
    # A rate limit is not repeated by the SDK itself, the other two are.
    stripe_sandbox.fail_next(mode, on="POST /v1/refunds", times=1 if mode == "rate_limit" else 2)

    with pytest.raises(gateway.Unavailable):
        refund(charge, TEN, key="refund-1")

    assert refund(charge, TEN, key="refund-1").status == "succeeded"


def test_parameters_stripe_does_not_know_are_not_remembered(stripe_sandbox):
    wrong = {"Authorization": "Bearer sk_test_of_the_tests", "Idempotency-Key": "k"}
    url = f"{stripe_sandbox.base_url}/v1/refunds"
    headers = wrong | {"Stripe-Version": "2026-10-28.endive"}

    answers = [
        stripe_sandbox.http.post(url, data=data, headers=headers).json()["error"]
        for data in ({"charg": "x"}, {"charge": "ch_nobody"})
    ]

    assert [answer["code"] for answer in answers] == ["parameter_unknown", "resource_missing"]
