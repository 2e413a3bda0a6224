"""Saying yes, by a person or by silence, exactly once."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connection

from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from payments.models import Hold, Transfer
from projects.models import Contract, Milestone
from projects.services import approvals, deliveries, disputes
from tests.projects.work import Work, eur


def together(*acts):
    """Run the acts at the same moment in threads of their own; what each returned or raised."""
    gate = threading.Barrier(len(acts))
    results = [None] * len(acts)

    def run(i, act):
        gate.wait()
        try:
            results[i] = act()
        except DomainError as error:
            results[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


def test_approving_pays_the_freelancer_less_the_fee_and_only_once(work):
    work.connect()
    step = work.delivered(1)

    approvals.approve(step, by=work.client)

    step = work.step(1)
    assert step.status == Milestone.Status.APPROVED
    assert (step.hold.status, step.hold.basis) == (Hold.Status.RELEASED, Hold.Basis.APPROVAL)
    assert work.held(step.hold) == eur("0.00")
    assert Transfer.objects.get().amount == eur("552.00")
    with pytest.raises(InvalidTransition):
        approvals.approve(step, by=work.client)
    work.work_off()
    assert Transfer.objects.get().status == Transfer.Status.SENT
    assert work.contract.events.filter(kind="money.paid_out").exists()
    assert work.freelancer.notices.filter(kind="money_paid_out").exists()


def test_the_approve_page_shows_the_sums_and_the_second_press_shows_what_is(work):
    work.delivered(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/approve/"

    page = work.as_client.get(url).content.decode()
    first = work.as_client.post(url, {"round": 1})
    second = work.as_client.post(url, {"round": 1})

    for said in ("Release €600.00", "−€48.00", "€552.00", "This cannot be undone"):
        assert said in page
    assert first.status_code == 303
    assert second.status_code == 409
    assert "Approved" in second.content.decode()
    assert "is released already" in work.as_client.get(url).content.decode()
    assert Transfer.objects.count() == 1


def test_nobody_approves_a_delivery_they_have_not_seen(work):
    step = work.delivered(1)
    deliveries.ask_for_changes(step, by=work.client, points="More blue.")
    deliveries.deliver(work.step(1), by=work.freelancer, note="Bluer.")

    with pytest.raises(InvalidTransition):
        approvals.approve(work.step(1), by=work.client, seen_round=1)

    assert work.step(1).status == Milestone.Status.SUBMITTED


def test_the_freelancer_cannot_release_their_own_money(work):
    step = work.delivered(1)

    with pytest.raises(NotAllowed):
        approvals.approve(step, by=work.freelancer)
    url = f"{work.contract.get_absolute_url()}milestones/1/approve/"
    assert work.as_freelancer.post(url, {"round": 1}).status_code == 403
    assert Transfer.objects.count() == 0


def test_silence_counts_as_yes_when_the_window_is_over_and_not_before(work):
    due = work.delivered(1).review_due_at

    assert approvals.approve_due() == 0
    with time_machine.travel(due + dt.timedelta(minutes=1)):
        assert approvals.approve_due() == 1
        assert approvals.approve_due() == 0

    step = work.step(1)
    assert step.status == Milestone.Status.APPROVED
    assert (step.hold.basis, step.hold.basis_detail) == (Hold.Basis.RULE, "M5")
    assert work.freelancer.notices.filter(kind="approved_by_silence").count() == 1
    assert work.client.notices.filter(kind="approved_by_silence").count() == 1
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "Nobody replied in time" in page


def test_silence_releases_nothing_that_somebody_sent_back_in_time(work):
    step = work.delivered(1)
    due = step.review_due_at
    deliveries.ask_for_changes(step, by=work.client, points="More blue.")

    with time_machine.travel(due + dt.timedelta(minutes=1)):
        assert approvals.approve_due() == 0

    assert work.held(work.step(1).hold) == eur("600.00")


# --- Races ----------------------------------------------------------------------------------


def contract_of_many(stripe, steps):
    """A contract whose `steps` milestones are all delivered."""
    work = Work.build(stripe, *["10.00"] * steps)
    for n in range(1, steps + 1):
        work.delivered(n)
    return work


def rounds(stripe, *, count=50, size=17):
    """(work, n) for that many delivered milestones."""
    done = 0
    while done < count:
        steps = min(size, count - done)
        work = contract_of_many(stripe, steps)
        yield from ((work, n) for n in range(1, steps + 1))
        done += steps


@pytest.mark.django_db(transaction=True)
def test_approving_twice_at_the_same_moment_pays_once(stripe_sandbox):
    for work, n in rounds(stripe_sandbox):
        results = together(*[lambda w=work, n=n: approvals.approve(w.step(n), by=w.client)] * 2)

        assert sorted(type(r).__name__ for r in results) == ["InvalidTransition", "NoneType"]
        assert Transfer.objects.filter(hold=work.step(n).hold).count() == 1
    assert set(Contract.objects.values_list("status", flat=True)) == {"completed"}


@pytest.mark.django_db(transaction=True)
def test_of_a_release_and_a_dispute_at_the_same_moment_one_comes_first(stripe_sandbox):
    winners = set()
    for work, n in rounds(stripe_sandbox):
        results = together(
            lambda w=work, n=n: approvals.approve(w.step(n), by=w.client),
            lambda w=work, n=n: disputes.open_dispute(
                w.step(n),
                by=w.freelancer,
                reason="other",
                body="Before it is too late.",
                to_freelancer=eur("10.00"),
            ),
        )

        lost = [isinstance(result, InvalidTransition) for result in results]
        assert sorted(lost) == [False, True]
        step = work.step(n)
        released = lost[1]
        winners.add(released)
        assert step.status == ("approved" if released else "disputed")
        assert step.hold.status == ("released" if released else "paused")
        assert work.held(step.hold) == eur("0.00")
        assert work.paused(step.hold) == eur("0.00" if released else "10.00")
    assert winners <= {True, False}


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_the_same_moment_release_a_silent_milestone_once(stripe_sandbox):
    work = contract_of_many(stripe_sandbox, 10)
    due = max(step.review_due_at for step in work.contract.milestones.all())

    with time_machine.travel(due + dt.timedelta(hours=1)):
        released = together(approvals.approve_due, approvals.approve_due)

    assert sum(released) == 10
    assert Transfer.objects.count() == 10
    assert sum(Transfer.objects.values_list("amount_minor", flat=True)) == 92_00
