"""Calling a funded milestone off before anything was delivered."""

import datetime as dt

import pytest
import time_machine

from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from payments.models import Hold, Refund
from projects.models import Cancellation, Milestone
from projects.services import deliveries, ending
from tests.projects.work import eur

HOUR = dt.timedelta(hours=1)


def test_the_client_asks_and_the_freelancer_agrees_then_everything_goes_back(work):
    work.funded(1)
    # Stripe keeps its fee of the payment; the platform has money of its own to refund it all.
    work.stripe.add_money(eur("1000.00"))
    url = f"{work.contract.get_absolute_url()}milestones/1/call-off/"

    page = work.as_client.get(url).content.decode()
    asked = work.as_client.post(url, {"reason": "The shop closes."})
    answer = work.as_freelancer.post(f"{url}answer/", {"answer": "yes"})

    assert "all €618.00 come back to you, fee included" in page
    assert (asked.status_code, answer.status_code) == (303, 303)
    step = work.step(1)
    assert step.status == Milestone.Status.CANCELLED
    assert (step.hold.status, step.hold.basis) == ("refunded", Hold.Basis.SETTLEMENT)
    assert Refund.objects.get().amount == eur("618.00")
    work.work_off()
    work.hear()
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert work.client.notices.filter(kind="money_refunded").exists()


def test_the_freelancer_declines_and_the_money_stays_held(work):
    step = work.funded(1)
    ending.call_off(step, by=work.client, reason="The shop closes.")

    ending.answer(step, by=work.freelancer, accept=False)

    assert work.step(1).status == Milestone.Status.FUNDED
    assert work.held(step.hold) == eur("600.00")
    assert Cancellation.objects.get().status == Cancellation.Status.DECLINED
    assert work.client.notices.filter(kind="cancellation_declined").exists()


def test_silence_of_three_days_grants_it_once(work):
    step = work.funded(1)
    question = ending.call_off(step, by=work.client, reason="The shop closes.")

    with time_machine.travel(question.answer_due_at - HOUR):
        assert ending.lapse_due() == 0
    with time_machine.travel(question.answer_due_at + HOUR):
        assert (ending.lapse_due(), ending.lapse_due()) == (1, 0)

    step = work.step(1)
    assert (step.hold.status, step.hold.basis_detail) == ("refunded", "C1")


def test_a_delivery_takes_the_question_off_the_table(work):
    step = work.funded(1)
    question = ending.call_off(step, by=work.client, reason="The shop closes.")

    deliveries.deliver(step, by=work.freelancer, note="It is done.")

    with time_machine.travel(question.answer_due_at + HOUR):
        assert ending.lapse_due() == 0
    question.refresh_from_db()
    assert question.status == Cancellation.Status.OVERTAKEN
    assert work.step(1).status == Milestone.Status.SUBMITTED
    with pytest.raises(InvalidTransition):
        ending.answer(step, by=work.freelancer, accept=True)


def test_when_it_is_very_late_the_client_decides_alone(work):
    step = work.funded(1)
    late = dt.datetime.combine(step.due_on, dt.time(), tzinfo=dt.UTC) + 48 * HOUR

    with time_machine.travel(late - HOUR):
        assert not ending.is_very_late(work.step(1))
    with time_machine.travel(late + HOUR):
        assert ending.call_off(work.step(1), by=work.client) is None

    assert work.step(1).hold.basis_detail == "M13"
    assert Refund.objects.get().amount == eur("618.00")


def test_the_freelancer_may_return_the_money_at_any_time_before_delivering(work):
    work.funded(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/call-off/"

    page = work.as_freelancer.get(url).content.decode()
    answer = work.as_freelancer.post(url)

    assert "You receive nothing for this milestone" in page
    assert answer.status_code == 303
    hold = work.step(1).hold
    assert hold.basis == Hold.Basis.SETTLEMENT
    assert hold.basis_detail == f"C3 by user {work.freelancer.ref}"


def test_what_was_delivered_cannot_be_called_off(work):
    step = work.delivered(1)

    with pytest.raises(InvalidTransition):
        ending.call_off(step, by=work.client, reason="Changed my mind.")
    with pytest.raises(InvalidTransition):
        ending.call_off(step, by=work.freelancer)
    assert work.held(step.hold) == eur("600.00")


def test_asking_twice_is_asking_once_and_taking_it_back_ends_it(work):
    step = work.funded(1)
    ending.call_off(step, by=work.client, reason="The shop closes.")

    with pytest.raises(DomainError, match="asked already"):
        ending.call_off(step, by=work.client, reason="Really.")
    with pytest.raises(NotAllowed):
        ending.take_back(step, by=work.freelancer)
    ending.take_back(step, by=work.client)

    assert Cancellation.objects.get().status == Cancellation.Status.WITHDRAWN
    assert work.step(1).status == Milestone.Status.FUNDED
