"""Payouts within minutes (rule M10): to whom they are offered, what they cost, and what if not."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Notice
from marketplace.core import clock
from marketplace.core.errors import InvalidInput, NotAllowed
from payments import gateway
from payments.models import BankDetails, Entry, Payout, PayoutAccount, PlatformPolicy
from payments.services import bank_payouts, instant, payouts, reconciliation
from tests.factories import UserFactory
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import OTHER_BANK

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)
HALF_AN_HOUR = 1800
PAYOUTS = "/v1/payouts"
AT_ONCE = {"security_hold_by_tier": False, "security_hold_days": 0}


@pytest.fixture
def account(market):
    """An old account with €92.00 that can go to the bank."""
    account = market.earn()
    grow_old(account)
    payouts.look(account)
    return PayoutAccount.objects.get(pk=account.pk)


def grow_old(account, days=8):
    """As if the payee had set it up so long ago."""
    then = clock.now() - days * DAY
    PayoutAccount.objects.filter(pk=account.pk).update(created_at=then)
    BankDetails.objects.filter(account=account).update(seen_at=then)


def at_once(market, account, amount="91.08", fee="0.92", *, key="k1", by=None):
    return bank_payouts.pay_out_at_once(
        account, by=by or market.freelancer, amount=eur(amount), fee=eur(fee), key=key
    )


def signed_in(client, market):
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    return client


def asked_for(market):
    posts = [r for r in market.stripe.requests if (r["method"], r["path"]) == ("POST", PAYOUTS)]
    return [post["params"].get("method") for post in posts]


def fees_of(*kinds):
    legs = Entry.objects.filter(account__role="stripe_fees", journal__kind__in=kinds)
    return list(legs.values_list("amount", flat=True))


def test_the_button_says_what_arrives_and_what_it_costs_and_the_fee_is_in_the_books(
    market, client, account
):
    page = signed_in(client, market).get(reverse("payments:payout-setup"))
    assert "Pay out €91.08 within 30 minutes for €0.92" in page.content.decode()
    offer = {"amount": "9108", "fee": "92", "currency": "EUR", "key": "offer:EUR:at-once"}

    for _click in range(2):
        answer = client.post(reverse("payments:pay-out-at-once"), offer)
        assert answer.status_code == 303
    market.work()
    for _step in ("handed to the bank", "there"):
        market.stripe.move_clock(HALF_AN_HOUR // 2)
        market.hear(client)

    payout = Payout.objects.get()
    assert (payout.status, payout.amount, payout.fee) == ("paid", eur("91.08"), eur("0.92"))
    assert payout.at_once
    assert gateway.balance(account=account.stripe_id) == {"EUR": 0}
    assert "€0.92 for arriving at once" in client.get(reverse("payments:payouts")).content.decode()
    report = reconciliation.reconcile()
    assert (report.differences, report.under_way) == ([], [])
    assert sorted(fees_of("application_fee", "service_fee")) == [-92, 92]
    assert reconciliation.reconcile().caught_up == 0


def test_it_is_offered_only_where_nothing_waits_and_nothing_is_new(market, account):
    assert [(one.amount, one.fee) for one in instant.offers(account)] == [
        (eur("91.08"), eur("0.92"))
    ]

    grow_old(account, days=6)
    young = PayoutAccount.objects.get(pk=account.pk)
    assert instant.offers(young) == []
    with pytest.raises(InvalidInput, match="has changed"):
        at_once(market, young)

    grow_old(account)
    BankDetails.objects.filter(account=account).update(seen_at=clock.now() - 6 * DAY)
    assert instant.offers(PayoutAccount.objects.get(pk=account.pk)) == []

    grow_old(account)
    old = PayoutAccount.objects.get(pk=account.pk)
    assert instant.offers(old)
    for rules in ({"security_hold_by_tier": True}, {"instant_payouts": False}):
        with transaction.atomic():
            PlatformPolicy.objects.create(starts_at=clock.now(), **AT_ONCE | rules)
            assert instant.offers(old) == []
            # Policies are written once: this one must not stay for other tests.
            transaction.set_rollback(True)
    with transaction.atomic():
        PlatformPolicy.objects.create(starts_at=clock.now(), **AT_ONCE)
        assert instant.offers(old)
        transaction.set_rollback(True)
    assert not Payout.objects.exists()


def test_a_bank_that_cannot_take_it_so_gets_it_the_normal_way_without_a_fee(
    market, client, account
):
    market.stripe.change_bank(account.stripe_id, OTHER_BANK)
    market.trust_bank(client)
    grow_old(account)
    payouts.look(account)

    at_once(market, account)
    market.work()

    payout = Payout.objects.get()
    assert (payout.at_once, payout.fee, payout.attempt) == (False, eur("0.00"), 2)
    assert (payout.status, payout.amount) == ("pending", eur("91.08"))
    # The normal way is not named: what was asked before there were two is asked again as it was.
    assert asked_for(market) == ["instant", None]
    told = Notice.objects.filter(user=market.freelancer, kind="payout_not_at_once")
    assert told.count() == 1
    assert gateway.balance(account=account.stripe_id) == {"EUR": 92}
    assert reconciliation.reconcile().differences == []


def test_nobody_pays_a_fee_they_have_not_read_or_for_somebody_else(market, account):
    for amount, fee in (("91.08", "0.91"), ("92.00", "0.92"), ("10.00", "0.40")):
        with pytest.raises(InvalidInput, match="has changed"):
            at_once(market, account, amount, fee)
    with pytest.raises(NotAllowed):
        at_once(market, account, by=UserFactory())
    with pytest.raises(IntegrityError, match="payout_fee_is_for_speed"), transaction.atomic():
        Payout.objects.create(
            account=account, stripe_id="po_x", amount_minor=100, currency="EUR", fee_minor=1
        )
    assert not Payout.objects.exists()


def test_a_threshold_that_is_reached_does_not_send_it_the_slow_way_first(market, account):
    PayoutAccount.objects.filter(pk=account.pk).update(
        interval="manual", threshold_minor=50_00, threshold_currency="EUR"
    )
    account.refresh_from_db()

    at_once(market, account)

    assert [payout.at_once for payout in Payout.objects.all()] == [True]
    bank_payouts.learn_available(account)
    assert Payout.objects.count() == 1


def test_two_ways_at_the_same_moment_do_not_send_the_same_money_twice(market, account):
    def ask(number):
        if number:
            return at_once(market, account, key="a")
        return bank_payouts.pay_out(account, by=market.freelancer, amount=eur("92.00"), key="b")

    assert sorted(together(ask, 2)) == ["InvalidInput", "ok"]
    assert Payout.objects.count() == 1


def test_what_does_not_arrive_comes_back_with_its_fee(market, client, account):
    at_once(market, account)
    market.work()
    payout = Payout.objects.get()

    market.stripe.fail_payout(payout.stripe_id, "account_closed")
    market.hear(client)

    payout.refresh_from_db()
    assert payout.status == "failed"
    assert gateway.balance(account=account.stripe_id) == {"EUR": 92_00}
    assert reconciliation.reconcile().differences == []
    assert sorted(fees_of("application_fee", "application_fee_refund")) == [-92, 92]
    assert sum(fees_of("service_fee")) == 0
