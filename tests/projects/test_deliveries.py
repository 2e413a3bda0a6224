"""Handing work over, and sending it back."""

import datetime as dt

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from projects.models import Delivery, Milestone
from projects.services import deliveries
from tests.factories import UserFactory
from tests.projects.work import signed_in, upload

DAY = dt.timedelta(days=1)


def test_delivering_starts_the_review_window_and_tells_the_client(work):
    work.funded(1)

    answer = work.as_freelancer.post(
        f"{work.contract.get_absolute_url()}milestones/1/deliver/",
        {"note": "All pages are on staging.", "link": "", "files": [upload()]},
    )

    step = work.step(1)
    assert answer.status_code == 303
    assert step.status == Milestone.Status.SUBMITTED
    assert step.review_due_at - step.submitted_at == 14 * DAY
    assert [f.name for f in step.deliveries.get().files.all()] == ["notes.pdf"]
    notice = work.client.notices.get(kind="milestone_delivered")
    assert notice.facts["amount"] == {"minor": 600_00, "currency": "EUR"}
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "Ines delivered “Step 1”. Please review it by" in page
    assert "If you do nothing, the €600.00 we hold goes to Ines on" in page


def test_nothing_can_be_delivered_before_the_money_is_there(work):
    with pytest.raises(DomainError, match="no money behind it") as refused:
        deliveries.deliver(work.step(1), by=work.freelancer, note="Done already")

    assert refused.value.code == "not_funded"
    assert Delivery.objects.count() == 0
    page = work.as_freelancer.get(f"{work.contract.get_absolute_url()}milestones/1/deliver/")
    assert "Ask Kim to fund it" in page.content.decode()


def test_a_delivery_needs_words(work):
    work.funded(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/deliver/"

    answer = work.as_freelancer.post(url, {"note": "  ", "link": "ftp://x"})

    assert answer.status_code == 422
    assert "Say what you hand over" in answer.content.decode()
    with pytest.raises(InvalidInput):
        deliveries.deliver(work.step(1), by=work.freelancer, note="\u200b")


def test_only_the_freelancer_delivers(work):
    work.funded(1)

    with pytest.raises(NotAllowed):
        deliveries.deliver(work.step(1), by=work.client, note="Done")
    url = f"{work.contract.get_absolute_url()}milestones/1/deliver/"
    assert work.as_client.post(url, {"note": "x"}).status_code == 403
    assert signed_in(UserFactory()).post(url, {"note": "x"}).status_code == 404


def test_asking_for_changes_stops_the_clock_and_the_next_delivery_starts_it_anew(work):
    work.delivered(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/changes/"

    answer = work.as_client.post(url, {"points": "The Saturday slots are off by an hour."})

    step = work.step(1)
    assert answer.status_code == 303
    assert (step.status, step.review_due_at, step.remind_at) == ("changes_requested", None, None)
    page = work.as_freelancer.get(work.contract.get_absolute_url()).content.decode()
    assert "Saturday slots" in page
    assert "Deliver again" in page
    deliveries.deliver(step, by=work.freelancer, note="Winter time. Fixed.")
    again = work.step(1)
    assert again.status == Milestone.Status.SUBMITTED
    assert again.review_due_at > clock.now() + 13 * DAY
    assert again.deliveries.count() == 2


def test_after_the_included_rounds_the_client_hears_what_to_do_instead(work):
    step = work.delivered(1)
    for _round in range(2):
        deliveries.ask_for_changes(step, by=work.client, points="More blue.")
        deliveries.deliver(work.step(1), by=work.freelancer, note="Bluer.")
        step = work.step(1)

    with pytest.raises(DomainError, match="2 included rounds") as refused:
        deliveries.ask_for_changes(step, by=work.client, points="Bluer still.")

    assert refused.value.code == "rounds_used"
    page = work.as_client.get(f"{work.contract.get_absolute_url()}milestones/1/changes/")
    assert "rounds of changes are used up" in page.content.decode()
    assert work.step(1).status == Milestone.Status.SUBMITTED


def test_changes_can_be_asked_for_only_while_the_work_is_in_review(work):
    with pytest.raises(InvalidTransition):
        deliveries.ask_for_changes(work.funded(1), by=work.client, points="More blue.")


def test_the_client_is_reminded_four_times_and_each_time_once(work):
    step = work.delivered(1)
    due = step.review_due_at
    seen = []
    for gap in (7 * DAY, 3 * DAY, DAY, dt.timedelta(hours=2)):
        with time_machine.travel(due - gap + dt.timedelta(minutes=1)):
            # Two beats, one reminder.
            deliveries.remind_due()
            deliveries.remind_due()
            seen.append(work.client.notices.filter(kind="review_reminder").count())

    assert seen == [1, 2, 3, 4]
    assert work.step(1).remind_at is None


def test_a_worker_that_slept_reminds_only_of_what_is_next(work):
    due = work.delivered(1).review_due_at

    with time_machine.travel(due - dt.timedelta(hours=20)):
        deliveries.remind_due()

    assert work.client.notices.filter(kind="review_reminder").count() == 1
    assert work.step(1).remind_at == due - dt.timedelta(hours=2)


def test_typed_text_waits_on_the_server(work):
    work.funded(1)
    base = work.contract.get_absolute_url()

    kept = work.as_freelancer.post(f"{base}draft/deliver/1/", {"note": "Half a thought"})

    assert kept.status_code == 204
    page = work.as_freelancer.get(f"{base}milestones/1/deliver/").content.decode()
    assert "Half a thought" in page
    assert work.as_client.post(f"{base}draft/nonsense/", {"note": "x"}).status_code == 404
