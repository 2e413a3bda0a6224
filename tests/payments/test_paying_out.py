"""When payees are paid out: by a schedule of theirs, or when they ask for it, once."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Notice
from marketplace.core import outbox
from marketplace.core.errors import InvalidInput, NotAllowed
from marketplace.core.models import OutboxMessage
from payments import gateway
from payments.models import Payout, PayoutAccount
from payments.services import bank_payouts, holds, payouts, schedules
from tests.factories import UserFactory
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import OTHER_BANK

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
DAY = 24 * 3600


@pytest.fixture
def account(market):
    """The freelancer's account with €92.00 that can go to their bank."""
    return market.earn()


def pay_out(market, account, amount="92.00", key="k1"):
    return bank_payouts.pay_out(account, by=market.freelancer, amount=eur(amount), key=key)


def posts(market, path):
    return [r for r in market.stripe.requests if (r["method"], r["path"]) == ("POST", path)]


def try_again():
    OutboxMessage.objects.filter(state="pending").update(due_at=LONG_AGO)
    outbox.deliver_due()


def signed_in(client, market):
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    return client


# --- On demand ------------------------------------------------------------------------------


def test_money_that_is_ready_goes_to_the_bank_when_the_payee_says_so(market, client, account):
    payouts.look(account)
    page = signed_in(client, market).get(reverse("payments:payout-setup"))
    assert "Pay out €92.00 now" in page.content.decode()

    offer = {"amount": "9200", "currency": "EUR", "key": f"{page.context['offer']}:EUR"}
    answer = client.post(reverse("payments:pay-out"), offer)
    assert (answer.status_code, answer["Location"]) == (303, reverse("payments:payouts"))
    payout = Payout.objects.get()
    assert (payout.status, payout.automatic, payout.amount) == ("pending", False, eur("92.00"))
    assert payout.stripe_id
    market.hear(client)
    assert Payout.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", [{"currency": "XXY"}, {"amount": "0"}, {"amount": "9" * 40}, {"key": ""}]
)
def test_an_offer_nobody_made_is_refused_on_the_page(market, client, account, wrong):
    offer = {"amount": "9200", "currency": "EUR", "key": "k"} | wrong

    answer = signed_in(client, market).post(reverse("payments:pay-out"), offer)

    assert answer["Location"] == reverse("payments:payout-setup")
    assert not Payout.objects.exists()


def test_p2_more_than_there_is_is_refused_in_words_and_stripe_is_not_asked(market, client, account):
    with pytest.raises(InvalidInput, match=r"€92\.00 can go to your bank now"):
        pay_out(market, account, "92.01")
    assert not Payout.objects.exists()
    assert posts(market, "/v1/payouts") == []

    offer = {"amount": "9201", "currency": "EUR", "key": "k"}
    client = signed_in(client, market)
    told = client.post(reverse("payments:pay-out"), offer, follow=True).content.decode()
    assert "€92.00 can go to your bank now" in told


def test_p2_money_that_is_still_pending_cannot_be_paid_out(market, client):
    account = market.connect()
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")
    with pytest.raises(InvalidInput, match=r"€0\.00 can go to your bank now"):
        pay_out(market, account, "1.00")


def test_p2_a_second_click_is_the_same_payout(market, account):
    made = []
    outcomes = together(lambda _number: made.append(pay_out(market, account)), 2)
    assert outcomes == ["ok", "ok"]
    assert len({payout.pk for payout in made}) == 1
    assert len({request["key"] for request in posts(market, "/v1/payouts")}) == 1
    assert gateway.available(account=account.stripe_id) == {"EUR": 0}


def test_p2_two_windows_cannot_pay_out_the_same_money_twice(market, account):
    outcomes = together(lambda number: pay_out(market, account, key=f"k{number}"), 3)
    assert "ok" in outcomes
    sent = Payout.objects.exclude(status="refused")
    assert [payout.amount for payout in sent] == [eur("92.00")]
    assert gateway.available(account=account.stripe_id) == {"EUR": 0}


def test_rc_03_while_one_payout_is_being_asked_for_its_money_is_not_offered_again(market, account):
    market.stripe.fail_next("drop_before", on="POST /v1/payouts", times=2)
    pay_out(market, account, "60.00", key="a")
    assert Payout.objects.get().status == "requested"
    with pytest.raises(InvalidInput, match=r"€32\.00 can go to your bank now"):
        pay_out(market, account, "60.00", key="b")
    pay_out(market, account, "32.00", key="c")


def test_money_that_went_meanwhile_leaves_a_payout_that_says_so(market, client, account):
    market.stripe.fail_next("drop_before", on="POST /v1/payouts", times=2)
    pay_out(market, account)
    market.stripe.pay_out_of(account.stripe_id, eur("50.00"))
    try_again()

    payout = Payout.objects.get()
    assert (payout.status, payout.failure) == ("refused", "balance_insufficient")
    assert Notice.objects.filter(user=market.freelancer, kind="payout_refused").count() == 1
    page = signed_in(client, market).get(reverse("payments:payouts")).content.decode()
    assert "The money was not there any more when it should leave." in page
    pay_out(market, account, "42.00", key="k2")
    assert Payout.objects.get(asked_as="k2").status == "pending"


@pytest.mark.parametrize(("mode", "times"), [("drop_after", 2), ("error_after", 1)])
def test_stripe_did_it_and_we_never_heard_is_still_one_payout(market, account, mode, times):
    market.stripe.fail_next(mode, on="POST /v1/payouts", times=times)
    pay_out(market, account)
    assert Payout.objects.get().status == "requested"
    try_again()
    assert Payout.objects.get().status == "pending"
    assert len({request["key"] for request in posts(market, "/v1/payouts")}) == 1


def test_news_that_is_quicker_than_the_answer_finds_the_same_row(market, client, account):
    market.stripe.fail_next("drop_after", on="POST /v1/payouts", times=2)
    asked = pay_out(market, account)
    market.hear(client)
    payout = Payout.objects.get()
    assert (payout.pk, payout.status) == (asked.pk, "pending")
    try_again()
    assert not OutboxMessage.objects.filter(topic="stripe", state="pending").exists()


def test_nobody_else_can_pay_it_out(market, account):
    with pytest.raises(NotAllowed):
        bank_payouts.pay_out(account, by=UserFactory(), amount=eur("1.00"), key="k")


def test_while_stripe_is_away_nothing_is_asked_for(market, account):
    market.stripe.fail_next("drop_before", on="GET /v1/balance", times=2)
    with pytest.raises(bank_payouts.StripeAway):
        pay_out(market, account)
    assert not Payout.objects.exists()


def test_to_a_bank_that_sent_money_back_nothing_is_paid_out(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    market.stripe.fail_payout(stripe_id)
    market.hear(client)
    with pytest.raises(bank_payouts.PayoutsPaused, match="other bank details"):
        pay_out(market, account)
    assert gateway.payout_schedule(account=account.stripe_id) == "manual"
    market.stripe.change_bank(account.stripe_id, OTHER_BANK)


def test_a_payout_comes_through_the_api_once(market, client, account):
    client = signed_in(client, market)

    def ask(amount, key):
        return client.post(
            "/api/v1/payouts/",
            {"amount": amount, "currency": "EUR"},
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    first, again = ask("92", "one"), ask("92", "one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first.json()["amount"], first.json()["status"]) == ("92.00", "pending")
    assert Payout.objects.count() == 1
    assert ask("92", "two").status_code == 400
    assert ask("12.345", "three").status_code == 400


# --- By a schedule --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "there"),
    [
        ({"interval": "weekly", "weekday": "friday", "month_day": 3}, "weekly:friday"),
        ({"interval": "monthly", "month_day": 31}, "monthly:31"),
        ({"interval": "manual"}, "manual"),
    ],
)
def test_the_chosen_schedule_is_set_at_stripe(market, account, choice, there):
    schedules.choose(account, by=market.freelancer, **choice)
    assert gateway.payout_schedule(account=account.stripe_id) == there
    account.refresh_from_db()
    assert account.schedule_set == account.schedule_asked == there
    schedules.choose(account, by=market.freelancer, interval="daily")
    assert gateway.payout_schedule(account=account.stripe_id) == "daily"


@pytest.mark.parametrize(
    "choice",
    [
        {"interval": "hourly"},
        {"interval": "weekly"},
        {"interval": "weekly", "weekday": "sunday"},
        {"interval": "monthly", "month_day": 32},
        {"interval": "monthly"},
        {"interval": "manual", "threshold": eur("0.00")},
    ],
)
def test_a_schedule_that_cannot_be_is_refused(market, account, choice):
    with pytest.raises(InvalidInput):
        schedules.choose(account, by=market.freelancer, **choice)
    assert posts(market, "/v1/balance_settings") == []


def test_only_who_manages_the_account_chooses(market, account):
    with pytest.raises(NotAllowed):
        schedules.choose(account, by=market.client, interval="manual")


@pytest.mark.parametrize(
    "wrong", [{"weekday": "monday"}, {"interval": "weekly"}, {"threshold_minor": 5}]
)
def test_the_database_refuses_half_a_schedule(account, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutAccount.objects.update(**wrong)


def test_on_demand_stripe_pays_nothing_out_by_itself(market, account):
    schedules.choose(account, by=market.freelancer, interval="manual")
    market.stripe.switch(automatic_payouts=True)
    market.stripe.move_clock(DAY)
    assert gateway.list_payouts(account=account.stripe_id, since=LONG_AGO) == []


def test_from_the_threshold_on_it_goes_by_itself(market, client, account):
    schedules.choose(account, by=market.freelancer, interval="manual", threshold=eur("92.01"))
    bank_payouts.learn_available(account)
    assert not Payout.objects.exists()
    schedules.choose(account, by=market.freelancer, interval="manual", threshold=eur("92.00"))
    bank_payouts.learn_available(account)
    bank_payouts.learn_available(account)
    assert [(one.amount, one.status) for one in Payout.objects.all()] == [(eur("92.00"), "pending")]


def test_the_last_word_wins_when_stripe_was_away_for_the_first(market, account):
    market.stripe.fail_next("drop_before", on="POST /v1/balance_settings", times=2)
    schedules.choose(account, by=market.freelancer, interval="manual")
    schedules.choose(account, by=market.freelancer, interval="monthly", month_day=5)
    try_again()
    assert gateway.payout_schedule(account=account.stripe_id) == "monthly:5"
    answered = [r for r in posts(market, "/v1/balance_settings") if r["status"] == 200]
    assert len(answered) == 1
    assert not OutboxMessage.objects.filter(topic="stripe", state="pending").exists()


def test_a_late_command_that_undid_a_newer_one_is_followed_by_the_newer(market, account):
    schedules.choose(account, by=market.freelancer, interval="manual")
    late = OutboxMessage.objects.get(key__startswith="payout_schedule:")
    schedules.choose(account, by=market.freelancer, interval="monthly", month_day=5)
    # The first request reaches Stripe only now.
    gateway.set_payout_schedule("manual", account=account.stripe_id, key="late")
    schedules._set(account.pk, "manual", late)
    assert gateway.payout_schedule(account=account.stripe_id) == "monthly:5"
    account.refresh_from_db()
    assert account.schedule_set == "monthly:5"


def test_a_schedule_changed_behind_our_back_is_set_again(market, account):
    schedules.choose(account, by=market.freelancer, interval="manual")
    gateway.set_payout_schedule("daily", account=account.stripe_id, key="elsewhere")
    payouts.look(account)
    assert gateway.payout_schedule(account=account.stripe_id) == "manual"


def test_the_page_takes_the_choice_and_says_it(market, client, account):
    client = signed_in(client, market)
    url = reverse("payments:payout-schedule")
    assert client.get(url).status_code == 200
    wrong = client.post(url, {"interval": "weekly"})
    assert wrong.status_code == 422
    assert "Choose a day from Monday to Friday" in wrong.content.decode()
    right = client.post(url, {"interval": "manual", "threshold": "250"}, follow=True)
    assert "by itself as soon as €250.00 is ready" in right.content.decode()
    account.refresh_from_db()
    assert account.threshold == eur("250.00")


# --- A schedule Stripe refused (O8) ---------------------------------------------------------


def refused_schedule(market, account):
    """A choice Stripe never took: its command waits for a person, as after a final no."""
    market.stripe.fail_next("drop_before", on="POST /v1/balance_settings", times=2)
    schedules.choose(account, by=market.freelancer, interval="weekly", weekday="monday")
    waits = OutboxMessage.objects.filter(key__startswith="payout_schedule:", state="pending")
    assert waits.update(state="parked") == 1


def test_o8_a_schedule_that_was_refused_is_asked_for_again_at_the_next_look(market, account):
    refused_schedule(market, account)
    payouts.look(account)
    outbox.deliver_due()
    account.refresh_from_db()
    assert account.schedule_set == account.schedule_asked == "weekly:monday"
    assert gateway.payout_schedule(account=account.stripe_id) == "weekly:monday"
    asked = account.schedule_attempt
    payouts.look(account)
    account.refresh_from_db()
    assert account.schedule_attempt == asked


def test_o8_a_look_that_finds_it_set_asks_for_nothing(market, account):
    refused_schedule(market, account)
    gateway.set_payout_schedule("weekly:monday", account=account.stripe_id, key="by hand")
    before = account.schedule_attempt
    payouts.look(account)
    account.refresh_from_db()
    assert account.schedule_set == "weekly:monday"
    assert account.schedule_attempt == before
