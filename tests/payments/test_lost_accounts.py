"""Accounts that stop: what is owed stays owed, nothing is sent, people and staff are called."""

import pytest
from django.urls import reverse

from accounts.models import Notice
from marketplace.core.errors import InvalidTransition, NotAllowed
from marketplace.core.models import OutboxMessage
from payments import gateway, ledger
from payments.models import PayoutAccount, PayoutAlert, Transfer
from payments.selectors.payouts import missing, overdue, why_disabled
from payments.services import alerts, due, holds, payouts, schedules
from tests.factories import StaffFactory
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


def stop(market, account, how):
    {"reject": market.stripe.reject, "restrict": market.stripe.restrict,
     "cut_off": market.stripe.cut_off}[how](account.stripe_id)  # fmt: skip


def come_back(market, account, how):
    if how == "cut_off":
        market.stripe.connect_again(account.stripe_id)
    else:
        market.stripe.complete_onboarding(account.stripe_id)


def page_of(client, market):
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    return client.get(reverse("payments:payout-setup")).content.decode()


@pytest.mark.parametrize("how", ["cut_off", "reject", "restrict"])
def test_p3_an_account_that_stopped_keeps_what_is_owed_calls_staff_and_goes_on_by_itself(
    market, client, how
):
    staff = StaffFactory()
    account = market.connect()
    hold = market.held()
    stop(market, account, how)
    market.hear(client)
    assert not PayoutAlert.objects.exists()
    before = len(market.stripe.requests)

    holds.release(hold, by=market.client, basis="approval")
    due.run()

    assert Transfer.objects.get().status == "blocked"
    assert ledger.balance(ledger.payable(hold.payee), "EUR") == eur("92.00")
    asked = [r["path"] for r in market.stripe.requests[before:] if r["method"] == "POST"]
    assert asked == []
    alert = PayoutAlert.objects.get()
    assert (alert.kind, alert.closed_at) == ("stopped", None)
    assert Notice.objects.filter(user=staff, kind="payout_alert_stopped").count() == 1
    kind = "payout_account_lost" if how == "cut_off" else "payout_stopped"
    assert Notice.objects.filter(user=market.freelancer, kind=kind).count() == 1

    come_back(market, account, how)
    market.hear(client)
    alert.refresh_from_db()
    assert Transfer.objects.get().status == "sent"
    assert ledger.balance(ledger.payable(hold.payee), "EUR") == eur("0.00")
    assert alert.closed_at


def test_p3_money_that_was_owed_before_the_account_stopped_calls_staff_at_once(market, client):
    account = market.connect()
    hold = market.held()
    market.stripe.restrict(account.stripe_id)
    # We have not heard yet, so Stripe refuses.
    holds.release(hold, by=market.client, basis="approval")
    assert Transfer.objects.get().status == "blocked"
    assert PayoutAlert.objects.get().closed_at is None


def test_somebody_who_never_set_up_payouts_is_no_alarm(market):
    holds.release(market.held(), by=market.client, basis="approval")
    assert Transfer.objects.get().status == "blocked"
    assert not PayoutAlert.objects.exists()


def test_what_no_event_told_the_daily_look_finds(market):
    account = market.connect()
    market.stripe.cut_off(account.stripe_id)
    market.stripe.drain()
    due.run()
    PayoutAccount.objects.update(look_at=account.created_at)
    due.run()
    account.refresh_from_db()
    assert account.is_lost
    assert not account.can_receive


def test_a_payee_whose_account_was_cut_off_opens_another_one(market, client):
    account = market.connect()
    lost = account.stripe_id
    hold = market.held()
    market.stripe.cut_off(lost)
    market.hear(client)
    holds.release(hold, by=market.client, basis="approval")
    assert "Set up payouts again" in page_of(client, market)

    again = market.connect()
    assert again.pk == account.pk
    assert again.stripe_id != lost
    transfer = Transfer.objects.get()
    assert (transfer.status, transfer.destination) == ("sent", again.stripe_id)
    assert not PayoutAlert.objects.filter(closed_at=None).exists()


def test_who_comes_to_change_details_before_we_heard_is_told_and_can_start_anew(market, client):
    account = market.connect()
    market.stripe.cut_off(account.stripe_id)
    page_of(client, market)
    url = reverse("payments:payout-setup")
    refused = client.post(url)
    assert refused.status_code == 422
    assert "no longer connected" in refused.content.decode()
    account.refresh_from_db()
    assert account.is_lost
    assert client.post(url, {"country": "DE"}).status_code == 303


def test_while_an_account_is_lost_its_schedule_is_not_set_and_afterwards_it_is(market, client):
    account = market.connect()
    market.stripe.cut_off(account.stripe_id)
    market.hear(client)
    account.refresh_from_db()
    schedules.choose(account, by=market.freelancer, interval="manual")
    assert not OutboxMessage.objects.filter(key__startswith="payout_schedule").exists()
    market.stripe.connect_again(account.stripe_id)
    market.hear(client)
    assert gateway.payout_schedule(account=account.stripe_id) == "manual"


def test_following_an_old_link_forgets_no_account(market, client):
    account = market.connect()
    market.stripe.cut_off(account.stripe_id)
    market.hear(client)
    page_of(client, market)

    answer = client.get(reverse("payments:payout-refresh"))

    assert answer["Location"] == reverse("payments:payout-setup")
    assert PayoutAccount.objects.get().stripe_id == account.stripe_id


def test_stripes_reasons_and_wishes_are_said_in_our_words(market, client):
    account = market.connect()
    market.stripe.restrict(account.stripe_id)
    payouts.refresh(account)
    assert missing(account) == overdue(account) == ["A picture of an identity document"]
    assert "asked for something" in why_disabled(account)
    assert "pays nothing out before it has it" in page_of(client, market)

    market.stripe.reject(account.stripe_id)
    payouts.refresh(account)
    assert "Write to us" in why_disabled(account)
    assert "closed your account" in page_of(client, market)


def test_a_deadline_is_shown_while_payouts_still_go(market, client):
    account = market.connect()
    market.stripe.ask_for_document(account.stripe_id, seconds=7 * 24 * 3600)
    payouts.refresh(account)
    assert account.deadline
    assert account.can_receive
    text = page_of(client, market)
    assert "and pays out until then" in text
    assert "A picture of an identity document" in text


def test_a_member_of_staff_takes_an_alert(market, client):
    account = market.connect()
    staff = StaffFactory()
    alerts.call(account, "stopped")
    alerts.call(account, "stopped")
    alert = PayoutAlert.objects.get()
    with pytest.raises(NotAllowed):
        alerts.take(alert, by=market.client)
    alerts.take(alert, by=staff)
    alert.refresh_from_db()
    assert alert.owner == staff
    alerts.over(account, "stopped")
    with pytest.raises(InvalidTransition):
        alerts.take(alert, by=staff)
