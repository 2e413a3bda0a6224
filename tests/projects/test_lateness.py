"""Late, very late, and a later date that both agreed on (rules M12, M13)."""

import datetime as dt

import pytest
import time_machine

from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from payments.models import Hold, Refund, Transfer
from projects.models import Proposal
from projects.services import deliveries, disputes, ending, lateness, proposals
from tests.projects.proofs import nothing_is_broken
from tests.projects.test_approvals import together
from tests.projects.work import Work, eur

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def told(user, kind):
    return user.notices.filter(kind=kind).count()


def page_of(work, who):
    return who.get(work.contract.get_absolute_url()).content.decode()


def test_both_hear_when_it_is_late_and_when_it_is_very_late_once_each(work):
    step = work.funded(1)

    with time_machine.travel(step.late_at - HOUR):
        assert lateness.notice_due() == 0
    with time_machine.travel(step.late_at + HOUR):
        assert (lateness.notice_due(), lateness.notice_due()) == (1, 0)
        assert "Late: it was due" in page_of(work, work.as_client)
        assert not ending.is_very_late(work.step(1))
    with time_machine.travel(step.very_late_at + HOUR):
        assert (lateness.notice_due(), lateness.notice_due()) == (1, 0)
        assert "is very late" in page_of(work, work.as_client)
        assert "Please deliver it" in page_of(work, work.as_freelancer)

    for user in (work.client, work.freelancer):
        assert told(user, "milestone_late") == told(user, "milestone_very_late") == 1
    nothing_is_broken()


def test_what_was_delivered_is_not_late(work):
    step = work.delivered(1)

    with time_machine.travel(step.very_late_at + HOUR):
        assert lateness.notice_due() == 0
        with pytest.raises(InvalidTransition):
            ending.call_off_very_late(work.step(1), by=work.client)

    assert work.held(step.hold) == eur("600.00")


def test_who_pays_after_the_due_date_has_not_made_the_other_late(work):
    with time_machine.travel(dt.datetime.combine(work.step(1).due_on, dt.time(), dt.UTC) + 5 * DAY):
        step = work.funded(1)
        assert lateness.notice_due() == 0
        assert not ending.is_very_late(step)


def test_the_client_alone_gets_all_back_when_it_is_very_late_and_nobody_else_may(work):
    step = work.funded(1)

    with time_machine.travel(step.very_late_at - HOUR), pytest.raises(InvalidTransition):
        ending.call_off_very_late(work.step(1), by=work.client)
    with time_machine.travel(step.very_late_at + HOUR):
        with pytest.raises(NotAllowed):
            ending.call_off_very_late(work.step(1), by=work.freelancer)
        ending.call_off_very_late(work.step(1), by=work.client)

    hold = work.step(1).hold
    assert (hold.status, hold.basis, hold.basis_detail) == ("refunded", Hold.Basis.RULE, "M13")
    assert Refund.objects.get().amount == eur("618.00")
    nothing_is_broken()


@pytest.mark.django_db(transaction=True)
def test_of_a_late_delivery_and_the_end_of_patience_at_the_same_moment_one_comes_first(
    stripe_sandbox,
):
    for work, n in funded_rounds(stripe_sandbox, count=12, size=6):
        late = work.step(n).very_late_at + HOUR
        with time_machine.travel(late, tick=True):
            results = together(
                lambda w=work, n=n: ending.call_off_very_late(w.step(n), by=w.client),
                lambda w=work, n=n: deliveries.deliver(w.step(n), by=w.freelancer, note="Here."),
            )
        lost = [isinstance(result, InvalidTransition) for result in results]
        assert sorted(lost) == [False, True], results
        step = work.step(n)
        assert step.status == ("submitted" if lost[0] else "cancelled")
        assert step.hold.status == ("held" if lost[0] else "refunded")
        assert work.held(step.hold) == eur("10.00" if lost[0] else "0.00")
    assert Transfer.objects.count() == 0


def funded_rounds(stripe, *, count, size):
    """(work, n) for that many milestones that are funded and not delivered."""
    done = 0
    while done < count:
        steps = min(size, count - done)
        work = Work.build(stripe, *["10.00"] * steps)
        for n in range(1, steps + 1):
            work.funded(n)
        yield from ((work, n) for n in range(1, steps + 1))
        done += steps


# --- A later date ---------------------------------------------------------------------------


def propose(work, days=10, by=None, n=1):
    step = work.step(n)
    return proposals.propose_extension(
        step, by=by or work.freelancer, due_on=step.due_on + days * DAY, reason="A cold."
    )


def test_a_later_date_that_was_accepted_ends_the_lateness(work):
    step = work.funded(1)

    with time_machine.travel(step.very_late_at - HOUR):
        lateness.notice_due()
        proposal = propose(work)
        assert told(work.client, "extension_asked") == 1
        assert "proposes" in page_of(work, work.as_client)
        proposals.answer(proposal, by=work.client, accept=True)
        now = work.step(1)
        assert now.due_on == step.due_on + 10 * DAY
        assert "Late: it was due" not in page_of(work, work.as_client)
    with time_machine.travel(step.very_late_at + HOUR):
        assert lateness.notice_due() == 0
        with pytest.raises(InvalidTransition):
            ending.call_off_very_late(work.step(1), by=work.client)
    with time_machine.travel(now.late_at + HOUR):
        assert lateness.notice_due() == 1

    assert told(work.freelancer, "extension_accepted") == 1
    assert told(work.client, "milestone_late") == 2
    nothing_is_broken()


def test_r5_a_date_nobody_answers_lapses_after_four_days_once_and_changes_nothing(work):
    step = work.funded(1)
    proposal = propose(work)

    with time_machine.travel(proposal.asked_at + 4 * DAY - HOUR):
        assert proposals.lapse_due() == 0
    with time_machine.travel(proposal.asked_at + 4 * DAY + HOUR):
        assert (proposals.lapse_due(), proposals.lapse_due()) == (1, 0)

    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.LAPSED
    assert work.step(1).due_on == step.due_on
    assert told(work.client, "extension_lapsed") == told(work.freelancer, "extension_lapsed") == 1
    with pytest.raises(InvalidTransition):
        proposals.answer(proposal, by=work.client, accept=True)


def test_a_date_is_answered_by_the_other_side_and_taken_back_by_its_own(work):
    work.funded(1)
    proposal = propose(work, by=work.client)

    with pytest.raises(NotAllowed):
        proposals.answer(proposal, by=work.client, accept=True)
    with pytest.raises(NotAllowed):
        proposals.take_back(proposal, by=work.freelancer)
    with pytest.raises(DomainError, match="open already"):
        propose(work)
    proposals.take_back(proposal, by=work.client)

    again = propose(work)
    proposals.answer(again, by=work.client, accept=False)
    assert told(work.freelancer, "extension_declined") == 1
    assert work.contract.events.filter(kind="extension.declined").count() == 1


@pytest.mark.parametrize(("days", "said"), [(0, "after the present"), (80, "may not hold")])
def test_a_date_must_be_later_and_before_the_custody_stop(work, days, said):
    work.funded(1)

    with pytest.raises(InvalidInput, match=said):
        propose(work, days=days)


def test_a_delivery_and_a_dispute_take_the_new_date_off_the_table(work):
    first = work.funded(1) and propose(work)
    deliveries.deliver(work.step(1), by=work.freelancer, note="Done.")
    second = work.funded(2) and propose(work, n=2)
    disputes.open_dispute(
        work.step(2),
        by=work.client,
        reason="other",
        body="No answer for weeks.",
        to_freelancer=eur("0.00"),
    )

    for proposal in (first, second):
        proposal.refresh_from_db()
        assert proposal.status == Proposal.Status.OVERTAKEN


def test_the_pages_of_a_new_date_lead_both_through_it(work):
    step = work.funded(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/extend/"
    new = step.due_on + 5 * DAY

    refused = work.as_freelancer.post(url, {"due_on": step.due_on.isoformat(), "reason": "Ill."})
    asked = work.as_freelancer.post(url, {"due_on": new.isoformat(), "reason": "Ill."})
    page = work.as_client.get(url).content.decode()
    answer = f"{work.contract.get_absolute_url()}proposals/{Proposal.objects.get().ref}/answer/"
    answered = work.as_client.post(answer, {"answer": "yes"})

    assert (refused.status_code, asked.status_code, answered.status_code) == (422, 303, 303)
    assert "Choose a day after the present due date" in refused.content.decode()
    assert "Agree to" in page
    assert work.step(1).due_on == new
    assert work.as_client.post(answer, {"answer": "yes"}).status_code == 409
    assert "agreed: milestone 1 is now due" in page_of(work, work.as_client)
