"""Held money ends once: released, refunded or split, and every cent is accounted for."""

import random

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.errors import InvalidInput, InvalidTransition
from marketplace.core.models import AuditRow, OutboxMessage
from marketplace.core.money import Money
from payments import ledger, signals
from payments.models import Hold, Invoice, Journal, Refund, Transfer
from payments.selectors import segments, where_money_is
from payments.services import due, holds
from payments.services import funding as fundings
from payments.services.verification import verify
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


def broken_lines():
    return [line for finding in verify() for line in finding.broken]


def balance(name, currency="EUR"):
    return ledger.balance(name, currency)


# --- Opening --------------------------------------------------------------------------------


def test_a_hold_keeps_the_fees_of_its_policy(market):
    hold = market.open("100.05")
    assert (hold.client_fee, hold.freelancer_fee) == (eur("3.00"), eur("8.00"))
    assert hold.client_pays == eur("103.05")


@pytest.mark.parametrize("amount", ["0.00", "0.01", "4.99"])
def test_s3_an_amount_too_small_to_pay_is_refused(market, amount):
    with pytest.raises(InvalidInput):
        market.open(amount)


def test_s3_the_database_refuses_what_the_service_would(market):
    hold = market.open()
    for change in (
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"client_fee_minor": -1},
        {"freelancer_fee_minor": 100_01},
        {"payee": market.client.party},
        {"status": "released"},
        {"status": "gone"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Hold.objects.filter(pk=hold.pk).update(**change)


# --- Release --------------------------------------------------------------------------------


def test_release_pays_the_freelancer_less_our_fee_and_only_once(market):
    market.connect()
    hold = market.held("100.00")
    holds.release(hold, by=market.client, basis="approval")

    transfer = Transfer.objects.get()
    assert transfer.status == "sent"
    assert transfer.amount == eur("92.00")
    assert balance(ledger.FEE_REVENUE) == eur("11.00")
    assert balance(ledger.held(hold)) == balance(ledger.client_fee_held(hold)) == eur("0.00")
    with pytest.raises(InvalidTransition):
        holds.release(hold, by=market.client, basis="approval")
    assert broken_lines() == []


def test_r1_a_double_click_on_release_is_one_journal_and_one_transfer_fifty_times(market):
    market.connect()
    for round_ in range(50):
        hold = market.held()

        def click(_number, hold=hold):
            holds.release(Hold.objects.get(pk=hold.pk), by=market.client, basis="approval")

        assert sorted(together(click, 2)) == ["InvalidTransition", "ok"], round_
    market.work()
    assert Journal.objects.filter(kind="released").count() == 50
    assert Transfer.objects.filter(status="sent").count() == 50
    sent = [r for r in market.stripe.requests if r["path"].endswith("/transfers")]
    assert len({request["key"] for request in sent}) == 50
    assert broken_lines() == []


def test_r2_release_against_refund_has_one_winner_fifty_times(market):
    market.refill("10000.00")
    market.connect()
    for round_ in range(50):
        hold = market.held()

        def act(number, hold=hold):
            mine = Hold.objects.get(pk=hold.pk)
            what = (holds.release, holds.refund)[number % 2]
            what(mine, by=market.client, basis="approval")

        assert sorted(together(act, 4)) == ["InvalidTransition"] * 3 + ["ok"], round_
        market.work()
        hold.refresh_from_db()
        assert hold.transfers.count() + hold.refunds.count() == 1
        assert hold.status == ("released" if hold.transfers.exists() else "refunded")
    assert broken_lines() == []


def test_r3_release_against_pause_has_one_winner_and_a_paused_hold_has_no_transfer_fifty_times(
    market,
):
    market.connect()
    for round_ in range(50):
        hold = market.held()

        def act(number, hold=hold):
            mine = Hold.objects.get(pk=hold.pk)
            if number:
                holds.pause(mine, by=market.freelancer)
            else:
                holds.release(mine, by=market.client, basis="approval")

        assert sorted(together(act, 2)) == ["InvalidTransition", "ok"], round_
        hold.refresh_from_db()
        if hold.status == "paused":
            assert not hold.transfers.exists()
    assert broken_lines() == []


def test_the_ledger_alone_stops_a_second_way_out(market):
    """If every check in Python were gone, the database would still have one winner."""
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")
    legs = [(ledger.held(hold), -hold.amount), (ledger.STRIPE_BALANCE, hold.amount)]
    with pytest.raises(ledger.Overdrawn):
        ledger.post("again", "refunded", legs)


def test_r10_fee_and_net_are_the_amount_for_every_amount_and_rate():
    hold = Hold(currency="EUR")

    @settings(max_examples=500, deadline=None)
    @given(
        st.integers(1, 100_000),
        st.integers(0, 5_000),
        st.integers(0, 5_000),
        st.integers(0, 100_000),
    )
    def check(minor, freelancer_bps, client_bps, awarded):
        amount = Money(minor, "EUR")
        hold.amount_minor = minor
        hold.freelancer_fee_minor = amount.share(freelancer_bps).minor
        hold.client_fee_minor = amount.share(client_bps).minor
        parts = hold.shares(Money(min(awarded, minor), "EUR"))
        sums = (parts.to_payee, parts.freelancer_fee, parts.client_fee, parts.to_payer)
        assert all(part.minor >= 0 for part in sums)
        assert sum(part.minor for part in sums) == hold.client_pays.minor
        whole = hold.shares(amount)
        assert whole.to_payee + whole.freelancer_fee == amount
        assert whole.to_payer.minor == 0

    check()


def test_r9_thirds_of_a_hundred_sum_to_a_hundred():
    assert [part.minor for part in eur("100.00").split([1, 1, 1])] == [33_34, 33_33, 33_33]


# --- Refund and split -----------------------------------------------------------------------


def test_a_refund_returns_everything_with_the_fee_and_issues_no_paper(market):
    market.refill()
    heard = []
    signals.payer_refunded.connect(
        lambda hold, **_: heard.append(hold.pk), weak=False, dispatch_uid="t"
    )
    hold = market.held("100.00")
    holds.refund(hold, by=market.client, basis="settlement")
    signals.payer_refunded.disconnect(dispatch_uid="t")

    refund = Refund.objects.get()
    assert (refund.status, refund.amount) == ("succeeded", eur("103.00"))
    assert heard == [hold.pk]
    assert balance(ledger.FEE_REVENUE) == eur("0.00")
    assert not Invoice.objects.exists()
    assert broken_lines() == []


def test_d2_a_split_of_an_odd_amount_sums_exactly_with_the_fee_on_the_awarded_part(market):
    market.refill()
    market.connect()
    hold = market.held("100.01")
    holds.pause(hold, by=market.freelancer)
    holds.split(hold, to_payee=eur("33.00"), by=market.client, basis="decision")

    transfer, refund = Transfer.objects.get(), Refund.objects.get()
    assert hold.status == "split"
    assert transfer.amount == eur("33.00") - eur("2.64")
    assert refund.amount == eur("67.01") + hold.client_fee - eur("0.99")
    earned = balance(ledger.FEE_REVENUE)
    assert transfer.amount + refund.amount + earned == hold.client_pays
    assert broken_lines() == []


@pytest.mark.parametrize(("to_payee", "status"), [("100.00", "released"), ("0.00", "refunded")])
def test_all_for_one_side_is_a_release_or_a_refund(market, to_payee, status):
    hold = market.held("100.00")
    holds.pause(hold, by=market.freelancer)
    holds.split(hold, to_payee=eur(to_payee), by=market.client, basis="decision")
    assert hold.status == status
    assert broken_lines() == []


@pytest.mark.parametrize("to_payee", ["100.01", "-0.01"])
def test_r11_nobody_gets_more_than_was_held(market, to_payee):
    hold = market.held("100.00")
    holds.pause(hold, by=market.freelancer)
    with pytest.raises(InvalidInput):
        holds.split(
            hold,
            to_payee=Money(int(to_payee.replace(".", "")), "EUR"),
            by=market.client,
            basis="decision",
        )
    hold.refresh_from_db()
    assert hold.status == "paused"


def test_pausing_moves_the_money_and_resuming_moves_it_back_as_often_as_needed(market):
    hold = market.held("100.00")
    for _time in range(2):
        holds.pause(hold, by=market.freelancer)
        assert balance(ledger.dispute_hold(hold)) == eur("100.00")
        assert balance(ledger.held(hold)) == eur("0.00")
        holds.resume(hold, by=market.freelancer)
        assert balance(ledger.held(hold)) == eur("100.00")
    assert broken_lines() == []


def test_an_outcome_without_a_basis_is_refused_by_the_database(market):
    hold = market.held()
    with pytest.raises(IntegrityError):
        holds.release(hold, by=market.client, basis="")
    hold.refresh_from_db()
    assert hold.status == "held"
    assert not OutboxMessage.objects.filter(key__startswith="transfer").exists()


def test_whoever_ends_a_hold_is_on_record(market):
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")
    row = AuditRow.objects.get(action="hold.released")
    assert (row.actor, row.subject_id, row.facts["awarded"]) == (market.client, hold.pk, 100_00)
    assert Journal.objects.get(kind="released").actor == market.client


# --- Where the money is ---------------------------------------------------------------------


def test_the_money_bar_says_where_every_cent_is(market, django_assert_num_queries):
    market.refill()
    made = {
        "not_funded": market.open(),
        "on_its_way": market.open(),
        "held": market.held(),
        "paused": market.held(),
        "released_on_its_way": market.held(),
        "refunded": market.held(),
        "split": market.held(),
        "paid_out": market.held(),
    }
    market.start(made["on_its_way"])
    holds.pause(made["paused"], by=market.freelancer)
    holds.release(made["released_on_its_way"], by=market.client, basis="approval")
    holds.refund(made["refunded"], by=market.client, basis="approval")
    holds.pause(made["split"], by=market.freelancer)
    holds.split(made["split"], to_payee=eur("40.00"), by=market.client, basis="decision")
    late = Transfer.objects.get(hold=made["released_on_its_way"])
    market.connect()
    holds.release(made["paid_out"], by=market.client, basis="approval")
    # The one that was released before the account was ready has been sent too by now.
    late.refresh_from_db()
    assert late.status == "sent"
    Transfer.objects.filter(pk=late.pk).update(status="sending")

    with django_assert_num_queries(1):
        found = where_money_is(made.values())
    assert {name: found[hold.pk].state for name, hold in made.items()} == {
        name: name for name in made
    }
    split = found[made["split"].pk]
    assert (split.awarded, split.returned) == (eur("40.00"), eur("60.00"))
    assert (split.paid_out, split.refunded) == (True, True)
    assert [(piece.state, piece.money) for piece in segments(split)] == [
        ("paid_out", eur("40.00")),
        ("refunded", eur("60.00")),
    ]


# --- A whole day ----------------------------------------------------------------------------


def act_at_random(market, hold, chance):
    """One thing somebody might try with a hold, possible or not."""
    part = Money(chance.randint(0, hold.amount_minor), "EUR")
    by = market.client
    acts = {
        "fund": lambda: hold.status == "pending" and market.fund(hold),
        "release": lambda: holds.release(hold, by=by, basis="approval"),
        "refund": lambda: holds.refund(hold, by=by, basis="approval"),
        "pause": lambda: holds.pause(hold, by=by),
        "resume": lambda: holds.resume(hold, by=by),
        "split": lambda: holds.split(hold, to_payee=part, by=by, basis="decision"),
    }
    try:
        acts[chance.choice(sorted(acts))]()
    except InvalidTransition:
        hold.refresh_from_db()


def test_after_any_sequence_of_acts_the_ledger_is_whole(market):
    market.refill("100000.00")
    chance = random.Random(7)
    opened = [
        market.open(f"{chance.randint(5, 900)}.{chance.randint(0, 99):02d}") for _ in range(8)
    ]
    for _step in range(60):
        act_at_random(market, chance.choice(opened), chance)
    market.connect()
    market.work()
    due.run()
    fundings.look_again()
    assert broken_lines() == []
    assert not Transfer.objects.exclude(status="sent").exists()
