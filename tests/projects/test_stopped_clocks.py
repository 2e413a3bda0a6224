"""What a dispute or a questioned payment stops moves on by as long as it was stopped."""

import datetime as dt

import pytest
import time_machine

from marketplace.core import clock
from payments.models import Hold
from payments.signals import payment_cleared, payment_questioned
from projects.services import disputes as quarrels
from projects.services import dormancy, ending, lateness, proposals
from tests.projects.work import eur

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def stop(step):
    payment_questioned.send(sender=Hold, hold=step.hold, at=clock.now())


def go_on(step):
    payment_cleared.send(sender=Hold, hold=step.hold, at=clock.now())


def test_due_dates_move_on_by_the_days_a_payment_was_questioned(work):
    step = work.funded(1)
    was = step.due_on

    stop(step)
    with time_machine.travel(clock.now() + 3 * DAY - HOUR):
        go_on(step)

    now = work.step(1)
    assert now.due_on == was + 3 * DAY
    assert now.late_due_at == step.late_due_at + 3 * DAY
    assert now.custody_due_at == step.custody_due_at
    assert now.dormant_due_at > step.dormant_due_at
    assert (now.stopped_at, now.status) == (None, "funded")
    history = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "It was stopped, so it is now due" in history


def test_nobody_is_late_and_no_wish_lapses_while_the_bank_decides(work):
    step = work.funded(1)
    question = ending.call_off(step, by=work.client, reason="The shop closes.")
    proposal = proposals.propose_part(
        step, by=work.freelancer, amount=eur("400.00"), reason="Half is done."
    )
    stop(step)

    with time_machine.travel(clock.now() + 60 * DAY):
        assert ending.lapse_due() == proposals.lapse_due() == 0
        assert lateness.notice_due() == dormancy.run_due() == 0
        go_on(step)
        assert ending.lapse_due() == proposals.lapse_due() == 0
        assert not ending.is_very_late(work.step(1))

    question_was, proposal_was = question.answer_due_at, proposal.answer_due_at
    question.refresh_from_db()
    proposal.refresh_from_db()
    assert question.answer_due_at - question_was >= 60 * DAY
    assert proposal.answer_due_at - proposal_was >= 60 * DAY


def test_due_dates_move_on_by_the_days_of_a_dispute_that_was_taken_back(work):
    step = work.funded(1)
    dispute = quarrels.open_dispute(
        step, by=work.client, reason="other", body="Silence.", to_freelancer=eur("0.00")
    )

    with time_machine.travel(clock.now() + 4 * DAY + HOUR):
        quarrels.withdraw(dispute, by=work.client)

    now = work.step(1)
    assert now.due_on == step.due_on + 5 * DAY
    assert now.late_due_at == step.late_due_at + 5 * DAY
    assert now.custody_due_at == step.custody_due_at


@pytest.mark.parametrize("stopped", [False, True])
def test_the_review_window_runs_on_where_it_was_stopped(work, stopped):
    step = work.delivered(1)

    if stopped:
        stop(step)
    with time_machine.travel(clock.now() + 5 * DAY):
        if stopped:
            go_on(step)

    moved = work.step(1).review_due_at - step.review_due_at
    assert abs(moved - (5 * DAY if stopped else dt.timedelta())) < HOUR


# --- A dispute its opener takes back (O7) ---------------------------------------------------


def quarrel(step, *, by, travel):
    """Open a dispute and take it back after so long."""
    dispute = quarrels.open_dispute(
        step, by=by, reason="other", body="Silence.", to_freelancer=eur("0.00")
    )
    with time_machine.travel(clock.now() + travel):
        quarrels.withdraw(dispute, by=by)


@pytest.mark.parametrize("stopped", [dt.timedelta(minutes=1), 4 * DAY])
def test_o7_a_freelancer_gains_no_day_by_a_dispute_of_their_own(work, stopped):
    step = work.funded(1)
    quarrel(step, by=work.freelancer, travel=stopped)

    now = work.step(1)
    assert (now.due_on, now.late_due_at) == (step.due_on, step.late_due_at)
    assert now.stopped_at is None


def test_o7_who_is_late_is_as_late_after_a_dispute_of_their_own(work):
    step = work.funded(1)
    with time_machine.travel(step.very_late_at + HOUR):
        assert ending.is_very_late(work.step(1))
        quarrel(work.step(1), by=work.freelancer, travel=5 * DAY)
        assert ending.is_very_late(work.step(1))


def test_o7_the_other_side_gets_the_time_back_and_the_review_exactly_what_was_left(work):
    step = work.delivered(1)
    quarrel(work.step(1), by=work.client, travel=3 * DAY)
    now = work.step(1)
    assert now.due_on == step.due_on + 4 * DAY
    moved = now.review_due_at - step.review_due_at
    assert abs(moved - 3 * DAY) < dt.timedelta(minutes=10)
