"""The last way of money: from the payee's account at Stripe to their bank, and sometimes back."""

import datetime as dt

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Notice
from marketplace.core import clock
from payments import gateway
from payments.models import BankDetails, Payout, PayoutAccount, StripeEvent
from payments.services import bank_payouts, due, holds, payouts
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import MISSING_BANK, OTHER_BANK

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600


@pytest.fixture
def account(market):
    """The freelancer's account with €92.00 that can go to their bank."""
    return market.earn()


def kinds(market):
    told = Notice.objects.filter(user=market.freelancer, kind__startswith="payout_")
    return sorted(told.exclude(kind="payout_ready").values_list("kind", flat=True))


def test_a_payout_is_seen_on_its_whole_way_to_the_bank(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.hear(client)
    payout = Payout.objects.get()
    assert (payout.status, payout.amount, payout.stripe_id) == ("pending", eur("92.00"), stripe_id)
    assert str(payout.bank) == "STRIPE TEST BANK ••3000"
    assert payout.arrives_on > payout.created_at.date()

    market.stripe.send_payout(stripe_id)
    market.hear(client)
    payout.refresh_from_db()
    assert payout.status == "in_transit"
    assert kinds(market) == []

    market.stripe.arrive_payout(stripe_id)
    market.hear(client)
    payout.refresh_from_db()
    assert payout.status == "paid"
    assert payout.paid_at
    assert kinds(market) == ["payout_arrived"]


def test_a_payout_that_had_arrived_can_still_come_back(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.stripe.send_payout(stripe_id)
    market.stripe.arrive_payout(stripe_id)
    market.hear(client)
    mail.outbox.clear()

    market.stripe.fail_payout(stripe_id, "account_closed")
    market.hear(client)
    market.work()

    payout = Payout.objects.get()
    assert (payout.status, payout.failure) == ("failed", "account_closed")
    assert payout.paid_at
    assert "closed" in payout.why
    assert BankDetails.objects.get().errored
    assert kinds(market) == ["payout_arrived", "payout_failed"]
    (letter,) = [one for one in mail.outbox if "sent €92.00 back" in one.subject]
    assert "ends in 3000" in letter.body
    # Nothing more goes there.
    assert market.stripe.pay_out(account.stripe_id) == []

    page = client_of(client, market).get(reverse("payments:payout-setup")).content.decode()
    assert "came back" in page
    assert "Came back from the bank" in client.get(reverse("payments:payouts")).content.decode()


def test_new_bank_details_end_what_the_failure_stopped(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.stripe.fail_payout(stripe_id)
    market.hear(client)

    market.stripe.change_bank(account.stripe_id, OTHER_BANK)
    market.trust_bank(client)

    old, new = BankDetails.objects.order_by("pk")
    assert (old.last4, old.errored, old.replaced_at is None) == ("3000", True, False)
    assert (new.last4, new.errored, new.replaced_at) == ("6199", False, None)
    (again,) = market.stripe.pay_out(account.stripe_id)
    market.hear(client)
    assert Payout.objects.get(stripe_id=again).bank == new
    assert Payout.objects.get(stripe_id=stripe_id).bank == old


def test_a_payout_that_is_called_off_is_told_and_its_money_is_back(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.stripe.cancel_payout(stripe_id)
    market.hear(client)
    assert Payout.objects.get().status == "canceled"
    assert kinds(market) == ["payout_canceled"]
    assert gateway.balance(account=account.stripe_id) == {"EUR": 92_00}


def test_by_itself_the_sandbox_pays_out_daily_and_a_missing_bank_sends_the_money_back(
    market, client, account
):
    market.stripe.change_bank(account.stripe_id, MISSING_BANK)
    market.trust_bank(client)
    market.stripe.switch(automatic_payouts=True)
    statuses = []
    for seconds in (4 * DAY, 3600, 2 * DAY, DAY):
        market.stripe.move_clock(seconds)
        market.hear(client)
        statuses.append(Payout.objects.get().status)
    assert statuses == ["pending", "in_transit", "paid", "failed"]
    assert Payout.objects.get().failure == "no_account"


# --- However Stripe tells it ------------------------------------------------------------------


def test_turned_round_and_doubled_events_end_the_same(market, client, account):
    market.stripe.switch(reorder=True, duplicate=1)
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.stripe.send_payout(stripe_id)
    market.stripe.arrive_payout(stripe_id)
    assert set(market.hear(client)) == {200}
    assert Payout.objects.get().status == "paid"
    assert kinds(market) == ["payout_arrived"]


def test_an_old_answer_does_not_turn_a_payout_back(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    early = gateway.retrieve_payout(stripe_id, account=account.stripe_id)
    market.stripe.send_payout(stripe_id)
    market.stripe.arrive_payout(stripe_id)
    market.hear(client)
    bank_payouts.record(account, early)
    assert Payout.objects.get().status == "paid"


def test_a_status_nobody_knows_is_kept_out(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    told = gateway.retrieve_payout(stripe_id, account=account.stripe_id)
    bank_payouts.record(account, gateway.Payout(**{**vars(told), "status": "on_the_moon"}))
    assert Payout.objects.get().status == "pending"


def test_w5_what_no_webhook_told_the_daily_look_finds(market, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.stripe.send_payout(stripe_id)
    market.stripe.arrive_payout(stripe_id)
    market.stripe.drain()

    PayoutAccount.objects.update(look_at=clock.days_from_now(1))
    due.run()
    assert not Payout.objects.exists()
    PayoutAccount.objects.update(look_at=clock.now())
    due.run()
    assert Payout.objects.get().status == "paid"
    account.refresh_from_db()
    assert account.look_at > clock.now() + dt.timedelta(hours=23)


def test_while_a_payout_is_on_its_way_we_look_more_often(market, client, account):
    market.stripe.pay_out(account.stripe_id)
    market.hear(client)
    PayoutAccount.objects.update(look_at=clock.now())
    due.run()
    account.refresh_from_db()
    assert account.look_at < clock.now() + dt.timedelta(hours=7)


def test_two_sweeps_at_once_look_once(market, account):
    PayoutAccount.objects.update(look_at=clock.now())
    before = len(market.stripe.requests)
    assert set(together(lambda _number: payouts.look_again(), 3)) == {"ok"}
    asked = [r["path"] for r in market.stripe.requests[before:]]
    assert asked.count("/v1/payouts") == 1


def test_a_payout_of_our_own_account_or_of_a_stranger_is_none_of_our_rows(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    PayoutAccount.objects.update(stripe_id="acct_other")
    market.hear(client)
    assert not Payout.objects.exists()
    assert not StripeEvent.objects.exclude(state="done").filter(object_id=stripe_id).exists()


# --- Rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 0},
        {"status": "sent"},
        {"status": "paid", "paid_at": None},
        {"status": "failed", "ended_at": None},
        {"ended_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_the_database_refuses_a_payout_that_cannot_be(market, client, account, wrong):
    market.stripe.pay_out(account.stripe_id)
    market.hear(client)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.update(**wrong)


def test_of_each_currency_one_bank_is_in_use(account):
    bank = BankDetails.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        BankDetails.objects.create(account=account, stripe_id="ba_2", currency=bank.currency)


# --- Seen -------------------------------------------------------------------------------------


def client_of(client, market):
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    return client


def test_earnings_show_the_payout_with_its_bank_and_day(market, client, account):
    market.stripe.pay_out(account.stripe_id)
    market.hear(client)
    page = client_of(client, market).get(reverse("payments:earnings")).content.decode()
    assert "Latest payouts to your bank" in page
    assert "STRIPE TEST BANK ••3000" in page
    assert "Expected in your bank" in page


def test_payouts_come_as_json_page_by_page(market, client, account):
    market.stripe.pay_out(account.stripe_id)
    holds.release(market.held("50.00"), by=market.client, basis="approval")
    market.stripe.move_clock(2 * DAY)
    market.stripe.pay_out(account.stripe_id)
    market.hear(client)
    answer = client_of(client, market).get("/api/v1/payouts/").json()
    assert [(row["amount"], row["status"]) for row in answer["results"]] == [
        ("46.00", "pending"),
        ("92.00", "in_transit"),
    ]
    assert answer["results"][0]["bank"] == "STRIPE TEST BANK ••3000"
    last = answer["results"][0]["ref"]
    rest = client.get(f"/api/v1/payouts/?after={last}").json()
    assert [row["amount"] for row in rest["results"]] == ["92.00"]
