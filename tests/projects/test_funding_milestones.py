"""Setting a milestone's money aside."""

import pytest
from django.core.exceptions import PermissionDenied

from marketplace.core.errors import InvalidTransition, NotAllowed
from payments.models import Funding, Hold
from payments.services import funding as payments_funding
from projects.models import Milestone
from projects.selectors.contracts import milestone_to_fund
from projects.services import funding
from tests.factories import UserFactory
from tests.projects.work import eur, signed_in


def kinds(user):
    return set(user.notices.values_list("kind", flat=True))


def test_paying_funds_the_milestone_and_tells_both(work):
    step = work.funded(3)

    assert step.hold.amount == eur("700.00")
    assert work.held(step.hold) == eur("700.00")
    assert step.funded_at is not None
    assert "milestone_funded" in kinds(work.freelancer) & kinds(work.client)
    line = work.freelancer.notices.get(kind="milestone_funded")
    page = work.as_freelancer.get("/notifications/").content.decode()
    assert "€700.00 is set aside. Ines can start." in page
    assert line.url == work.contract.get_absolute_url()


def test_the_fund_page_shows_the_sums_that_stripe_charges(work):
    page = work.as_client.get(f"{work.contract.get_absolute_url()}fund/3/").content.decode()

    for said in ("€700.00", "€21.00", "€721.00", "Pay €721.00 with Stripe", "€644.00"):
        assert said in page
    answer = work.as_client.post(f"{work.contract.get_absolute_url()}fund/3/")
    tried = Funding.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == tried.session_url
    assert tried.amount == eur("721.00")
    assert work.step(3).status == Milestone.Status.FUNDING


def test_pressing_pay_twice_leads_to_the_same_checkout(work):
    first = work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/")
    second = work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/")

    assert first["Location"] == second["Location"]
    assert Funding.objects.count() == Hold.objects.count() == 1


def test_opening_the_success_address_of_an_unpaid_checkout_changes_nothing_and_says_so(work):
    work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/")
    back = f"{work.contract.get_absolute_url()}fund/1/return/"

    page = work.as_client.get(back)
    asked = work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/confirm/")
    later = work.as_client.get(f"{back}?n=20").content.decode()

    assert "Do not pay again. This page updates by itself." in page.content.decode()
    assert asked.status_code == 303
    assert "This payment has not reached us" in later
    assert "is set aside" not in later
    assert work.step(1).status == Milestone.Status.FUNDING
    assert Hold.objects.get().status == Hold.Status.PENDING


def test_the_return_page_says_so_once_the_money_is_there(work):
    work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/")
    work.stripe.pay(Funding.objects.get().session_id)

    part = work.as_client.post(
        f"{work.contract.get_absolute_url()}fund/1/confirm/", headers={"HX-Request": "true"}
    ).content.decode()

    assert "€600.00 is set aside. Ines can start." in part
    assert "<html" not in part


def test_a_checkout_that_ends_without_money_can_be_tried_again(work):
    started = funding.fund_milestone(work.step(1), by=work.client)
    payments_funding.checkout_url(started)
    work.stripe.move_clock(24 * 3600)
    payments_funding.confirm(started)
    work.stripe.move_clock(-24 * 3600)

    assert work.step(1).status == Milestone.Status.PLANNED
    assert "funding_ended" in kinds(work.client)
    page = work.as_client.get(f"{work.contract.get_absolute_url()}fund/1/").content.decode()
    assert "No money has moved" in page
    assert work.funded(1).status == Milestone.Status.FUNDED


def test_while_stripe_is_away_nothing_is_lost_and_nothing_has_moved(work):
    work.stripe.fail_next("drop_before", times=4)

    answer = work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/", follow=True)

    page = answer.content.decode()
    assert "Stripe is not answering right now" in page
    assert "No money has moved." in page
    assert work.step(1).status == Milestone.Status.FUNDING
    assert Funding.objects.get().status == Funding.Status.STARTING


def test_funding_what_is_funded_shows_the_current_state(work):
    work.funded(1)

    answer = work.as_client.post(f"{work.contract.get_absolute_url()}fund/1/")

    assert answer.status_code == 409
    assert "Here is the current version" in answer.content.decode()
    assert Funding.objects.count() == 1


def test_only_somebody_who_pays_for_the_client_funds(work):
    with pytest.raises(NotAllowed):
        funding.fund_milestone(work.step(1), by=work.freelancer)
    with pytest.raises(PermissionDenied):
        milestone_to_fund(work.freelancer, work.contract.ref, 1)
    stranger = signed_in(UserFactory())
    assert stranger.post(f"{work.contract.get_absolute_url()}fund/1/").status_code == 404
    assert Hold.objects.count() == 0


def test_the_freelancer_asks_for_the_money_once_a_day(work):
    for _again in range(2):
        work.as_freelancer.post(f"{work.contract.get_absolute_url()}milestones/1/ask-to-fund/")

    assert work.client.notices.filter(kind="funding_asked").count() == 1
    work.funded(1)
    with pytest.raises(InvalidTransition):
        funding.ask_to_fund(work.step(1), by=work.freelancer)
