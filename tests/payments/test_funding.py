"""Paying in: one page, one record, whichever way the news comes and however often."""

import datetime as dt
import itertools
import logging

import pytest

from marketplace.core import outbox
from marketplace.core.errors import InvalidTransition
from marketplace.core.models import AuditRow, OutboxMessage
from marketplace.core.money import Money
from payments import gateway, ledger, signals
from payments.models import Funding, Hold, Journal, Refund, StripeEvent
from payments.services import due, holds, inbox
from payments.services import funding as fundings
from payments.services.verification import verify
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import FAILING_REFUND_CARD

pytestmark = pytest.mark.django_db(transaction=True)


def sessions_at_stripe(stripe):
    created = [
        r for r in stripe.requests if r["method"] == "POST" and r["path"].endswith("/sessions")
    ]
    return len({r["key"] for r in created if r["status"] == 200})


def ledger_is_whole():
    return [line for finding in verify() for line in finding.broken] == []


# --- Starting -------------------------------------------------------------------------------


def test_the_payer_is_asked_for_the_amount_and_the_fee_of_the_hold(market):
    started = market.start(market.open("100.00"))

    session = gateway.retrieve_checkout(started.session_id)
    assert (session.amount_total, session.currency) == (103_00, "EUR")
    assert started.customer_email == ""


def test_f1_a_double_click_starts_one_page_and_both_get_its_address(market):
    hold = market.open()
    urls = []

    def click(_number):
        mine = Hold.objects.get(pk=hold.pk)
        started = fundings.start_checkout(
            mine, by=market.client, success_url="http://a.test/", cancel_url="http://a.test/"
        )
        urls.append(fundings.checkout_url(started))

    market.stripe.switch(hold=0.3)
    assert together(click, 2) == ["ok", "ok"]
    assert urls[0] is not None
    assert urls[0] == urls[1]
    assert Funding.objects.count() == 1
    assert OutboxMessage.objects.filter(topic="stripe").count() == 1
    assert sessions_at_stripe(market.stripe) == 1


def test_a_page_nobody_opened_is_opened_by_the_sweep(market):
    started = fundings.start_checkout(
        market.open(), by=market.client, success_url="http://a.test/", cancel_url="http://a.test/"
    )
    OutboxMessage.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    outbox.deliver_due()
    started.refresh_from_db()
    assert started.status == "open"


def test_while_stripe_is_away_there_is_no_address_and_later_there_is(market):
    started = fundings.start_checkout(
        market.open(), by=market.client, success_url="http://a.test/", cancel_url="http://a.test/"
    )
    market.stripe.fail_next("drop_before", times=2)
    assert fundings.checkout_url(started) is None
    OutboxMessage.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    market.work()
    started.refresh_from_db()
    assert fundings.checkout_url(started) == started.session_url != ""


@pytest.mark.parametrize(("mode", "times", "keys"), [("drop_after", 2, 1), ("error_after", 1, 2)])
def test_f6_stripe_did_it_but_we_never_heard_and_still_there_is_one_page_here(
    market, mode, times, keys
):
    started = fundings.start_checkout(
        market.open(), by=market.client, success_url="http://a.test/", cancel_url="http://a.test/"
    )
    market.stripe.fail_next(mode, times=times)
    fundings.checkout_url(started)
    OutboxMessage.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    market.work()
    started.refresh_from_db()
    assert started.status == "open"
    # No answer: the same key again. An error as the answer: it would only be repeated.
    asked = [r for r in market.stripe.requests if r["path"].endswith("/checkout/sessions")]
    assert len({request["key"] for request in asked}) == keys


def test_a_page_made_behind_an_error_was_shown_to_nobody_and_ends_without_an_alarm(market, client):
    started = fundings.start_checkout(
        market.open(), by=market.client, success_url="http://a.test/", cancel_url="http://a.test/"
    )
    market.stripe.fail_next("error_after")
    fundings.checkout_url(started)
    OutboxMessage.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    market.work()
    started.refresh_from_db()
    market.stripe.pay(started.session_id)
    market.stripe.move_clock(24 * 3600)
    market.hear(client)
    while inbox.read_due():
        pass
    started.refresh_from_db()
    assert started.status == "paid"
    heard = StripeEvent.objects.filter(type="checkout.session.expired")
    assert [event.state for event in heard] == ["done"]


def test_a_page_stripe_refuses_ends_the_try_and_a_new_one_has_a_new_key(market):
    hold = market.open()
    started = fundings.start_checkout(
        hold, by=market.client, success_url="no address", cancel_url="no address"
    )
    assert fundings.checkout_url(started) is None
    started.refresh_from_db()
    assert started.status == "expired"
    assert started.failure
    again = market.start(hold)
    assert again.pk != started.pk
    assert again.parts.get().attempt == 2


def test_a_hold_that_does_not_wait_for_money_cannot_be_paid(market):
    hold = market.held()
    with pytest.raises(InvalidTransition):
        market.start(hold)


def test_f13_a_command_run_twice_changes_nothing(market):
    started = market.start(market.open())
    message = OutboxMessage.objects.get()
    fundings.open_page(message)
    fundings.open_page(message)
    started.refresh_from_db()
    assert started.status == "open"
    assert sessions_at_stripe(market.stripe) == 1


# --- Money comes ----------------------------------------------------------------------------


def test_f3_the_webhook_alone_funds_the_hold(market, client):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    assert set(market.hear(client)) == {200}

    hold.refresh_from_db()
    assert hold.status == "held"
    assert ledger.balance(ledger.held(hold), "EUR") == eur("100.00")
    assert ledger.balance(ledger.client_fee_held(hold), "EUR") == eur("3.00")
    assert ledger_is_whole()


def test_f4_the_return_page_first_and_the_webhook_later_is_one_funding(market, client):
    hold = market.open()
    started = market.fund(hold)
    journals = Journal.objects.count()
    assert market.hear(client)

    assert Journal.objects.count() == journals
    assert Journal.objects.filter(idempotency_key=f"charge:{started.charge_id}").count() == 1
    assert ledger.balance(ledger.held(hold), "EUR") == eur("100.00")


def test_two_webhooks_and_the_return_page_for_one_payment_are_one_funding_fifty_times(market):
    heard = []
    signals.funds_received.connect(
        lambda hold, **_: heard.append(hold.pk), weak=False, dispatch_uid="test"
    )
    for round_ in range(50):
        hold = market.open()
        started = market.start(hold)
        market.stripe.pay(started.session_id)
        bodies = [w for w in market.stripe.drain() if w.type == "checkout.session.completed"]
        event = gateway.read_event(bodies[0].body, bodies[0].signature)
        twin = gateway.Event(**{**event.__dict__, "id": event.id + "_twin"})

        def act(number, event=event, twin=twin, started=started):
            if number == 2:
                fundings.confirm(Funding.objects.get(pk=started.pk))
            else:
                inbox.receive([event, twin][number])

        assert together(act, 3) == ["ok", "ok", "ok"]
        inbox.read_due()
        hold.refresh_from_db()
        assert hold.status == "held", round_
        assert ledger.balance(ledger.held(hold), "EUR") == eur("100.00"), round_
        assert heard.count(hold.pk) == 1, round_
    assert Journal.objects.filter(kind="funded").count() == 50
    assert Funding.objects.filter(status="paid").count() == 50
    signals.funds_received.disconnect(dispatch_uid="test")
    assert ledger_is_whole()


def test_opening_the_success_address_of_an_unpaid_page_changes_nothing(market):
    hold = market.open()
    started = market.start(hold)
    fundings.confirm(started)
    hold.refresh_from_db()
    assert started.status == "open"
    assert hold.status == "pending"
    assert not Journal.objects.exists()


def test_f7_a_declined_card_and_then_a_good_one_is_one_funding(market):
    hold = market.open()
    started = market.start(hold)
    market.stripe.decline(started.session_id)
    fundings.confirm(started)
    assert started.status == "open"
    market.stripe.pay(started.session_id)
    fundings.confirm(started)
    hold.refresh_from_db()
    assert hold.status == "held"


def test_f8_a_page_that_expires_leaves_no_entries_and_a_new_try_has_a_new_page(market, client):
    heard = []
    signals.funding_ended.connect(
        lambda hold, **_: heard.append(hold.pk), weak=False, dispatch_uid="test"
    )
    hold = market.open()
    first = market.start(hold)
    gateway.expire_checkout(first.session_id, key="as-time-would")
    market.hear(client)
    signals.funding_ended.disconnect(dispatch_uid="test")

    first.refresh_from_db()
    assert first.status == "expired"
    assert heard == [hold.pk]
    assert not Journal.objects.exists()
    second = market.start(hold)
    assert second.session_id != first.session_id


def test_a_page_whose_end_we_never_heard_of_is_looked_at_again(market):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    market.stripe.drain()
    Funding.objects.update(expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    due.run()
    hold.refresh_from_db()
    assert hold.status == "held"


@pytest.mark.parametrize(
    "change", [{"amount_minor": 1_03}, {"currency": "USD"}], ids=["amount", "currency"]
)
def test_f9_a_payment_of_another_amount_or_currency_credits_nobody(market, caplog, change):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    # As if our row had been tampered with after the page was made.
    Funding.objects.filter(pk=started.pk).update(**change)
    with caplog.at_level(logging.ERROR):
        fundings.confirm(started)

    hold.refresh_from_db()
    assert started.status == "quarantined"
    assert hold.status == "pending"
    assert ledger.balance(ledger.SUSPENSE, "EUR") == eur("103.00")
    assert ledger.balance(ledger.held(hold), "EUR") == eur("0.00")
    assert "asked for" in caplog.text
    assert AuditRow.objects.filter(action="funding.quarantined").exists()


def test_the_fee_of_stripe_is_booked_once_under_its_movement(market, client):
    started = market.fund(market.open())
    charge = gateway.retrieve_charge(started.charge_id)
    fundings.record_fee(charge)
    market.hear(client)
    settled = charge.balance_transaction
    assert Journal.objects.filter(idempotency_key=f"fee:{settled.id}").count() == 1
    assert ledger.balance(ledger.STRIPE_FEES, "EUR") == Money(-settled.fee, "EUR")
    assert ledger.balance(ledger.STRIPE_BALANCE, "EUR") == Money(-settled.net, "EUR")


# --- Cancelled meanwhile --------------------------------------------------------------------


def test_f14_cancelling_closes_the_page(market):
    hold = market.open()
    started = market.start(hold)
    holds.cancel_hold(hold, by=market.client)
    market.work()
    started.refresh_from_db()
    assert started.status == "expired"
    assert gateway.retrieve_checkout(started.session_id).status == "expired"


def test_f14_a_payment_that_beats_the_cancellation_goes_back_in_full_and_once(market, client):
    market.refill()
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    holds.cancel_hold(hold, by=market.client)
    market.work()
    market.hear(client)
    fundings.confirm(started)
    market.work()

    started.refresh_from_db()
    hold.refresh_from_db()
    assert started.status == "returned"
    assert hold.status == "cancelled"
    refund = Refund.objects.get()
    assert refund.status == "succeeded"
    assert refund.amount == eur("103.00")
    assert gateway.retrieve_charge(started.charge_id).refunded_minor == 103_00
    assert ledger_is_whole()


def test_cancelling_against_paying_never_leaves_money_with_nobody(market):
    for _round in range(20):
        hold = market.open()
        started = market.start(hold)
        market.stripe.pay(started.session_id)

        def act(number, hold=hold, started=started):
            if number:
                holds.cancel_hold(Hold.objects.get(pk=hold.pk), by=market.client)
            else:
                fundings.confirm(Funding.objects.get(pk=started.pk))

        assert set(together(act, 2)) <= {"ok", "InvalidTransition"}
        market.work()
        hold.refresh_from_db()
        started.refresh_from_db()
        assert (hold.status, started.status) in {("held", "paid"), ("cancelled", "returned")}
    assert ledger_is_whole()


def test_cancelling_before_the_page_was_made_never_asks_stripe(market):
    hold = market.open()
    started = fundings.start_checkout(
        hold, by=market.client, success_url="http://a.test/", cancel_url="http://a.test/"
    )
    holds.cancel_hold(hold, by=market.client)
    OutboxMessage.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    outbox.deliver_due()
    started.refresh_from_db()
    assert started.status == "expired"
    assert sessions_at_stripe(market.stripe) == 0


def test_a_refund_of_a_late_payment_that_the_bank_returns_stands_as_credit(market, client):
    market.refill()
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=FAILING_REFUND_CARD)
    holds.cancel_hold(hold, by=market.client)
    market.work()
    market.stripe.move_clock(10)
    market.hear(client)
    assert Refund.objects.get().status == "failed"
    assert ledger.balance(ledger.client_credit(hold.payer), "EUR") == eur("103.00")
    assert ledger_is_whole()


def test_events_in_any_order_end_the_same(market, client):
    endings = set()
    for order in itertools.permutations(range(3)):
        hold = market.open()
        started = market.start(hold)
        market.stripe.pay(started.session_id)
        webhooks = market.stripe.drain()[-3:]
        for index in order:
            if index < len(webhooks):
                inbox.receive(gateway.read_event(webhooks[index].body, webhooks[index].signature))
        hold.refresh_from_db()
        endings.add((hold.status, ledger.balance(ledger.held(hold), "EUR")))
    assert endings == {("held", eur("100.00"))}
    assert not StripeEvent.objects.filter(state="pending").exists()
