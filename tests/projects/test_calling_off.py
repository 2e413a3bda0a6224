"""Getting held money back: by agreement, by silence while nothing was delivered (C1, C2)."""

import datetime as dt

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from payments.models import Hold, Refund
from projects.models import Cancellation, Milestone
from projects.services import approvals, deliveries, ending
from tests.payments.threads import together
from tests.projects.proofs import nothing_is_broken
from tests.projects.work import Work, eur

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


def test_c1_what_was_delivered_comes_back_by_agreement_and_never_by_silence(work):
    step = work.delivered(1)
    with pytest.raises(InvalidTransition):
        ending.call_off(step, by=work.freelancer)
    question = ending.call_off(step, by=work.client, reason="Changed my mind.")

    page = work.as_freelancer.get(work.contract.get_absolute_url()).content.decode()
    with time_machine.travel(question.answer_due_at + HOUR):
        assert (ending.lapse_due(), ending.lapse_due()) == (1, 0)
        answered = work.as_client.get(work.contract.get_absolute_url()).content.decode()

    assert "nothing goes back without your yes" in page
    assert "its money stays held" in answered
    question.refresh_from_db()
    assert question.status == Cancellation.Status.UNANSWERED
    assert work.step(1).status == Milestone.Status.SUBMITTED
    assert work.held(step.hold) == eur("600.00")
    for user in (work.client, work.freelancer):
        assert user.notices.filter(kind="cancellation_unanswered").count() == 1
    nothing_is_broken()


def test_the_freelancer_agrees_to_return_delivered_work_s_money(work):
    step = work.delivered(1)
    ending.call_off(step, by=work.client, reason="Changed my mind.")

    ending.answer(step, by=work.freelancer, accept=True)

    assert work.step(1).status == Milestone.Status.SETTLED
    assert Refund.objects.get().amount == eur("618.00")
    nothing_is_broken()


def test_while_a_wish_waits_silence_is_no_approval_and_a_day_is_left_after_it(work):
    step = work.delivered(1)
    asked_at = step.review_due_at - HOUR
    with time_machine.travel(asked_at):
        question = ending.call_off(work.step(1), by=work.client, reason="It is not ours.")
    with time_machine.travel(asked_at + 24 * HOUR):
        assert approvals.approve_due() == 0
        assert approvals.approve_by_silence(work.step(1)) is False
    with time_machine.travel(question.answer_due_at + HOUR):
        ending.lapse_due()
        assert approvals.approve_due() == 0
    with time_machine.travel(question.answer_due_at + 26 * HOUR):
        assert approvals.approve_due() == 1

    nothing_is_broken()


def test_one_wish_for_each_delivery_stops_the_review_clock(work):
    step = work.delivered(1)
    ending.call_off(step, by=work.client, reason="It is not ours.")
    ending.take_back(step, by=work.client)

    with pytest.raises(DomainError, match="asked about this delivery"):
        ending.call_off(work.step(1), by=work.client, reason="It is still not ours.")
    with time_machine.travel(work.step(1).review_due_at + HOUR):
        assert approvals.approve_due() == 1


def test_an_approval_takes_the_wish_off_the_table(work):
    step = work.delivered(1)
    ending.call_off(step, by=work.client, reason="Changed my mind.")

    approvals.approve(step, by=work.client)

    assert Cancellation.objects.get().status == Cancellation.Status.OVERTAKEN
    with pytest.raises(InvalidTransition):
        ending.answer(work.step(1), by=work.freelancer, accept=True)


def test_the_freelancer_is_reminded_a_day_before_once(work):
    question = ending.call_off(work.funded(1), by=work.client, reason="The shop closes.")

    with time_machine.travel(question.answer_due_at - 25 * HOUR):
        assert ending.remind_due() == 0
    with time_machine.travel(question.answer_due_at - 23 * HOUR):
        assert (ending.remind_due(), ending.remind_due()) == (1, 0)

    assert work.freelancer.notices.filter(kind="cancellation_reminder").count() == 1


def test_c2_asking_to_end_returns_what_was_not_delivered_after_seven_days_of_silence(work):
    work.delivered(1)
    work.funded(2)
    url = f"{work.contract.get_absolute_url()}end/"

    page = work.as_client.get(url).content.decode()
    empty = work.as_client.post(url, {"ask": "1", "reason": ""})
    asked = work.as_client.post(url, {"ask": "1", "reason": "The shop closes."})

    assert "Ask Ines to end the contract" in page
    assert (empty.status_code, asked.status_code) == (422, 303)
    due = Cancellation.objects.values_list("answer_due_at", flat=True)[0]
    with time_machine.travel(due - HOUR):
        assert ending.lapse_due() == 0
    with time_machine.travel(due + HOUR):
        assert (ending.lapse_due(), ending.lapse_due()) == (2, 0)

    assert [work.step(n).status for n in (1, 2, 3)] == ["submitted", "cancelled", "planned"]
    assert work.step(2).hold.basis_detail == "C2"
    nothing_is_broken()


def test_c2_when_the_freelancer_agrees_to_everything_the_contract_ends(work):
    work.delivered(1)
    work.funded(2)
    ending.ask_to_end(work.contract, by=work.client, reason="The shop closes.")

    for n in (1, 2):
        ending.answer(work.step(n), by=work.freelancer, accept=True)

    work.contract.refresh_from_db()
    assert work.contract.status == "ended_early"
    assert [work.step(n).status for n in (1, 2, 3)] == ["settled", "cancelled", "cancelled"]
    nothing_is_broken()


def test_programs_ask_to_end_and_answer(work):
    work.delivered(1)
    base = f"/api/v1/contracts/{work.contract.ref}"

    def post(user, path, **body):
        return user.post(
            f"{base}/{path}",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": f"{path}-{len(body)}"},
        )

    asked = post(work.as_client, "ask-to-end/", reason="The shop closes.")
    agreed = post(work.as_freelancer, "milestones/1/call-off/answer/", accept=True)

    assert (asked.status_code, agreed.status_code) == (200, 200)
    assert agreed.json()["status"] == "ended_early"


def test_o12_a_client_s_yes_does_not_take_their_wish_back_but_null_does(work):
    work.funded(1)
    ending.call_off(work.step(1), by=work.client, reason="The shop closes.")
    url = f"/api/v1/contracts/{work.contract.ref}/milestones/1/call-off/answer/"

    def answer(user, accept, key):
        return user.post(
            url,
            {"accept": accept},
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    for accept in (True, False):
        refused = answer(work.as_client, accept, f"client-{accept}")
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["accept"])
        assert Cancellation.objects.get().status == "open"
    assert answer(work.as_freelancer, None, "freelancer").status_code == 403
    assert answer(work.as_client, None, "client").status_code == 200
    assert Cancellation.objects.get().status == "withdrawn"


# --- An old yes (O13) -----------------------------------------------------------------------


def agree_to_end_while_other_money_is_out(work):
    """Milestone 2 goes back by agreement, milestone 1 stays: the yes waits for it."""
    work.delivered(1)
    work.funded(2)
    ending.ask_to_end(work.contract, by=work.client, reason="The shop closes.")
    ending.answer(work.step(1), by=work.freelancer, accept=False)
    ending.answer(work.step(2), by=work.freelancer, accept=True)


def test_o13_a_yes_to_end_the_contract_holds_for_the_days_of_the_policy(work):
    agree_to_end_while_other_money_is_out(work)
    until = Cancellation.objects.get(status="accepted").consent_until
    with time_machine.travel(until - HOUR):
        assert ending.forget_consents() == 0
        ending.return_money(work.step(1), by=work.freelancer)
    assert [work.step(n).status for n in (1, 2, 3)] == ["settled", "cancelled", "cancelled"]


def test_o13_an_old_yes_lapses_once_and_both_are_told(work):
    agree_to_end_while_other_money_is_out(work)
    until = Cancellation.objects.get(status="accepted").consent_until
    assert abs((until - clock.now()).days - work.contract.policy.end_consent_days) <= 1
    with time_machine.travel(until + HOUR):
        assert (ending.forget_consents(), ending.forget_consents()) == (1, 0)
        ending.return_money(work.step(1), by=work.freelancer)
    assert work.step(3).status == "planned"
    work.contract.refresh_from_db()
    assert work.contract.status == "active"
    for side in (work.client, work.freelancer):
        assert side.notices.filter(kind="end_consent_lapsed").count() == 1
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "The agreement to end the contract lapsed" in page


def test_o13_a_yes_that_is_past_its_day_counts_for_nothing_before_any_sweep(work):
    agree_to_end_while_other_money_is_out(work)
    until = Cancellation.objects.get(status="accepted").consent_until
    with time_machine.travel(until + HOUR):
        ending.return_money(work.step(1), by=work.freelancer)
    assert work.step(3).status == "planned"


def test_a_contract_without_held_money_is_not_asked_about(work):
    with pytest.raises(InvalidTransition):
        ending.ask_to_end(work.contract, by=work.client, reason="The shop closes.")
    with pytest.raises(NotAllowed):
        ending.ask_to_end(work.contract, by=work.freelancer, reason="The shop closes.")


@pytest.mark.django_db(transaction=True)
def test_of_silence_and_a_late_no_at_the_same_moment_one_comes_first(stripe_sandbox):
    work = Work.build(stripe_sandbox, *["10.00"] * 20)
    for n in range(1, 21):
        question = ending.call_off(work.funded(n), by=work.client, reason="The shop closes.")
        Cancellation.objects.filter(pk=question.pk).update(answer_due_at=clock.now() - HOUR)

        def act(which, n=n):
            if which:
                ending.lapse_due()
            else:
                ending.answer(work.step(n), by=work.freelancer, accept=False)

        outcomes = together(act, 2)

        question.refresh_from_db()
        declined = outcomes[0] == "ok"
        assert question.status == ("declined" if declined else "lapsed")
        assert Refund.objects.filter(hold=work.step(n).hold).count() == (not declined)


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
