"""Paying out: when the payee can receive, once, and never with a blind new key."""

import datetime as dt
import logging

import pytest
import time_machine

from accounts.models import Notice
from marketplace.core import clock, outbox
from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.models import OutboxMessage
from payments import gateway, ledger, signals
from payments.models import Journal, PayoutAccount, PlatformPolicy, Refund, Transfer
from payments.selectors.payouts import missing
from payments.services import commands, due, holds, payouts, refunds, transfers
from payments.services import funding as fundings
from payments.services.verification import verify
from tests.factories import StaffFactory
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import SLOW_REFUND_CARD

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def broken_lines():
    return [line for finding in verify() for line in finding.broken]


def keys_of(stripe, path):
    asked = [r for r in stripe.requests if r["method"] == "POST" and r["path"].endswith(path)]
    return [request["key"] for request in asked]


def try_again():
    OutboxMessage.objects.filter(state="pending").update(due_at=LONG_AGO)
    outbox.deliver_due()


# --- When -----------------------------------------------------------------------------------


def test_r7_money_for_a_payee_who_cannot_receive_waits_and_goes_when_they_can(market, client):
    heard = []
    signals.payee_paid.connect(
        lambda hold, **_: heard.append(hold.pk), weak=False, dispatch_uid="t"
    )
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")

    transfer = Transfer.objects.get()
    assert transfer.status == "blocked"
    assert ledger.balance(ledger.payable(hold.payee), "EUR") == eur("92.00")
    assert Notice.objects.filter(user=market.freelancer, kind="payout_blocked").count() == 1
    assert not OutboxMessage.objects.filter(key__startswith="transfer:").exists()
    assert broken_lines() == []

    account = market.connect()
    signals.payee_paid.disconnect(dispatch_uid="t")
    transfer.refresh_from_db()
    assert transfer.status == "sent"
    assert transfer.destination == account.stripe_id
    assert heard == [hold.pk]
    assert ledger.balance(ledger.payable(hold.payee), "EUR") == eur("0.00")
    assert broken_lines() == []


def test_what_was_released_while_the_account_became_ready_is_found_by_the_sweep(market):
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")
    market.connect()
    # As if the two had not seen each other.
    transfer = Transfer.objects.get()
    ledger.post(
        "back",
        "test",
        [(ledger.STRIPE_BALANCE, -transfer.amount), (ledger.payable(hold.payee), transfer.amount)],
    )
    Transfer.objects.update(status="blocked", stripe_id="", sent_at=None)
    due.run()
    transfer.refresh_from_db()
    assert transfer.attempt == 2


def test_a_security_hold_keeps_the_money_until_it_is_over(market):
    market.connect()
    PlatformPolicy.objects.create(starts_at=clock.now(), security_hold_days=5)
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")

    assert Transfer.objects.get().status == "waiting"
    assert ledger.balance(ledger.pending(hold.payee), "EUR") == eur("92.00")
    due.run()
    assert Transfer.objects.get().status == "waiting"
    assert broken_lines() == []

    Transfer.objects.update(due_at=LONG_AGO)
    assert set(together(lambda _number: transfers.run_due(), 3)) == {"ok"}
    assert Transfer.objects.get().status == "sent"
    assert ledger.balance(ledger.pending(hold.payee), "EUR") == eur("0.00")
    assert Journal.objects.filter(kind="security_hold_over").count() == 1


def test_r8_a_transfer_needs_no_free_balance_because_it_comes_from_its_charge(market):
    market.connect()
    hold = market.held()
    market.stripe.add_money(-eur("200.00"))
    holds.release(hold, by=market.client, basis="approval")
    assert Transfer.objects.get().status == "sent"


# --- Once -----------------------------------------------------------------------------------


def test_a_transfer_command_run_twice_pays_once(market):
    market.connect()
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")
    message = OutboxMessage.objects.get(key__startswith="transfer:")
    OutboxMessage.objects.filter(pk=message.pk).update(state="pending", done_at=None)
    Transfer.objects.update(status="sending")
    journals = Journal.objects.count()
    transfers.send(message)
    assert Journal.objects.count() == journals
    assert len(set(keys_of(market.stripe, "/transfers"))) == 1
    assert Transfer.objects.get().status == "sent"


@pytest.mark.parametrize(("mode", "times"), [("drop_after", 2), ("error_after", 1)])
def test_r6_stripe_did_it_and_we_never_heard_is_still_one_transfer(market, mode, times):
    market.connect()
    hold = market.held()
    market.stripe.fail_next(mode, on="POST /v1/transfers", times=times)
    holds.release(hold, by=market.client, basis="approval")
    assert Transfer.objects.get().status == "sending"
    try_again()

    transfer = Transfer.objects.get()
    assert transfer.status == "sent"
    assert len(set(keys_of(market.stripe, "/transfers"))) == 1
    assert gateway.find_transfer(
        transfer_group=transfer.funding.transfer_group, command_id=f"transfer:{transfer.ref}:1"
    )
    assert broken_lines() == []


def test_r6_an_error_before_anything_was_done_is_followed_by_a_look_and_a_new_key(market):
    market.connect()
    hold = market.held()
    market.stripe.fail_next("error_before", on="POST /v1/transfers", times=1)
    holds.release(hold, by=market.client, basis="approval")
    try_again()
    try_again()
    assert Transfer.objects.get().status == "sent"
    looks = [r for r in market.stripe.requests if r["path"].startswith("/v1/transfers")]
    assert [r["method"] for r in looks if r["status"] == 200] == ["GET", "POST"]


def test_a_command_older_than_stripes_memory_is_looked_up_before_it_is_repeated(market):
    market.connect()
    hold = market.held()
    market.stripe.fail_next("drop_after", on="POST /v1/transfers", times=2)
    holds.release(hold, by=market.client, basis="approval")
    before = len(keys_of(market.stripe, "/transfers"))
    with time_machine.travel(clock.now() + commands.KEY_LIVES + dt.timedelta(minutes=1), tick=True):
        try_again()
    assert Transfer.objects.get().status == "sent"
    assert len(keys_of(market.stripe, "/transfers")) == before


def test_r15_a_key_with_other_parameters_is_an_alarm_and_never_a_new_key(market, caplog):
    market.connect()
    hold = market.held()
    market.stripe.fail_next("drop_after", on="POST /v1/transfers", times=2)
    holds.release(hold, by=market.client, basis="approval")
    Transfer.objects.update(amount_minor=1_00)
    with caplog.at_level(logging.CRITICAL):
        try_again()
    message = OutboxMessage.objects.get(key__startswith="transfer:")
    assert message.state == "parked"
    assert "other content" in caplog.text
    assert len(set(keys_of(market.stripe, "/transfers"))) == 1


def test_p3_an_account_stripe_has_restricted_keeps_the_money_owed(market):
    account = market.connect()
    hold = market.held()
    market.stripe.restrict(account.stripe_id)
    holds.release(hold, by=market.client, basis="approval")

    transfer = Transfer.objects.get()
    assert (transfer.status, transfer.failure) == (
        "blocked",
        "insufficient_capabilities_for_transfer",
    )
    assert ledger.balance(ledger.payable(hold.payee), "EUR") == eur("92.00")
    assert broken_lines() == []

    market.stripe.complete_onboarding(account.stripe_id)
    payouts.refresh(account)
    transfer.refresh_from_db()
    assert (transfer.status, transfer.attempt) == ("sent", 2)
    assert broken_lines() == []


def test_a_transfer_stripe_refused_waits_for_staff_who_can_send_it_again(market):
    account = market.connect()
    hold = market.held()
    PayoutAccount.objects.update(stripe_id="acct_gone")
    holds.release(hold, by=market.client, basis="approval")
    transfer = Transfer.objects.get()
    assert transfer.status == "failed"
    assert ledger.balance(ledger.payable(hold.payee), "EUR") == eur("92.00")
    assert broken_lines() == []

    PayoutAccount.objects.update(stripe_id=account.stripe_id)
    transfers.retry(transfer, by=StaffFactory())
    transfer.refresh_from_db()
    assert transfer.status == "sent"
    with pytest.raises(InvalidTransition):
        transfers.retry(transfer, by=StaffFactory())


# --- Refunds --------------------------------------------------------------------------------


def test_a_slow_refund_is_at_the_bank_and_then_done(market, client):
    market.refill()
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=SLOW_REFUND_CARD)
    market.hear(client)
    hold.refresh_from_db()
    holds.refund(hold, by=market.client, basis="settlement")
    assert Refund.objects.get().status == "pending"
    assert broken_lines() == []
    market.stripe.move_clock(10)
    market.hear(client)
    assert Refund.objects.get().status == "succeeded"
    assert broken_lines() == []


def test_a_refund_whose_news_got_lost_is_asked_about(market):
    market.refill()
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=SLOW_REFUND_CARD)

    fundings.confirm(started)
    hold.refresh_from_db()
    holds.refund(hold, by=market.client, basis="settlement")
    market.stripe.move_clock(10)
    refunds.look_again(older_than=dt.timedelta(0))
    assert Refund.objects.get().status == "succeeded"


@pytest.mark.parametrize(("mode", "times"), [("drop_after", 2), ("error_after", 1)])
def test_a_refund_stripe_did_and_we_never_heard_of_is_one_refund(market, mode, times):
    market.refill()
    hold = market.held()
    market.stripe.fail_next(mode, on="POST /v1/refunds", times=times)
    holds.refund(hold, by=market.client, basis="settlement")
    try_again()
    refund = Refund.objects.get()
    assert refund.status == "succeeded"
    assert gateway.retrieve_charge(refund.funding.charge_id).refunded_minor == 103_00
    assert broken_lines() == []


# --- The payee's account --------------------------------------------------------------------


def start(market, **changes):
    asked = {
        "by": market.freelancer,
        "country": "DE",
        "refresh_url": "http://127.0.0.1:8000/r/",
        "return_url": "http://127.0.0.1:8000/b/",
    }
    return payouts.onboarding_url(market.freelancer.party, **(asked | changes))


def test_two_clicks_make_one_account_and_every_visit_a_new_link(market):
    links = []
    assert together(lambda _number: links.append(start(market)), 2) == ["ok", "ok"]
    links.append(start(market))
    assert len(set(links)) == 3
    assert len(set(keys_of(market.stripe, "/accounts"))) == 1
    account = PayoutAccount.objects.get()
    assert account.stripe_id
    assert not account.can_receive
    assert missing(account)


def test_while_stripe_is_away_nothing_is_changed_and_the_person_is_told(market):
    market.stripe.fail_next("drop_before", times=2)
    with pytest.raises(payouts.StripeAway, match="Nothing was changed"):
        start(market)
    assert PayoutAccount.objects.get().stripe_id == ""


def test_after_an_error_of_stripes_the_next_click_opens_the_account_under_a_new_key(market):
    """The old key would bring the same error for a day."""
    market.stripe.fail_next("error_after", on="POST /v1/accounts")
    with pytest.raises(payouts.StripeAway):
        start(market)
    assert start(market)
    assert PayoutAccount.objects.get().stripe_id
    assert len(keys_of(market.stripe, "/accounts")) == 2
    assert len(set(keys_of(market.stripe, "/accounts"))) == 2


def test_a_country_stripe_does_not_serve_is_refused_in_words(market):
    with pytest.raises(DomainError, match="cannot pay out to this country"):
        start(market, country="ZZ")


def test_looking_without_news_writes_nothing(market):
    account = market.connect()
    before = account.changed_at
    payouts.refresh(account)
    assert account.changed_at == before
    assert Notice.objects.filter(kind="payout_ready").count() == 1


def test_the_payee_is_told_when_stripe_stops_and_starts_paying(market):
    account = market.connect()
    market.stripe.restrict(account.stripe_id)
    payouts.refresh(account)
    assert not account.can_receive
    kinds = Notice.objects.filter(user=market.freelancer).values_list("kind", flat=True)
    assert sorted(kinds) == ["payout_ready", "payout_stopped"]
