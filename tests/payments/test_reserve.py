"""What is set aside for protected work, how far it reaches, and clients who may not publish."""

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Membership, Notice
from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from payments import ledger
from payments.models import ChargebackPart, Hold, PlatformPolicy, PostingStop
from payments.services import holds, receivables, stops
from payments.services.reserve import left_for
from projects.services import giving_back, posting
from projects.services.wanted import Wanted
from tests.factories import StaffFactory, UserFactory
from tests.payments.disputing import (
    assert_books_are_clean,
    balance,
    charge_back,
    decide,
    read,
    top_up,
)
from tests.payments.world import World, eur
from tests.projects.work import Work, signed_in
from tests.stripe_sandbox import AUTHENTICATED_CARD

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = eur("0.00")
BECAUSE = "They have paid the same amount by bank transfer, I saw it on the statement."


@pytest.fixture(autouse=True)
def _every_story_ends_with_clean_books(stripe_sandbox):
    yield
    assert_books_are_clean()


@pytest.fixture
def work(stripe_sandbox):
    """A contract of €600, €1,100 and €700, and a freelancer who can be paid."""
    work = Work.build(stripe_sandbox)
    top_up(stripe_sandbox, eur("3000.00"))
    work.connect()
    return work


def protected(work, n=1):
    """Paid with proof, delivered and accepted."""
    work.funded(n, card=AUTHENTICATED_CARD)
    return work.approved(n).hold


def reserve():
    return balance(ledger.CHARGEBACK_RESERVE)


def publish(client):
    """A new project of the client's."""
    wanted = Wanted(
        title="Site for a second bike workshop",
        description="Customers book a repair online and pick their mechanic. " * 3,
        currency="EUR",
        skills=("Django",),
    )
    return posting.post(client.party, by=client, wanted=wanted)


# --- What is set aside ------------------------------------------------------------------------


def test_half_a_percent_of_what_is_released_is_set_aside_out_of_our_fees(work):
    hold = work.approved(1).hold
    assert Hold.objects.get(pk=hold.pk).reserved_minor == 3_00
    assert (reserve(), balance(ledger.RESERVE_COST)) == (eur("3.00"), -eur("3.00"))
    given = giving_back.give_back(work.step(1), by=work.freelancer, amount=eur("200.00"))
    work.work_off()
    assert given.status == "done"
    assert reserve() == eur("2.00")


def test_nothing_is_set_aside_of_what_goes_back_or_pays_no_fee(stripe_sandbox):
    world = World.build(stripe_sandbox)
    top_up(stripe_sandbox, eur("500.00"))
    holds.refund(world.held("100.00"), by=None, basis="rule", basis_detail="M13")
    holds.release(world.held("100.00", fee_free=True), by=world.client, basis="approval")
    world.work()
    assert reserve() == NOTHING


def test_a_contract_keeps_the_share_it_was_signed_under(work):
    PlatformPolicy.objects.create(starts_at=clock.now(), security_hold_by_tier=False, reserve_bps=0)
    work.approved(1)
    assert reserve() == eur("3.00")


# --- Who bears a loss -------------------------------------------------------------------------


def test_protected_work_is_carried_by_the_reserve_and_comes_back_to_it(work):
    hold = protected(work)
    dispute = charge_back(work.stripe, hold)
    assert reserve() == eur("3.00") - hold.client_pays
    assert balance(ledger.CHARGEBACK_LOSS) == NOTHING
    assert receivables.owed_by(work.freelancer.party, "EUR") == NOTHING
    decide(work.stripe, dispute, won=True)
    assert reserve() == eur("3.00")


def test_over_the_limit_of_a_year_work_is_like_unprotected_work(stripe_sandbox):
    PlatformPolicy.objects.create(
        starts_at=clock.now(), security_hold_by_tier=False, protected_loss_limit=1000
    )
    work = Work.build(stripe_sandbox)
    top_up(stripe_sandbox, eur("3000.00"))
    work.connect()
    first, second, third = (protected(work, n) for n in (1, 2, 3))
    charge_back(work.stripe, first)
    assert not work.freelancer.notices.filter(kind="chargeback_owed").exists()
    # 382 of the thousand are left for a payment of 1,133; the freelancer has got 1,012 of it.
    charge_back(work.stripe, second)
    assert work.freelancer.notices.filter(kind="chargeback_owed").count() == 1
    assert ChargebackPart.objects.get(bearer="payee").amount == eur("751.00")
    assert reserve() == eur("12.00") - eur("1000.00")
    charge_back(work.stripe, third)
    # Of the third they bear what they got; our fees of it are our loss.
    assert reserve() == eur("12.00") - eur("1000.00")
    assert balance(ledger.CHARGEBACK_LOSS) == -(third.client_pays - eur("644.00"))


def test_a_new_year_has_a_limit_of_its_own(stripe_sandbox):
    PlatformPolicy.objects.create(
        starts_at=clock.now(), security_hold_by_tier=False, protected_loss_limit=650
    )
    work = Work.build(stripe_sandbox)
    top_up(stripe_sandbox, eur("3000.00"))
    work.connect()
    first, third = protected(work, 1), protected(work, 3)
    charge_back(work.stripe, first)
    next_year = dt.datetime(clock.now().year + 1, 1, 2, tzinfo=dt.UTC)
    with time_machine.travel(next_year, tick=True):
        with transaction.atomic():
            assert left_for(third) == eur("650.00")
    with transaction.atomic():
        assert left_for(third) == eur("32.00")


# --- Clients who may not publish --------------------------------------------------------------


def test_a_lost_dispute_others_pay_for_stops_new_projects_until_it_is_won(work):
    dispute = charge_back(work.stripe, protected(work))
    publish(work.client)
    decide(work.stripe, dispute, won=False)
    stop = PostingStop.objects.get()
    assert (stop.status, stop.payer) == ("active", work.client.party)
    with pytest.raises(stops.Stopped, match="took back a card payment"):
        publish(work.client)
    assert AuditRow.objects.get(action="posting_stop.started").facts["rule"] == "C7"
    assert Notice.objects.filter(user=work.client, kind="posting_stop").count() == 1
    # What runs, runs.
    work.funded(2)
    work.stripe.appeal(dispute)
    read(dispute)
    decide(work.stripe, dispute, won=True)
    stop.refresh_from_db()
    assert stop.status == "over"
    assert publish(work.client).status == "open"
    assert Notice.objects.filter(user=work.client, kind="posting_stop_over").count() == 1


def test_money_that_was_only_held_costs_nobody_and_stops_nobody(work):
    dispute = charge_back(work.stripe, work.funded(1).hold)
    decide(work.stripe, dispute, won=False)
    assert not PostingStop.objects.exists()
    assert publish(work.client).status == "open"


def test_the_client_appeals_once_and_staff_lift_it_with_a_reason(work):
    staff = StaffFactory()
    decide(work.stripe, charge_back(work.stripe, work.approved(1).hold), won=False)
    stop = PostingStop.objects.get()
    stranger = UserFactory(side="hire")
    with pytest.raises(NotAllowed):
        stops.appeal(stop, by=stranger, said="Let me in.")
    with pytest.raises(InvalidInput):
        stops.appeal(stop, by=work.client, said="  ")
    stops.appeal(stop, by=work.client, said="The bank mixed up two payments.")
    with pytest.raises(InvalidTransition):
        stops.appeal(stop, by=work.client, said="Once more.")
    assert Notice.objects.filter(user=staff, kind="posting_stop_appealed").count() == 1

    with pytest.raises(NotAllowed):
        stops.lift(stop, by=work.freelancer, reason=BECAUSE)
    insider = StaffFactory()
    Membership.objects.create(party=work.client.party, user=insider)
    with pytest.raises(NotAllowed, match="of your own"):
        stops.lift(stop, by=insider, reason=BECAUSE)
    with pytest.raises(InvalidInput):
        stops.lift(stop, by=staff, reason="fine")
    stops.lift(stop, by=staff, reason=BECAUSE)
    with pytest.raises(InvalidTransition):
        stops.lift(stop, by=staff, reason=BECAUSE)
    assert publish(work.client).status == "open"
    assert Notice.objects.filter(user=work.client, kind="posting_stop_lifted").count() == 1
    assert AuditRow.objects.get(action="posting_stop.lifted").actor == staff


def test_the_database_wants_a_named_person_and_a_reason_behind_a_lifted_stop(work):
    decide(work.stripe, charge_back(work.stripe, work.approved(1).hold), won=False)
    rows = PostingStop.objects.all()
    with pytest.raises(IntegrityError, match="posting_stop_lifted_by_person"), transaction.atomic():
        rows.update(status="lifted", ended_at=clock.now())
    with pytest.raises(IntegrityError, match="posting_stop_appeal_whole"), transaction.atomic():
        rows.update(appeal="Nobody said this.")


def test_both_read_it_on_screen(work):
    decide(work.stripe, charge_back(work.stripe, work.approved(1).hold), won=False)
    stop, page = PostingStop.objects.get(), reverse("payments:stops")
    assert page in work.as_client.get(reverse("payments:payments")).content.decode()
    shown = work.as_client.get(page).content.decode()
    assert "cannot publish new projects" in shown
    assert "€618.00" in shown
    assert "Nothing keeps you" in work.as_freelancer.get(page).content.decode()
    assert work.as_freelancer.post(page, {"stop": stop.ref, "said": "Hm."}).status_code == 404
    assert work.as_client.post(page, {"stop": stop.ref, "said": ""}).status_code == 422
    assert work.as_client.post(page, {"stop": stop.ref, "said": "A mix-up."}).status_code == 303
    assert "You appealed on" in work.as_client.get(page).content.decode()
    admin = signed_in(StaffFactory())
    url = reverse("admin:payments_postingstop_change", args=[stop.pk])
    assert "A mix-up." in admin.get(url).content.decode()
    assert admin.post(url, {"reason": "fine"}).status_code == 422
    assert admin.post(url, {"reason": BECAUSE}).status_code == 303
    assert "can publish again" in work.as_client.get(page).content.decode()
    assert page not in work.as_client.get(reverse("payments:payments")).content.decode()
