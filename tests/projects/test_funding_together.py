"""One payment for the whole contract (rule M2): several holds, each with an end of its own."""

import datetime as dt

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.errors import InvalidTransition, NotAllowed
from payments.models import Funding, FundingPart, Hold, Refund
from payments.services import funding as payments_funding
from payments.services import holds
from projects.models import Milestone
from projects.services import approvals, ending, funding
from tests.payments.threads import together
from tests.projects.proofs import nothing_is_broken
from tests.projects.work import Work, eur

DAY = dt.timedelta(days=1)


def start(work):
    started = funding.fund_together(work.contract, by=work.client)
    assert payments_funding.checkout_url(started)
    return started


def pay(work, started):
    work.stripe.pay(started.session_id)
    payments_funding.confirm(started)


def statuses(work):
    return list(work.contract.milestones.values_list("status", flat=True))


def test_one_payment_fills_every_milestone_with_its_own_money(work):
    url = f"{work.contract.get_absolute_url()}fund/"
    page = work.as_client.get(url).content.decode()
    answer = work.as_client.post(url)
    started = Funding.objects.get()
    pay(work, started)

    for said in ("€600.00", "€1,100.00", "€700.00", "€72.00", "Pay €2,472.00 with Stripe"):
        assert said in page
    assert (answer.status_code, answer["Location"]) == (303, started.session_url)
    assert started.amount == eur("2472.00")
    assert statuses(work) == ["funded"] * 3
    assert [work.held(work.step(n).hold) for n in (1, 2, 3)] == [
        eur("600.00"),
        eur("1100.00"),
        eur("700.00"),
    ]
    assert FundingPart.objects.filter(taken=True).count() == 3
    done = work.as_client.get(f"{url}1/return/").content.decode()
    assert "3 milestones are set aside" in done
    nothing_is_broken()


def test_programs_fund_together_too(work):
    answer = work.as_client.post(
        f"/api/v1/contracts/{work.contract.ref}/fund/",
        {},
        content_type="application/json",
        headers={"Idempotency-Key": "fund-1"},
    ).json()

    assert (answer["milestones"], answer["total"]) == ([1, 2, 3], "2472.00")
    assert answer["checkout_url"] == Funding.objects.get().session_url


def test_one_milestone_called_off_returns_its_part_and_the_others_stay(work):
    pay(work, start(work))

    ending.call_off(work.step(2), by=work.freelancer)
    work.work_off()

    assert Refund.objects.get().amount == eur("1133.00")
    assert statuses(work) == ["funded", "cancelled", "funded"]
    approvals.approve(work.delivered(1), by=work.client)
    assert work.held(work.step(3).hold) == eur("700.00")
    nothing_is_broken()


def test_f8_a_page_nobody_paid_leaves_every_milestone_open_for_another_try(work):
    started = start(work)
    assert statuses(work) == ["funding"] * 3
    work.stripe.move_clock(24 * 3600)
    payments_funding.confirm(started)
    work.stripe.move_clock(-24 * 3600)

    assert statuses(work) == ["planned"] * 3
    again = start(work)
    assert again.pk != started.pk
    pay(work, again)
    assert statuses(work) == ["funded"] * 3
    nothing_is_broken()


def test_f14_a_milestone_dropped_while_the_page_is_open_closes_the_page(work):
    started = start(work)
    holds.cancel_hold(work.step(2).hold, by=work.client)
    work.work_off()

    started.refresh_from_db()
    assert started.status == Funding.Status.EXPIRED
    assert Hold.objects.filter(status=Hold.Status.HELD).count() == 0


def test_paying_one_alone_closes_the_page_for_all_and_nobody_pays_twice(work):
    joint = start(work)

    alone = funding.fund_milestone(work.step(1), by=work.client)
    payments_funding.checkout_url(alone)
    work.work_off()

    joint.refresh_from_db()
    assert joint.status == Funding.Status.EXPIRED
    assert alone.amount == eur("618.00")
    assert statuses(work) == ["funding", "planned", "planned"]
    pay(work, alone)
    rest = start(work)
    assert rest.amount == eur("1854.00")
    pay(work, rest)
    assert statuses(work) == ["funded"] * 3
    nothing_is_broken()


def test_if_the_closed_page_was_paid_first_the_double_part_goes_back_once(work):
    joint = start(work)
    alone = funding.fund_milestone(work.step(1), by=work.client)
    payments_funding.checkout_url(alone)

    work.stripe.pay(joint.session_id)
    pay(work, alone)
    payments_funding.confirm(joint)
    work.work_off()

    assert statuses(work) == ["funded"] * 3
    back = Refund.objects.get()
    assert (back.amount, back.funding) == (eur("618.00"), joint)
    nothing_is_broken()


def test_a_double_part_goes_back_as_it_came_although_some_of_the_first_went_back_before(work):
    joint = start(work)
    alone = funding.fund_milestone(work.step(1), by=work.client)
    payments_funding.checkout_url(alone)

    work.stripe.pay(joint.session_id)
    pay(work, alone)
    ending.return_part(work.step(1), by=work.freelancer, amount=eur("150.00"))
    payments_funding.confirm(joint)
    work.work_off()

    assert statuses(work) == ["funded"] * 3
    assert Refund.objects.get(funding=joint).amount == eur("618.00")
    assert Refund.objects.get(funding=alone).amount == eur("154.50")
    nothing_is_broken()


def test_what_is_due_too_late_is_left_for_later(work):
    last = work.step(3)
    limit = work.contract.policy.milestone_longest_days
    Milestone.objects.filter(pk=last.pk).update(
        due_on=clock.now().date() + dt.timedelta(days=limit + 1)
    )

    page = work.as_client.get(f"{work.contract.get_absolute_url()}fund/").content.decode()
    started = start(work)

    assert "so you fund it later" in page
    assert started.amount == eur("1751.00")
    with time_machine.travel(clock.now() + 2 * DAY):
        assert len(funding.fundable(work.contract, work.contract.milestones.all())) == 3


def test_only_who_pays_for_the_client_funds_and_only_what_waits(work):
    with pytest.raises(NotAllowed):
        funding.fund_together(work.contract, by=work.freelancer)
    pay(work, start(work))
    with pytest.raises(InvalidTransition):
        funding.fund_together(work.contract, by=work.client)


@pytest.mark.django_db(transaction=True)
def test_f1_two_clicks_at_the_same_moment_start_one_page(stripe_sandbox):
    for _round in range(20):
        work = Work.build(stripe_sandbox, "10.00", "20.00")

        outcomes = together(lambda _i, w=work: funding.fund_together(w.contract, by=w.client), 3)

        assert outcomes == ["ok"] * 3
        tried = Funding.objects.filter(parts__hold__milestone__contract=work.contract).distinct()
        assert [funding_.amount for funding_ in tried] == [eur("30.90")]
