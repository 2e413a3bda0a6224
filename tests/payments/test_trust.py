"""How long released money waits, by what is known of the two (rule M9)."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from marketplace.core import clock, outbox
from payments.models import PlatformPolicy, Transfer
from payments.services import givebacks, holds, policies, transfers, trust
from tests.factories import UserFactory
from tests.payments.world import World, eur

pytestmark = pytest.mark.django_db


@pytest.fixture
def tiered(db):
    return PlatformPolicy.objects.create(
        starts_at=clock.now(), tier_2_contracts=1, tier_3_contracts=2
    )


def finish(market, work, **changes):
    """A contract of one payment, released; the transfer that came of it."""
    hold = market.held(work=work, **changes)
    holds.release(hold, by=market.client, basis="approval")
    return Transfer.objects.get(hold=hold)


def other_client(market, name):
    return World(market.stripe, UserFactory(side="hire", name=name), market.freelancer)


def days(transfer):
    return round((transfer.due_at - clock.now()) / dt.timedelta(days=1))


@pytest.mark.parametrize(("finished", "tier"), [(0, 1), (2, 1), (3, 2), (9, 2), (10, 3), (500, 3)])
def test_the_tier_rises_at_the_thresholds_of_the_policy(finished, tier):
    assert trust.trust_tier(finished, PlatformPolicy()) == tier


def test_new_rules_are_those_of_the_rule_book_and_the_first_ones_of_an_installation_wait_for_nobody(
    db,
):
    new = PlatformPolicy()
    assert new.security_hold_by_tier
    assert (new.hold_days_tier_1, new.hold_days_tier_2, new.hold_days_tier_3) == (5, 2, 0)
    assert (new.hold_days_first_payment, new.hold_days_bonus) == (10, 5)
    first = policies.current()
    assert (first.security_hold_by_tier, first.security_hold_days) == (False, 0)


def test_a_new_client_s_first_payment_waits_ten_days_then_the_payee_s_record_counts(market, tiered):
    market.connect()
    first = finish(market, "work-1")
    assert (first.wait, days(first)) == ("first", 10)

    # Not before that money has arrived is the client known.
    still = finish(market, "work-2")
    assert still.wait == "first"
    send(first)
    known = finish(market, "work-3")
    # Three contracts with one client count once: that makes tier 2.
    assert (known.wait, days(known)) == ("tier_2", 2)

    second = other_client(market, "Lea Brandt")
    send(finish(second, "work-4"))
    third = finish(market, "work-5")
    assert (third.wait, third.status) == ("", "sending")


def test_a_contract_that_was_disputed_counts_for_nothing(market, tiered):
    hold = market.held(work="work-1")
    holds.pause(hold, by=market.client)
    holds.resume(hold, by=market.client)
    holds.release(hold, by=market.client, basis="approval")
    assert trust.finished_contracts(market.freelancer.party) == 0

    finish(market, "work-2")
    # While money of a contract is held it is not finished.
    market.held(work="work-2")
    assert trust.finished_contracts(market.freelancer.party) == 0


def test_a_contract_whose_money_was_given_back_counts_for_nothing(market, tiered):
    hold = finish(market, "work-1").hold
    assert trust.finished_contracts(market.freelancer.party) == 1

    givebacks.give_back(hold, by=market.freelancer, amount=eur("1.00"))

    assert trust.finished_contracts(market.freelancer.party) == 0


def test_a_bonus_makes_no_contract(market, tiered):
    finish(market, "work-1", fee_free=True)

    assert trust.finished_contracts(market.freelancer.party) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"tier_2_contracts": 5, "tier_3_contracts": 5},
        {"hold_days_tier_2": 6},
        {"custody_first_warning_days": 75},
        {"custody_last_warning_days": 85},
    ],
)
def test_the_database_refuses_rules_that_contradict_themselves(db, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        PlatformPolicy.objects.create(starts_at=clock.now(), **wrong)


def send(transfer):
    """Let the money of a transfer arrive, as if its time had come."""
    Transfer.objects.filter(pk=transfer.pk).update(due_at=clock.now())
    transfers.run_due()
    while outbox.deliver_due():
        pass
    transfer.refresh_from_db()
    assert transfer.status == "sent"
