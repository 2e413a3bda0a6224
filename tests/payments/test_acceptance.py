"""The cases of the acceptance catalogue that no other file is about, and that none is missing.

Every case is a test named after its id: `pytest -k f10` finds it, wherever it is.
"""

import datetime as dt
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership
from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from marketplace.devstack.folder import DataFolder
from marketplace.devstack.postgres import OWNER, Postgres
from marketplace.devstack.stack import LogFiles, standing_alone
from marketplace.devstack.supervisor import Supervisor
from payments import ledger
from payments.models import FraudWarning, Funding, Hold, Journal, Refund, Transfer
from payments.services import due, holds, inbox, policies, reconciliation, warnings
from payments.services import funding as fundings
from payments.services.verification import verify
from projects.models import Dispute
from projects.services import bidding, disputes
from projects.services.disputes.statements import TooLate
from tests.factories import StaffFactory, UserFactory
from tests.payments.threads import together
from tests.payments.world import World, eur
from tests.projects.work import REASON, Work, moderator, signed_in
from tests.stripe_sandbox import EMPTY_ACCOUNT, ONE_CARD, SLOW_ACCOUNT, SLOW_REFUND_CARD

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = {
    *("f1", "f3", "f4", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14"),
    *("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w10", "w11"),
    *("r1", "r2", "r3", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r15"),
    *("c1", "c2", "c4", "c6", "c7"),
    *("l1", "l2", "l3", "l4", "l5", "l6"),
    *("s1", "s2", "s3", "s4", "s5"),
    *("d1", "d2", "d3", "d5"),
    *("i1", "i2", "i3", "i5"),
    *("p2", "p3", "p4"),
}


def broken_lines():
    return [line for finding in verify() for line in finding.broken]


def test_every_case_of_the_catalogue_is_a_test_of_that_name():
    named = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        named |= {
            found.lower() for found in re.findall(r"def test_([A-Za-z]\d+)_", file.read_text())
        }
    assert sorted(CATALOGUE - named) == []


# --- Funding --------------------------------------------------------------------------------


@pytest.fixture
def debits(settings):
    """The operator takes SEPA direct debits too."""
    settings.STRIPE_PAYMENT_METHODS = ["card", "sepa_debit"]


FIVE_DAYS = 5 * 24 * 3600


def test_f10_a_direct_debit_holds_nothing_until_the_bank_has_said_yes(debits, market, client):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=SLOW_ACCOUNT)
    market.hear(client)
    started.refresh_from_db()
    hold.refresh_from_db()
    assert (started.status, hold.status) == ("processing", "pending")
    assert not Journal.objects.exists()

    market.stripe.move_clock(FIVE_DAYS + 1)
    market.hear(client)
    started.refresh_from_db()
    hold.refresh_from_db()
    assert (started.status, hold.status) == ("paid", "held")
    assert ledger.balance(ledger.held(hold), "EUR") == eur("100.00")
    assert broken_lines() == []
    assert reconciliation.reconcile().differences == []


def test_f10_a_direct_debit_the_bank_refuses_leaves_the_hold_waiting_for_another_try(
    debits, market, client
):
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=EMPTY_ACCOUNT)
    market.hear(client)
    market.stripe.move_clock(FIVE_DAYS + 1)
    market.hear(client)
    started.refresh_from_db()
    hold.refresh_from_db()
    assert (started.status, hold.status) == ("expired", "pending")
    assert not Journal.objects.exists()
    with clock.moved_to(clock.days_from_now(5)):
        assert market.start(hold).pk != started.pk


def test_f10_a_bank_account_pays_in_euros_only_and_only_when_switched_on(market, debits, settings):
    hundred = Money(100_00, "USD")
    dollars = holds.open_hold(
        payer=market.client.party,
        payee=market.freelancer.party,
        amount=hundred,
        policy=policies.current(),
        label="Wireframes",
        by=market.client,
    )
    in_dollars = market.start(dollars)
    settings.STRIPE_PAYMENT_METHODS = ["card"]
    switched_off = market.start(market.open())
    asked = [
        request["params"]["allowed_payment_method_types"]
        for request in market.stripe.requests
        if request["path"] == "/v1/checkout/sessions"
    ]
    assert asked == [["card"], ["card"]]
    for started in (in_dollars, switched_off):
        answer = market.stripe.submit(f"/c/pay/{started.session_id}", card=SLOW_ACCOUNT)
        assert answer.status_code == 422


def test_f12_stripe_is_asked_not_to_convert_and_what_it_converts_all_the_same_credits_nobody(
    market, client
):
    hold = market.open()
    started = market.start(hold)
    sent = next(r for r in market.stripe.requests if r["path"] == "/v1/checkout/sessions")
    assert sent["params"]["adaptive_pricing"] == {"enabled": False}

    market.stripe.present_in(started.session_id, "sek")
    market.stripe.pay(started.session_id)
    market.hear(client)
    started.refresh_from_db()
    hold.refresh_from_db()
    assert (started.status, hold.status) == ("quarantined", "pending")
    assert ledger.balance(ledger.SUSPENSE, "EUR") == hold.client_pays
    assert ledger.balance(ledger.held(hold), "EUR") == eur("0.00")


def test_f13_somebody_elses_milestone_cannot_be_funded_and_stripe_is_not_asked(stripe_sandbox):
    work = Work.build(stripe_sandbox)
    address = f"{work.contract.get_absolute_url()}fund/1/"
    for stranger in (UserFactory(side="hire"), UserFactory()):
        assert signed_in(stranger).get(address).status_code == 404
        assert signed_in(stranger).post(address).status_code == 404
    assert not Funding.objects.exists()
    assert stripe_sandbox.requests == []


# --- The ledger -----------------------------------------------------------------------------

WRITERS, ROUNDS, POSTINGS_A_ROUND = 4, 3, 40
POST = """
    SELECT id FROM payments_post(%s, %s, 'load', '', NULL, NULL, now(), ARRAY['bank', 'suspense'],
                                 ARRAY['', ''], ARRAY['EUR', 'EUR'], ARRAY[-1, 1]::bigint[])
"""


class Load:
    """Writers that post as fast as they can, and repeat a key until it is acknowledged."""

    def __init__(self, url):
        self.url = url
        self.acknowledged = []
        self.stop = threading.Event()

    def write(self, writer):
        link, number = None, 0
        while not self.stop.is_set():
            key = f"load:{writer}:{number}"
            try:
                link = link or psycopg2.connect(self.url)
                with link, link.cursor() as cursor:
                    cursor.execute(POST, [key, key])
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                link = None
                time.sleep(0.05)
            else:
                self.acknowledged.append(key)
                number += 1

    def wait_for(self, count):
        deadline = time.monotonic() + 120
        while len(self.acknowledged) < count:
            assert time.monotonic() < deadline, "the writers stand still"
            time.sleep(0.02)


def test_l1_what_was_acknowledged_survives_kill_9_of_postgresql_three_times(tmp_path):
    postgres = Postgres(DataFolder(tmp_path), durable=True)
    supervisor = Supervisor(LogFiles(tmp_path / "logs"), most_deaths=100)
    supervisor.start(postgres.program())
    try:
        postgres.create_roles()
        url = postgres.url(OWNER)
        environ = standing_alone(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
            "DATABASE_URL": url,
        }
        # The ledger and what it stands on; nothing else is written here.
        migrate = [sys.executable, "manage.py", "migrate", "payments", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environ, check=True)
        with psycopg2.connect(url) as link, link.cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_account (role, owner_key, currency, mode) VALUES "
                "('bank', '', 'EUR', 'd'), ('suspense', '', 'EUR', 'd')"
            )
        link.close()

        supervisor.watch()
        load = Load(url)
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(load.write, writer) for writer in range(WRITERS)]
            try:
                for round_ in range(ROUNDS):
                    load.wait_for(POSTINGS_A_ROUND * (round_ + 1))
                    supervisor.kill("postgres")
                # The last round is over when they write again.
                load.wait_for(len(load.acknowledged) + POSTINGS_A_ROUND)
            finally:
                load.stop.set()
        for writer in writers:
            writer.result()

        with psycopg2.connect(url) as link, link.cursor() as cursor:
            cursor.execute("SELECT idempotency_key FROM payments_journal WHERE kind = 'load'")
            present = [key for (key,) in cursor.fetchall()]
            cursor.execute(
                "SELECT count(*) FROM (SELECT journal_id FROM payments_entry GROUP BY 1 "
                "HAVING sum(amount) <> 0 OR count(*) <> 2) AS broken"
            )
            broken = cursor.fetchone()[0]
        link.close()
        assert len(present) == len(set(present))
        assert set(load.acknowledged) <= set(present)
        assert len(load.acknowledged) == len(set(load.acknowledged))
        assert broken == 0
    finally:
        supervisor.stop()
        postgres.remove()


# --- Abuse ----------------------------------------------------------------------------------


def released(market, hold):
    """Release it, and let all clocks run out."""
    holds.release(hold, by=market.client, basis="approval")
    with clock.moved_to(clock.days_from_now(60)):
        due.run()
    return Transfer.objects.get(hold=hold)


def test_s1_one_person_on_both_sides_waits_for_a_person_of_ours(market):
    market.connect()
    company = market.client.party
    Membership.objects.create(party=company, user=market.freelancer, can_pay=True)
    transfer = released(market, market.held())

    assert (transfer.status, transfer.wait) == ("waiting", "review")
    warning = FraudWarning.objects.get()
    assert (warning.fraud_type, warning.ours) == ("same_person", True)
    assert broken_lines() == []

    reason = "They are partners and both of them work on it; papers seen."
    market.freelancer.is_staff = market.freelancer.is_superuser = True
    market.freelancer.save(update_fields=["is_staff", "is_superuser"])
    with pytest.raises(NotAllowed, match="money of your own"):
        warnings.lift(warning, by=market.freelancer, reason=reason)
    warnings.lift(warning, by=StaffFactory(), reason=reason)
    with clock.moved_to(clock.days_from_now(60)):
        due.run()
    transfer.refresh_from_db()
    assert transfer.status == "sent"
    assert broken_lines() == []


def test_s1_the_freelancers_own_card_on_the_clients_side_waits_for_a_person_of_ours(market):
    market.connect()
    # The freelancer once paid somebody with it.
    other = World(market.stripe, market.freelancer, UserFactory())
    earlier = other.start(other.open())
    market.stripe.pay(earlier.session_id, card=ONE_CARD)
    hold = market.open()
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=ONE_CARD)
    for paid in (earlier, started):
        fundings.confirm(paid)
    hold.refresh_from_db()

    transfer = released(market, hold)
    assert (transfer.status, transfer.wait) == ("waiting", "review")
    assert FraudWarning.objects.get().fraud_type == "same_card"


def test_s1_two_people_with_cards_of_their_own_wait_as_everybody_does(market):
    market.connect()
    assert released(market, market.held()).status == "sent"
    assert not FraudWarning.objects.exists()


def test_s5_after_funding_no_price_can_be_edited(stripe_sandbox):
    work = Work.build(stripe_sandbox)
    work.funded(1)
    bid = work.contract.bid
    with pytest.raises(DomainError):
        bidding.edit_bid(
            bid, by=work.freelancer, price=eur("9999.00"), days=30, message="More.", ai_use="no"
        )
    # Nor does the page that asks for payment take a price from anybody.
    answer = work.as_client.post(
        f"{work.contract.get_absolute_url()}fund/2/", {"amount": "1.00", "amount_minor": "100"}
    )
    assert answer.status_code == 303
    step = work.step(2)
    assert Funding.objects.latest("pk").amount == step.hold.client_pays
    assert step.hold.amount == step.amount == eur("1100.00")
    # And what somebody changes by hand is named the next night.
    Hold.objects.filter(pk=work.step(1).hold_id).update(amount_minor=700_00)
    assert any(work.step(1).hold.ref in line for line in broken_lines())


# --- Disputes of the two --------------------------------------------------------------------


@pytest.fixture
def quarrel(stripe_sandbox) -> tuple[Work, Dispute]:
    work = Work.build(stripe_sandbox)
    return work, work.disputed(1)


def test_d1_silence_to_the_deadline_hands_the_case_over_exactly_once(quarrel):
    """No machine decides against the silent side: a moderator does, on what is there."""
    work, dispute = quarrel
    judge = moderator()
    with time_machine.travel(dispute.answer_due_at + dt.timedelta(minutes=1)):
        assert set(together(lambda _number: disputes.notice_due(), 4)) == {"ok"}
        for person, kind in (
            (work.client, "dispute_to_moderator"),
            (work.freelancer, "dispute_to_moderator"),
            (judge, "dispute_waiting"),
        ):
            assert person.notices.filter(kind=kind).count() == 1
        dispute.refresh_from_db()
        assert dispute.status == "open"
        assert work.paused(work.step(1).hold) == eur("600.00")
        # Before the deadline nobody may decide, now somebody may, once.
        disputes.decide(dispute, by=judge, to_freelancer=eur("200.00"), reason=REASON)
        with pytest.raises(InvalidTransition):
            disputes.decide(dispute, by=judge, to_freelancer=eur("0.00"), reason=REASON)
    assert work.step(1).hold.awarded == eur("200.00")


def test_d3_evidence_after_the_deadline_is_refused_in_words_and_logged(quarrel, caplog):
    work, dispute = quarrel
    paper = SimpleUploadedFile("proof.pdf", b"%PDF-1.4 proof")
    with time_machine.travel(dispute.decide_due_at - dt.timedelta(minutes=1)):
        disputes.add_statement(dispute, by=work.client, body="See here.", uploads=[paper])
    with time_machine.travel(dispute.decide_due_at + dt.timedelta(minutes=1)):
        with pytest.raises(TooLate, match="Evidence could be added until"):
            disputes.add_statement(dispute, by=work.client, body="And here.", uploads=[paper])
        with pytest.raises(TooLate):
            disputes.add_statement(dispute, by=work.freelancer, body="No.")
        assert dispute.statements.count() == 2
        assert "came too late" in caplog.text
        # To agree it is never too late.
        disputes.add_statement(
            dispute, by=work.freelancer, body="Half of it?", to_freelancer=eur("300.00")
        )
        disputes.settle(dispute, by=work.client)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [("evidence.exe", 10, "not accepted"), ("video.mp4", 2 * 1024**3, "The limit is")],
)
def test_d3_evidence_of_the_wrong_kind_or_size_is_refused_in_words(quarrel, name, size, words):
    work, dispute = quarrel
    upload = SimpleUploadedFile(name, b"0123456789")
    upload.size = size
    with pytest.raises(InvalidInput, match=words):
        disputes.add_statement(dispute, by=work.client, body="See.", uploads=[upload])
    assert dispute.statements.count() == 1


# --- News -----------------------------------------------------------------------------------


def test_w4_reversed_and_doubled_news_ends_as_news_in_order_would(market, client):
    def hear_backwards():
        told = market.stripe.drain()
        for hook in reversed(told + told):
            answer = client.post(
                "/stripe/webhook/",
                data=hook.body,
                content_type="application/json",
                headers={"Stripe-Signature": hook.signature},
            )
            assert answer.status_code == 200
        while inbox.read_due():
            pass

    market.refill()
    kept, returned = market.open("80.00"), market.open("60.00")
    market.stripe.pay(market.start(kept).session_id)
    market.stripe.pay(market.start(returned).session_id, card=SLOW_REFUND_CARD)
    hear_backwards()
    for hold in (kept, returned):
        hold.refresh_from_db()
        assert hold.status == "held"

    holds.refund(returned, by=market.client, basis="settlement")
    market.stripe.move_clock(60)
    hear_backwards()
    assert Refund.objects.get().status == "succeeded"
    kinds = Journal.objects.values_list("kind", flat=True)
    assert sorted(kinds) == ["funded", "funded", "refund_sent", "refunded", *["stripe_fee"] * 2]
    assert broken_lines() == []
