"""What is left of a milestone's money is held for the next one, when both agree (rule M2)."""

import datetime as dt
import threading
import time

import pytest
import time_machine
from django.db import connection, transaction

from marketplace.core import clock
from marketplace.core.display import day_text
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed
from payments import gateway, ledger
from payments.models import Hold, Refund, Transfer
from payments.selectors import periods
from payments.services import carrying as carrying_money
from payments.services import funding as payments_funding
from projects.models import Contract, Milestone, Proposal
from projects.services import approvals, carrying, deliveries, funding, proposals
from tests.payments.disputing import assert_books_are_clean, charge_back, decide, read, top_up
from tests.payments.threads import together
from tests.projects.proofs import nothing_is_broken
from tests.projects.work import Work, eur

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _every_story_ends_with_whole_books(db):
    yield
    nothing_is_broken()


def propose(work, amount="400.00", n=1, by=None):
    return proposals.propose_part(
        work.step(n),
        by=by or work.freelancer,
        amount=eur(amount),
        reason="Two pages are missing.",
        carry=True,
    )


def agree(work, amount="400.00", n=1):
    proposals.answer(propose(work, amount, n), by=work.client, accept=True)


def page_of(work):
    return work.as_client.get(work.contract.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_rest_is_held_for_the_next_milestone_and_no_cent_is_paid_twice(stripe_sandbox):
    top_up(stripe_sandbox, eur("1000.00"))
    work = Work.build(stripe_sandbox)
    work.connect()
    before = work.delivered(1).hold
    url = f"{work.contract.get_absolute_url()}milestones/1/release-part/"
    asked = work.as_freelancer.post(
        url, {"amount": "400", "carry": "on", "reason": "Two pages are missing."}
    )
    page = work.as_client.get(url).content.decode()
    assert f"<dd>{day_text(work.step(1).custody_ends_at)}</dd>" in page
    for said in ("Stays held, for “Step 2”", "€200.00", "€900.00", "Agree, and take €206.00 back"):
        assert said in page
    answer = f"{work.contract.get_absolute_url()}proposals/{Proposal.objects.get().ref}/answer/"
    answered = work.as_client.post(answer, {"answer": "yes"})
    assert (asked.status_code, answered.status_code) == (303, 303)

    first, second, rest = work.step(1), work.step(2), work.step(4)
    assert (first.status, first.amount, first.carried) == ("settled", eur("400.00"), eur("200.00"))
    assert (second.status, second.amount) == (Milestone.Status.FUNDED, eur("200.00"))
    assert (rest.status, rest.amount, rest.due_on) == ("planned", eur("900.00"), second.due_on)
    assert work.held(second.hold) == eur("200.00")
    # The oldest charge counts: it is the same one.
    assert (second.hold.held_at, second.custody_ends_at) == (before.held_at, first.custody_ends_at)
    assert second.hold.funding_parts.get().funding == first.hold.funding_parts.get().funding
    assert not Refund.objects.exists()
    assert "Agreed on less, held for the next one" in page_of(work)
    assert work.freelancer.notices.filter(kind="carry_accepted").count() == 1

    deliveries.deliver(second, by=work.freelancer, note="The rest of it.")
    approvals.approve(work.step(2), by=work.client)
    work.work_off()
    sent = Transfer.objects.values_list("amount_minor", flat=True)
    assert sorted(sent) == [184_00, 368_00]
    assert set(Transfer.objects.values_list("status", flat=True)) == {Transfer.Status.SENT}
    # €600 and its fee were paid in once, whatever it was held for.
    month = periods.Period.named(f"{clock.now():%Y-%m}")
    (paid,) = periods.statement(work.client.party, month).paid_in
    assert_books_are_clean()
    assert (paid.amount, paid.fee, paid.total) == (eur("600.00"), eur("18.00"), eur("618.00"))


def test_what_the_next_one_does_not_need_goes_back(stripe_sandbox):
    work = Work.build(stripe_sandbox, "600.00", "100.00", "700.00")
    work.delivered(1)

    agree(work)

    assert work.step(2).status == Milestone.Status.FUNDED
    assert work.contract.milestones.count() == 3
    assert Refund.objects.get().amount == eur("103.00")
    assert work.step(1).hold.status == Hold.Status.SPLIT


def test_the_client_may_take_the_rest_back_instead_and_only_the_client(work):
    work.delivered(1)
    proposal = propose(work, by=work.client)
    with pytest.raises(NotAllowed):
        proposals.answer(proposal, by=work.freelancer, accept=True, take_rest_back=True)
    proposals.take_back(proposal, by=work.client)

    answer = f"{work.contract.get_absolute_url()}proposals/{propose(work).ref}/answer/"
    work.as_client.post(answer, {"answer": "yes-back"})

    assert Refund.objects.get().amount == eur("206.00")
    assert work.step(2).status == Milestone.Status.PLANNED
    assert work.freelancer.notices.filter(kind="part_accepted").exists()
    assert not Hold.objects.filter(carried_from__isnull=False).exists()


def test_it_is_not_offered_where_nothing_can_take_it(work):
    work.delivered(1)
    for amount in ("595.01", "600.00"):
        with pytest.raises(InvalidInput):
            propose(work, amount)
    steps = work.contract.milestones.filter(position__gt=1)
    steps.update(due_on=clock.now().date() + 85 * DAY)
    assert carrying.plan(work.step(1), eur("200.00")) is None
    page = work.as_client.get(f"{work.contract.get_absolute_url()}milestones/1/release-part/")
    assert "Hold the rest" not in page.content.decode()
    steps.update(due_on=None)
    assert carrying.plan(work.step(1), eur("200.00")).to == work.step(2)

    # Agreed to be carried, and meanwhile every other milestone is paid.
    proposal = propose(work)
    work.funded(2)
    work.funded(3)
    with pytest.raises(DomainError, match="go back instead"):
        proposals.answer(proposal, by=work.client, accept=True)
    assert work.step(1).status == Milestone.Status.SUBMITTED
    proposals.answer(proposal, by=work.client, accept=True, take_rest_back=True)
    assert work.step(1).status == Milestone.Status.SETTLED


def test_nobody_agrees_to_another_milestone_than_they_have_read(work):
    work.delivered(1)
    proposal = propose(work)
    work.funded(2)

    url = f"{work.contract.get_absolute_url()}milestones/1/release-part/"
    page = work.as_client.get(url).content.decode()
    assert "Step 3" not in page
    assert "Agree, and take €206.00 back" in page
    assert "Agree to €400.00" not in page
    with pytest.raises(DomainError) as refused:
        proposals.answer(proposal, by=work.client, accept=True)
    assert refused.value.code == "cannot_carry"
    assert work.step(3).status == Milestone.Status.PLANNED


def test_money_whose_last_warning_is_over_is_not_held_for_more_work(work):
    step = work.delivered(1)
    work.contract.milestones.filter(position__gt=1).update(due_on=None)
    warned = step.hold.held_at + work.contract.policy.custody_last_warning_days * DAY

    with time_machine.travel(warned - DAY, tick=False):
        assert carrying.plan(work.step(1), eur("200.00")).stop == step.custody_ends_at
    with time_machine.travel(warned, tick=False):
        assert carrying.plan(work.step(1), eur("200.00")) is None


def test_a_page_somebody_left_unpaid_is_closed_and_the_money_takes_its_place(work):
    work.delivered(1)
    started = funding.fund_milestone(work.step(2), by=work.client)
    assert payments_funding.checkout_url(started)
    gateway.expire_checkout(payments_funding.confirm(started).session_id, key="x")
    payments_funding.confirm(started)
    old = work.step(2).hold
    assert (work.step(2).status, old.status) == ("planned", "pending")

    agree(work)

    old.refresh_from_db()
    assert old.status == Hold.Status.CANCELLED
    assert work.step(2).hold != old
    work.work_off()


@pytest.mark.django_db(transaction=True)
def test_when_the_bank_takes_the_payment_each_part_is_borne_once(stripe_sandbox):
    top_up(stripe_sandbox, eur("1000.00"))
    work = Work.build(stripe_sandbox)
    work.connect()
    work.delivered(1)
    agree(work)
    work.work_off()

    dispute = charge_back(work.stripe, work.step(2).hold)
    assert work.step(2).status == Milestone.Status.FROZEN
    decide(work.stripe, dispute, won=False)
    work.work_off()

    assert work.step(2).status == Milestone.Status.CANCELLED
    assert ledger.balance(ledger.held(work.step(2).hold), "EUR") == eur("0.00")
    # The bank has taken all of it from us; both fees of the released part are our loss.
    assert ledger.balance(ledger.CHARGEBACK_LOSS, "EUR") == -(eur("32.00") + eur("12.00"))
    assert not Refund.objects.exists()
    assert_books_are_clean()


@pytest.mark.django_db(transaction=True)
def test_what_is_carried_while_the_bank_asks_is_frozen_as_well(work):
    work.delivered(1)
    proposal = propose(work)
    charge = work.step(1).hold.funding_parts.get().funding.charge_id
    dispute = work.stripe.charge_back(charge)

    def hear():
        try:
            read(dispute)
        finally:
            connection.close()

    listening = threading.Thread(target=hear)
    with transaction.atomic():
        proposals.answer(proposal, by=work.client, accept=True)
        listening.start()
        wait_for(somebody_waits)
    listening.join(120)

    assert work.step(2).hold.carried_from == work.step(1).hold
    assert work.step(2).hold.status == Hold.Status.FROZEN
    assert work.step(2).status == Milestone.Status.FROZEN


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def wait_for(condition):
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_odd_cents_carried_twice_stay_to_the_last_one(stripe_sandbox):
    # 3 % of 21.00 is 0.63; of each half it is 0.32, a cent too much together.
    work = Work.build(stripe_sandbox, "21.00", "15.50", "33.33")
    work.connect()
    paid = work.delivered(1).hold.client_pays

    agree(work, "10.50")
    assert work.step(2).hold.client_fee == eur("0.31")
    deliveries.deliver(work.step(2), by=work.freelancer, note="Part of it.")
    agree(work, "5.25", n=2)

    ends = [step.hold for step in map(work.step, (1, 2)) if step.hold]
    gone = sum((one.shares(one.awarded).to_payee for one in ends), eur("0.00"))
    fees = sum((one.shares(one.awarded).fees for one in ends), eur("0.00"))
    back = sum((one.amount for one in Refund.objects.all()), eur("0.00"))
    held = sum((one.client_pays for one in Hold.objects.filter(status="held")), eur("0.00"))
    assert gone + fees + back + held == paid
    assert work.step(3).status == Milestone.Status.FUNDED


def test_only_held_money_is_carried_and_never_all_of_it(work):
    hold = work.funded(1).hold
    for amount in ("0.00", "600.00", "600.01"):
        with pytest.raises(DomainError):
            carrying_money.carry(hold, by=work.client, amount=eur(amount), label="Step 2")
    assert Hold.objects.filter(carried_from=hold).count() == 0


@pytest.mark.django_db(transaction=True)
def test_against_a_payment_for_the_next_one_at_the_same_moment_nobody_pays_twice(work):
    work.delivered(1)
    proposal = propose(work)

    def act(number):
        if number:
            return funding.fund_milestone(work.step(2), by=work.client)
        return proposals.answer(proposal, by=work.client, accept=True)

    outcomes = together(act, 2)

    # Whoever was first: nothing is carried to a milestone that is being paid, nor to another one.
    assert outcomes in (["ok", "InvalidTransition"], ["DomainError", "ok"])
    taken = Hold.objects.filter(carried_from__isnull=False)
    assert [hold.milestone.position for hold in taken] == ([2] if outcomes[0] == "ok" else [])
    assert work.contract.status == Contract.Status.ACTIVE
