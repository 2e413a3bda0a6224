"""Less than agreed with consent (rule M8), and money given back by the freelancer (rule C3)."""

import datetime as dt

import pytest
import time_machine

from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from payments.models import Hold, Invoice, Refund, Transfer
from projects.models import Contract, Milestone, Proposal
from projects.services import approvals, ending, proposals
from tests.projects.proofs import nothing_is_broken
from tests.projects.test_approvals import rounds, together
from tests.projects.work import Work, eur

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def propose(work, amount="400.00", by=None, n=1):
    return proposals.propose_part(
        work.step(n), by=by or work.client, amount=eur(amount), reason="Two pages are missing."
    )


def test_a_lower_amount_both_agree_on_is_released_and_the_rest_goes_back_with_its_fees(work):
    work.connect()
    work.delivered(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/release-part/"

    asked = work.as_client.post(url, {"amount": "400", "reason": "Two pages are missing."})
    page = work.as_freelancer.get(url).content.decode()
    answer = f"{work.contract.get_absolute_url()}proposals/{Proposal.objects.get().ref}/answer/"
    answered = work.as_freelancer.post(answer, {"answer": "yes"})

    assert (asked.status_code, answered.status_code) == (303, 303)
    for said in ("€368.00", "€206.00", "Agree to €400.00"):
        assert said in page
    step = work.step(1)
    assert step.status == Milestone.Status.SETTLED
    assert (step.hold.status, step.hold.basis) == (Hold.Status.SPLIT, Hold.Basis.SETTLEMENT)
    assert step.hold.basis_detail == f"proposal:{Proposal.objects.get().pk}"
    assert Transfer.objects.get().amount == eur("368.00")
    assert Refund.objects.get().amount == eur("206.00")
    assert set(Invoice.objects.values_list("total_minor", flat=True)) == {40000, 1200, 3200}
    assert work.client.notices.filter(kind="part_accepted").exists()
    text = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "€400.00 to Ines" in text
    nothing_is_broken()


@pytest.mark.parametrize("accept", [False, None])
def test_declined_or_taken_back_nothing_changes(work, accept):
    step = work.delivered(1)
    proposal = propose(work)

    if accept is None:
        proposals.take_back(proposal, by=work.client)
    else:
        proposals.answer(proposal, by=work.freelancer, accept=accept)

    now = work.step(1)
    assert now.status == Milestone.Status.SUBMITTED
    assert now.review_due_at == step.review_due_at
    assert work.held(step.hold) == eur("600.00")
    nothing_is_broken()


def test_r5_a_lower_amount_lapses_after_four_days_once(work):
    work.delivered(1)
    proposal = propose(work)

    with time_machine.travel(proposal.asked_at + 4 * DAY + HOUR):
        assert (proposals.lapse_due(), proposals.lapse_due()) == (1, 0)

    assert work.step(1).status == Milestone.Status.SUBMITTED
    assert work.freelancer.notices.filter(kind="part_lapsed").count() == 1
    assert work.contract.events.filter(kind="part.lapsed").count() == 1


def test_the_side_that_proposed_cannot_agree_for_the_other(work):
    work.delivered(1)
    proposal = propose(work)

    with pytest.raises(NotAllowed):
        proposals.answer(proposal, by=work.client, accept=True)

    assert Transfer.objects.count() == 0


def test_approval_dispute_and_return_take_the_lower_amount_off_the_table(work):
    for n, end in (
        (1, lambda: approvals.approve(work.step(1), by=work.client)),
        (2, lambda: work.disputed(2)),
        (3, lambda: ending.return_money(work.step(3), by=work.freelancer)),
    ):
        work.delivered(n) if n != 2 else work.funded(n)
        proposal = propose(work, n=n)
        end()
        proposal.refresh_from_db()
        assert proposal.status == Proposal.Status.OVERTAKEN
        with pytest.raises(InvalidTransition):
            proposals.answer(proposal, by=work.freelancer, accept=True)
    nothing_is_broken()


@pytest.mark.parametrize("amount", ["0.00", "600.00", "600.01"])
def test_only_less_than_agreed_and_more_than_nothing_can_be_proposed(work, amount):
    work.delivered(1)

    with pytest.raises(InvalidInput, match=r"below €600\.00"):
        propose(work, amount)


@pytest.mark.django_db(transaction=True)
def test_of_an_approval_and_an_agreement_on_less_at_the_same_moment_one_comes_first(
    stripe_sandbox,
):
    for work, n in rounds(stripe_sandbox, count=12, size=6):
        proposal = propose(work, "6.00", n=n)
        results = together(
            lambda w=work, n=n: approvals.approve(w.step(n), by=w.client),
            lambda w=work, p=proposal: proposals.answer(p, by=w.freelancer, accept=True),
        )

        lost = [isinstance(result, InvalidTransition) for result in results]
        assert sorted(lost) == [False, True], results
        step = work.step(n)
        assert step.hold.status == ("split" if lost[0] else "released")
        assert Transfer.objects.filter(hold=step.hold).count() == 1


# --- Given back -----------------------------------------------------------------------------


def test_the_freelancer_alone_gives_delivered_work_s_money_back(work):
    work.delivered(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/return-money/"

    page = work.as_freelancer.get(url).content.decode()
    refused = work.as_client.post(url)
    done = work.as_freelancer.post(url)
    again = work.as_freelancer.post(url)

    assert "Give €618.00 back" in page
    assert (refused.status_code, done.status_code, again.status_code) == (403, 303, 409)
    hold = work.step(1).hold
    assert (hold.status, hold.basis) == (Hold.Status.REFUNDED, Hold.Basis.SETTLEMENT)
    assert hold.basis_detail == f"C3 by user {work.freelancer.ref}"
    assert Refund.objects.get().amount == eur("618.00")
    assert work.client.notices.filter(kind="money_returned").count() == 1
    nothing_is_broken()


def test_giving_the_last_money_back_ends_the_contract_early(stripe_sandbox, db):
    work = Work.build(stripe_sandbox, "100.00")
    work.delivered(1)

    ending.return_money(work.step(1), by=work.freelancer)

    work.contract.refresh_from_db()
    assert work.contract.status == Contract.Status.ENDED_EARLY
    nothing_is_broken()


def test_disputed_money_cannot_be_given_back_behind_the_dispute(work):
    work.disputed(1)

    with pytest.raises(InvalidTransition):
        ending.return_money(work.step(1), by=work.freelancer)
