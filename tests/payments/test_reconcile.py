"""Our books are Stripe's books, and a difference is named."""

import io

import pytest
from django.core.management import CommandError, call_command

from marketplace.core import clock
from marketplace.core.models import OutboxMessage
from payments import gateway, ledger
from payments.models import Journal, Refund, Transfer
from payments.services import funding as fundings
from payments.services import holds, reconciliation
from tests.payments.world import eur
from tests.stripe_sandbox import FAILING_REFUND_CARD

pytestmark = pytest.mark.django_db(transaction=True)


def run(**options):
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("reconcile", stdout=out, stderr=err, **options)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


@pytest.fixture
def traffic(market):
    """Payments, a transfer and a refund."""
    market.connect()
    for amount in ("100.00", "250.00", "80.00"):
        market.held(amount)
    one, other, _third = market.client.party.holds_paid.order_by("id")
    holds.release(one, by=market.client, basis="approval")
    holds.refund(other, by=market.client, basis="settlement")
    return market


def test_after_a_day_of_traffic_nothing_differs_and_the_balances_are_the_same(traffic):
    said, errors = run()
    assert errors == ""
    assert said.endswith("reconcile: nothing differs\n")
    assert Refund.objects.get().status == "succeeded"
    there = gateway.balance()["EUR"]
    assert ledger.balance(ledger.STRIPE_BALANCE, "EUR").minor == -there
    assert f"{there} EUR at Stripe, {there} in the books" in said


def test_every_movement_at_stripe_is_in_exactly_one_set_of_journals(traffic):
    report = reconciliation.reconcile()
    assert report.movements == report.sources == 5
    moved = {
        movement.source
        for movement in gateway.list_balance_transactions(since=reconciliation.BEGINNING)
    }
    assert moved == set(
        Journal.objects.filter(entries__account__role="stripe_balance").values_list(
            "ref", flat=True
        )
    )


def test_a_posting_without_a_movement_is_a_difference(traffic):
    ledger.post(
        "charge:ch_dreamt",
        "funded",
        [(ledger.STRIPE_BALANCE, -eur("1.00")), (ledger.SUSPENSE, eur("1.00"))],
        ref="ch_dreamt",
    )
    said, errors = run()
    assert said == "1 differences."
    assert "ch_dreamt: 0 EUR at Stripe, 100 in the books" in errors


def test_a_movement_without_a_posting_is_a_difference(traffic):
    traffic.stripe.add_money(eur("5.00"))
    said, errors = run()
    assert "differences" in said
    assert "500 EUR at Stripe, 0 in the books" in errors


def test_a_refund_made_by_hand_at_stripe_is_a_difference(traffic):
    charge = Transfer.objects.get().funding.charge_id
    gateway.refund(key="by-hand", charge=charge, amount=eur("1.00"), metadata={})
    assert "-100 EUR at Stripe, 0 in the books" in run()[1]


def test_a_transfer_that_is_just_being_recorded_is_under_way(traffic):
    hold = traffic.client.party.holds_paid.get(status="held")
    traffic.stripe.fail_next("drop_after", on="POST /v1/transfers", times=2)
    holds.release(hold, by=traffic.client, basis="approval")
    said, errors = run()
    assert errors == ""
    assert "        1  under way" in said

    OutboxMessage.objects.filter(state="pending").update(due_at="2020-01-01T00:00Z")
    traffic.work()
    assert "        0  under way" in run()[0]


def test_a_refund_we_never_heard_of_is_caught_up_with(traffic):
    hold = traffic.client.party.holds_paid.get(status="held")
    traffic.stripe.fail_next("drop_after", on="POST /v1/refunds", times=2)
    holds.refund(hold, by=traffic.client, basis="settlement")
    said, errors = run()
    assert errors == ""
    assert "        1  of these were new to the books" in said
    assert not Refund.objects.exclude(status="succeeded").exists()


def test_the_last_days_alone_are_compared_without_the_balance(traffic):
    said, errors = run(days=3)
    assert errors == ""
    assert "balance" not in said


def test_a_refund_that_left_and_came_back_before_we_heard_of_it_is_no_difference(market):
    """Both movements are of one day, sum to nothing, and are in no journal of the balance."""
    hold = market.open("60.00")
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=FAILING_REFUND_CARD)
    fundings.confirm(started)
    hold.refresh_from_db()
    market.refill()
    reconciliation.reconcile()
    market.stripe.fail_next("error_after", on="POST /v1/refunds")
    holds.refund(hold, by=market.client, basis="settlement")
    market.stripe.move_clock(60)
    OutboxMessage.objects.filter(state="pending").update(due_at="2020-01-01T00:00Z")
    market.work()
    assert Refund.objects.get().status == "failed"
    report = reconciliation.reconcile(since=clock.days_from_now(-3))
    assert Refund.objects.get().stripe_id not in {one.source for one in report.differences}


def test_while_stripe_is_away_the_command_says_so(traffic):
    traffic.stripe.fail_next("drop_before", on="GET ", times=2)
    assert "Stripe is away" in run()[0]
