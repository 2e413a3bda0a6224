"""Money may not stay with us for ever: warnings, then the custody stop (rule 2.1)."""

import datetime as dt

import pytest
import time_machine

from marketplace.core.errors import InvalidInput
from payments.models import Hold, Refund, Transfer
from projects.models import Milestone
from projects.services import custody, deliveries, disputes, ending, proposals
from projects.services.contracts import MilestonePlan, refuse_too_long
from tests.factories import BidFactory
from tests.projects.proofs import nothing_is_broken
from tests.projects.test_approvals import together
from tests.projects.work import Work, eur, moderator, signed_in

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def after(step, days):
    """Shortly after so many days in our custody."""
    return time_machine.travel(step.hold.held_at + days * DAY + MINUTE)


def warnings(user):
    return list(user.notices.filter(kind="custody_warning").values_list("facts", flat=True))


def test_both_sides_are_warned_on_day_60_and_on_day_75_and_not_before(work):
    step = work.funded(1)

    with time_machine.travel(step.hold.held_at + 60 * DAY - MINUTE):
        assert custody.run_due() == 0
    for day, so_far in ((60, 1), (61, 1), (75, 2), (76, 2)):
        with after(step, day):
            custody.run_due()
        assert len(warnings(work.client)) == len(warnings(work.freelancer)) == so_far

    assert work.step(1).status == Milestone.Status.FUNDED
    assert {facts["outcome"] for facts in warnings(work.client)} == {"return"}
    assert work.contract.events.filter(kind="milestone.custody_warned").count() == 2
    nothing_is_broken()


def test_r5_at_the_stop_what_was_never_delivered_goes_back_once(work):
    step = work.funded(1)

    with time_machine.travel(step.hold.held_at + 85 * DAY - MINUTE):
        custody.run_due()
        assert work.step(1).status == Milestone.Status.FUNDED
    with after(step, 85):
        assert (custody.run_due(), custody.run_due()) == (1, 0)

    step = work.step(1)
    assert step.status == Milestone.Status.CANCELLED
    assert (step.hold.status, step.hold.basis) == (Hold.Status.REFUNDED, Hold.Basis.RULE)
    assert step.hold.basis_detail == "2.1 custody stop"
    assert Refund.objects.get().amount == eur("618.00")
    assert work.client.notices.filter(kind="custody_returned").count() == 1
    assert work.freelancer.notices.filter(kind="custody_returned").count() == 1
    nothing_is_broken()


@pytest.mark.parametrize("sent_back", [False, True])
def test_at_the_stop_what_was_delivered_is_released_even_if_changes_were_asked_for(work, sent_back):
    step = work.funded(1)
    with time_machine.travel(step.hold.held_at + 84 * DAY):
        deliveries.deliver(step, by=work.freelancer, note="Late, but whole.")
        if sent_back:
            deliveries.ask_for_changes(step, by=work.client, points="More blue.")

    with after(step, 85):
        assert custody.run_due() == 1

    step = work.step(1)
    assert step.status == Milestone.Status.APPROVED
    assert (step.hold.status, step.hold.basis) == (Hold.Status.RELEASED, Hold.Basis.RULE)
    assert step.hold.basis_detail == "2.1 custody stop"
    assert Transfer.objects.get().amount == eur("552.00")
    assert work.freelancer.notices.filter(kind="custody_released").exists()
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "as long as it may stay with us" in page
    nothing_is_broken()


def test_d1_at_the_stop_a_dispute_is_left_to_people_and_they_are_called_once(work):
    judge = moderator()
    dispute = work.disputed(1)
    step = work.step(1)

    with after(step, 85):
        assert (custody.run_due(), custody.run_due()) == (1, 0)
        told = judge.notices.filter(kind="dispute_custody_stop")
        assert told.count() == 1
        assert work.step(1).status == Milestone.Status.DISPUTED
        assert work.paused(step.hold) == eur("600.00")
        nothing_is_broken()

        # Taken back after the stop, the money cannot stay: it follows the rule at the next beat.
        disputes.withdraw(dispute, by=work.client)
        assert custody.run_due() == 1
    assert work.step(1).hold.basis_detail == "2.1 custody stop"
    nothing_is_broken()


@pytest.mark.django_db(transaction=True)
def test_r5_two_beats_at_the_same_moment_reach_the_stop_once(stripe_sandbox):
    work = Work.build(stripe_sandbox, *["10.00"] * 10)
    steps = [work.funded(n) for n in range(1, 11)]

    with after(steps[-1], 85):
        acted = [together(custody.run_due, custody.run_due) for _beat in range(12)]

    assert sum(map(sum, acted)) == 10
    assert Refund.objects.count() == 10


def test_the_contract_page_shows_the_clock_and_what_happens_at_its_end(work):
    work.funded(1)
    url = work.contract.get_absolute_url()

    client, freelancer = (
        who.get(url).content.decode() for who in (work.as_client, work.as_freelancer)
    )

    for page in (client, freelancer):
        assert "goes back to Kim if nothing is delivered by then" in page
    deliveries.deliver(work.step(1), by=work.freelancer, note="All pages.")
    assert "is released at the latest" in work.as_client.get(url).content.decode()


# --- Plans ----------------------------------------------------------------------------------


def plan(*days):
    today = dt.datetime.now(dt.UTC).date()
    return [MilestonePlan(f"Step {n}", eur("100.00"), today + d * DAY) for n, d in enumerate(days)]


def test_a_milestone_of_more_than_sixty_days_must_be_split(work):
    policy = work.contract.policy
    refuse_too_long(plan(60, 120, 180), policy)

    with pytest.raises(InvalidInput, match="Milestone 2 must be split") as refused:
        refuse_too_long(plan(60, 121), policy)

    assert refused.value.field == "milestones.2.due_on"
    with pytest.raises(InvalidInput, match="Milestone 1 must be split"):
        refuse_too_long(plan(61), policy)


def test_the_hire_page_says_beside_the_date_that_a_milestone_must_be_split(db):
    bid = BidFactory()
    client = signed_in(bid.project.posted_by)
    day = dt.datetime.now(dt.UTC).date() + 70 * DAY
    url = f"{bid.project.get_absolute_url()}hire/{bid.ref}/"

    page = client.post(
        url,
        {
            "seen_version": bid.version,
            "m1_title": "All of it",
            "m1_amount": str(bid.price.decimal),
            "m1_due_on": day.isoformat(),
        },
    )

    assert page.status_code == 400
    assert page.context["form"].errors["m1_due_on"]
    assert "must be split" in page.content.decode()


def test_ending_a_contract_early_takes_its_proposals_off_the_table(work):
    step = work.step(1)
    proposal = proposals.propose_extension(
        step, by=work.freelancer, due_on=step.due_on + DAY, reason="A holiday."
    )

    ending.end_early(work.contract, by=work.client)

    proposal.refresh_from_db()
    assert proposal.status == "overtaken"
    nothing_is_broken()
