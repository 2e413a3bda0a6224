"""What Stripe tells us: believed only when signed, kept once, read when it can be."""

import json
import logging
import time

import pytest
import stripe
from django.urls import reverse

from marketplace.core import clock
from payments import gateway, ledger
from payments.models import Funding, Journal, PayoutAccount, StripeEvent
from payments.services import inbox, payouts, reconciliation
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import WEBHOOK_SECRET

pytestmark = pytest.mark.django_db(transaction=True)

HOOK = "/stripe/webhook/"


def event_body(**changes):
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "topup.succeeded",
        "created": int(time.time()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"object": "balance"}},
    }
    return json.dumps(event | changes).encode()


def signature(body, *, at=0, secrets=(WEBHOOK_SECRET,), scheme="v1"):
    moment = int(time.time()) + at
    signed = (
        stripe.WebhookSignature._compute_signature(f"{moment}.{body.decode()}", secret)
        for secret in secrets
    )
    return ",".join([f"t={moment}", *(f"{scheme}={one}" for one in signed)])


def post(client, body, header=None, content_type="application/json"):
    headers = {"Stripe-Signature": header} if header else {}
    return client.post(HOOK, body, content_type=content_type, headers=headers).status_code


@pytest.fixture
def hook(client, stripe_sandbox):
    """Post a body, signed well unless told otherwise."""

    def send(body=None, header=None, **changes):
        body = event_body(**changes) if body is None else body
        return post(client, body, signature(body) if header is None else header)

    return send


def test_the_address_is_where_stripe_was_told(hook):
    assert reverse("payments:webhook") == HOOK
    assert hook() == 200


def test_w1_forged_missing_or_old_fashioned_signatures_are_refused_and_leave_no_row(client, hook):
    body = event_body()
    assert post(client, body) == 400
    assert hook(body, header="t=1,v1=abc") == 400
    assert hook(body, header=signature(body, secrets=["whsec_other"])) == 400
    assert hook(body, header=signature(body, scheme="v0")) == 400
    assert not StripeEvent.objects.exists()


def test_w2_old_and_future_signatures_are_refused(hook):
    body = event_body()
    assert hook(body, header=signature(body, at=-301)) == 400
    assert hook(body, header=signature(body, at=3600)) == 400
    assert not StripeEvent.objects.exists()


def test_w3_one_event_delivered_fifty_times_by_many_threads_has_one_effect(market, client):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    webhook = next(w for w in market.stripe.drain() if w.type == "checkout.session.completed")
    answers = []

    def deliver(_number):
        from django.test import Client

        mine = Client()
        answers.extend(post(mine, webhook.body, webhook.signature) for _ in range(10))

    assert set(together(deliver, 5)) == {"ok"}
    assert answers == [200] * 50
    assert StripeEvent.objects.count() == 1
    assert ledger.balance(ledger.held(hold), "EUR") == eur("100.00")
    assert Journal.objects.filter(kind="funded").count() == 1


def test_w5_what_was_never_delivered_is_fetched(market):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    market.stripe.drain()
    assert inbox.poll() > 0
    assert inbox.poll() == 0
    hold.refresh_from_db()
    assert hold.status == "held"


def test_w5_after_four_days_of_silence_the_first_webhook_does_not_hide_the_days_before(
    market, client
):
    """The poller goes on where it ended, not at the newest event we know."""
    inbox.poll()
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    # Nobody was there to hear of it, and nobody polled either: the whole site was down.
    market.stripe.drain()
    market.stripe.move_clock(4 * 24 * 3600)
    with clock.moved_to(clock.days_from_now(4)):
        later = market.start(market.open())
        market.stripe.pay(later.session_id)
        assert market.hear(client)
        hold.refresh_from_db()
        assert hold.status == "pending"
        inbox.poll()
    hold.refresh_from_db()
    assert hold.status == "held"


def test_a_poll_that_had_to_stop_goes_on_where_it_stopped(market):
    market.held()
    market.stripe.drain()
    counts = [inbox.poll(limit=2) for _ in range(10)]
    assert counts[0] == 2
    assert sum(counts) == StripeEvent.objects.count()
    assert counts[-1] == 0


def test_w5_what_no_event_told_is_found_by_the_reconciliation(market):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    report = reconciliation.reconcile()
    hold.refresh_from_db()
    assert hold.status == "held"
    assert (report.caught_up, report.differences) == (1, [])


def test_w6_an_event_that_cannot_be_read_waits_and_is_read_later(market, client):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id)
    # Read at once, asked again by the gateway itself, and still no answer.
    market.stripe.fail_next("drop_before", on="GET ", times=2)
    assert set(market.hear(client)) == {200}
    waiting = StripeEvent.objects.filter(state="pending")
    assert waiting.exists()
    assert not Journal.objects.exists()

    waiting.update(due_at=started.created_at)
    inbox.read_due()
    hold.refresh_from_db()
    assert hold.status == "held"
    assert not StripeEvent.objects.filter(state="pending").exists()


def test_w6_an_event_that_never_can_be_read_is_parked_with_an_alarm(hook, caplog):
    hook(
        type="checkout.session.completed",
        data={"object": {"id": "cs_nobody", "object": "checkout.session"}},
    )
    event = StripeEvent.objects.get()
    with caplog.at_level(logging.CRITICAL):
        for _attempt in range(inbox.GIVE_UP_AFTER):
            StripeEvent.objects.filter(state="pending").update(due_at=event.received_at)
            inbox.read_due()
    event.refresh_from_db()
    assert event.state == "parked"
    assert "parked" in caplog.text

    assert inbox.wake(StripeEvent.objects.all()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"type": "moon.landed"},
        {"api_version": "2031-01-01.zebra"},
        {"type": "mandate.updated", "data": {"object": {"object": "moon", "id": "m_1"}}},
    ],
)
def test_w7_what_we_do_not_know_is_stored_and_left(hook, change):
    assert hook(**change) == 200
    assert StripeEvent.objects.get().state == "ignored"


def test_w8_live_events_are_refused_by_a_test_system(hook, caplog):
    assert hook(livemode=True) == 400
    assert "wrong mode" in caplog.text
    assert not StripeEvent.objects.exists()


def test_w10_huge_broken_or_foreign_bodies_are_refused(client, hook):
    huge = b"x" * (5 * 1024 * 1024)
    assert post(client, huge, signature(b"x")) == 400
    for body in (b"{", b"[]", b'"x"', b"\xff\xfe", b"null"):
        assert post(client, body, "t=1,v1=x") == 400
    body = event_body()
    assert post(client, body, signature(body), content_type="text/plain") == 400
    assert client.get(HOOK).status_code == 405
    assert not StripeEvent.objects.exists()


def test_w11_while_a_secret_changes_both_are_good(hook, settings):
    body = event_body()
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", WEBHOOK_SECRET]
    assert hook(body, header=signature(body)) == 200
    assert hook(body, header=signature(body, secrets=["whsec_new"])) == 200
    assert hook(body, header=signature(body, secrets=["whsec_new", WEBHOOK_SECRET])) == 200


def test_an_event_about_an_account_makes_us_look_at_it(market, client):
    payouts.onboarding_url(
        market.freelancer.party,
        by=market.freelancer,
        country="DE",
        refresh_url="http://127.0.0.1:8000/r/",
        return_url="http://127.0.0.1:8000/b/",
    )
    account = PayoutAccount.objects.get()
    market.stripe.complete_onboarding(account.stripe_id)
    market.hear(client)
    account.refresh_from_db()
    assert account.can_receive
    assert not StripeEvent.objects.filter(state="pending").exists()


def test_an_event_is_only_a_hint_and_never_the_truth(market, hook):
    """A signed event that says “paid” about an unpaid page funds nothing."""
    hold = market.open()
    started = market.start(hold)
    session = {
        "id": started.session_id,
        "object": "checkout.session",
        "payment_status": "paid",
        "amount_total": 103_00,
        "metadata": {"funding": started.ref},
    }
    assert hook(type="checkout.session.completed", data={"object": session}) == 200
    hold.refresh_from_db()
    assert hold.status == "pending"
    assert not Journal.objects.exists()
    assert Funding.objects.get().status == "open"
    assert gateway.retrieve_checkout(started.session_id).charge is None
