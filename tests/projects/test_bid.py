"""Bidding, through the services."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections

from accounts.models import Membership
from accounts.services import people
from marketplace.core import clock
from marketplace.core.errors import (
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotAllowed,
    TooMany,
)
from marketplace.core.money import Money
from payments.models import PlatformPolicy
from projects.models import Bid, Project
from projects.services import bidding, choosing, posting
from projects.services.bidding import Step
from tests.factories import BidFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


def eur(amount):
    return Money(amount * 100, "EUR")


def send(project, by, **changes):
    offer = {"price": eur(3600), "days": 30, "message": "I begin tomorrow.", "ai_use": "no"}
    return bidding.send_bid(project, by=by, **(offer | changes))


def edit(bid, **changes):
    offer = {"price": eur(3600), "days": 30, "message": "I begin tomorrow.", "ai_use": "no"}
    return bidding.edit_bid(bid, by=bid.sent_by, **(offer | changes))


def count(project):
    return Project.objects.get(pk=project.pk).bids_count


# --- Sending --------------------------------------------------------------------------------


def test_a_bid_counts_and_the_client_is_told_the_price():
    project, freelancer = ProjectFactory(), UserFactory(name="Ines Carvalho")

    bid = send(project, freelancer)

    assert (bid.status, bid.version, count(project)) == ("sent", 1, 1)
    notice = project.posted_by.notices.get(kind="bid_sent")
    assert notice.facts["price"] == {"minor": 360000, "currency": "EUR"}
    assert notice.facts["freelancer"] == "Ines Carvalho"


def test_one_freelancer_bids_once():
    bid = BidFactory()
    with pytest.raises(InvalidTransition, match="already sent a bid"):
        send(bid.project, bid.sent_by)
    assert count(bid.project) == 1


def test_a_withdrawn_bid_can_be_sent_again_as_a_new_version():
    bid = BidFactory()
    bidding.withdraw_bid(bid, by=bid.sent_by)
    assert count(bid.project) == 0

    again = send(bid.project, bid.sent_by, price=eur(100))

    assert (again.pk, again.version, again.status) == (bid.pk, 2, "sent")
    assert (again.price, again.closed_at, count(bid.project)) == (eur(100), None, 1)


def test_a_bid_the_client_turned_down_cannot_be_sent_again():
    bid = BidFactory()
    choosing.decline(bid, by=bid.project.posted_by, reason="price")
    with pytest.raises(InvalidTransition, match="already answered"):
        send(bid.project, bid.sent_by)


def test_nobody_bids_on_their_own_project():
    project = ProjectFactory()
    with pytest.raises(NotAllowed):
        send(project, project.posted_by)


def test_nobody_bids_on_a_project_of_a_company_they_belong_to():
    founder, member = UserFactory(side="hire"), UserFactory()
    company = people.found_company(founder, name="Museum of Tides", country="NL")
    Membership.objects.create(party=company, user=member)
    with pytest.raises(NotAllowed):
        send(ProjectFactory(by=founder), member)


@pytest.mark.parametrize("after", [0, 1])
def test_nobody_bids_after_the_end_even_before_the_sweep(after):
    project = ProjectFactory()
    moment = project.expires_at + dt.timedelta(seconds=after)
    with clock.moved_to(moment), pytest.raises(DomainError, match="no longer takes bids"):
        send(project, UserFactory())
    assert Bid.objects.count() == 0


def test_nobody_bids_on_a_draft_or_a_closed_project():
    draft, closed = ProjectFactory(published=False), ProjectFactory()
    posting.close(closed, by=closed.posted_by)
    for project in (draft, closed):
        with pytest.raises(DomainError, match="no longer takes bids"):
            send(project, UserFactory())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": Money(4_99, "EUR")}, "price"),
        ({"price": Money(100_00, "USD")}, "price"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"message": " \n "}, "message"),
        ({"message": "x" * 1501}, "message"),
        ({"ai_use": "perhaps"}, "ai_use"),
        ({"milestones": [Step("All", eur(3599), 10)]}, "milestones"),
        ({"milestones": [Step("All", eur(3601), 10)]}, "milestones"),
        ({"milestones": [Step("", eur(3600), 10)]}, "milestones"),
        ({"milestones": [Step("All", eur(3600), 0)]}, "milestones"),
        ({"milestones": [Step("a", eur(3597), 1), Step("b", eur(3), 1)]}, "milestones"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_sent(changes, field):
    project = ProjectFactory()
    with pytest.raises(InvalidInput) as refusal:
        send(project, UserFactory(), **changes)
    assert refusal.value.field == field
    assert (Bid.objects.count(), count(project)) == (0, 0)


def test_milestones_that_do_not_add_up_are_told_by_how_much():
    with pytest.raises(InvalidInput, match=r"so €100\.00 is missing"):
        send(ProjectFactory(), UserFactory(), milestones=[Step("All", eur(3500), 10)])


def test_milestones_are_kept_in_order():
    steps = [Step("Discovery", eur(600), 5), Step("Build", eur(3000), 25)]
    bid = send(ProjectFactory(), UserFactory(), milestones=steps)
    assert [(step.title, step.amount, step.days) for step in bid.milestones.all()] == [
        ("Discovery", eur(600), 5),
        ("Build", eur(3000), 25),
    ]


def test_a_client_who_wants_human_work_only_gets_no_bid_with_tools():
    project = ProjectFactory(ai_policy="no")
    with pytest.raises(InvalidInput, match="without AI tools"):
        send(project, UserFactory(), ai_use="assist")
    assert send(project, UserFactory(), ai_use="discuss").ai_use == "discuss"


# --- How many -------------------------------------------------------------------------------


def limit(**limits):
    now = clock.now()
    PlatformPolicy.objects.create(starts_at=now - dt.timedelta(seconds=1), **limits)


def test_a_day_has_so_many_bids_and_says_when_the_next_one_can_go():
    limit(bids_per_day_limit=2)
    freelancer, start = UserFactory(), clock.now() + dt.timedelta(minutes=1)
    with clock.moved_to(start):
        send(ProjectFactory(), freelancer)
    with clock.moved_to(start + dt.timedelta(hours=1)):
        send(ProjectFactory(), freelancer)
        with pytest.raises(TooMany, match="You can send the next one at") as refusal:
            send(ProjectFactory(), freelancer)
    assert refusal.value.retry_after == 23 * 3600
    with clock.moved_to(start + dt.timedelta(hours=24)):
        send(ProjectFactory(), freelancer)


def test_withdrawing_does_not_give_the_day_back():
    limit(bids_per_day_limit=1)
    bid = BidFactory()
    bidding.withdraw_bid(bid, by=bid.sent_by)
    with pytest.raises(TooMany):
        send(ProjectFactory(), bid.sent_by)


def test_so_many_bids_may_wait_for_an_answer():
    limit(bids_open_limit=1)
    bid = BidFactory()
    with pytest.raises(TooMany, match=r"1 bids waiting for an answer") as refusal:
        send(ProjectFactory(), bid.sent_by)
    assert refusal.value.code == "too_many_open"
    choosing.decline(bid, by=bid.project.posted_by, reason="price")
    send(ProjectFactory(), bid.sent_by)


# --- Changing and taking back ---------------------------------------------------------------


def test_an_edit_raises_the_version_and_tells_only_a_client_who_has_read():
    bid = BidFactory()
    client = bid.project.posted_by
    edit(bid, price=eur(3000))
    assert not client.notices.filter(kind="bid_edited").exists()

    bidding.mark_read(bid, by=client)
    edited = edit(bid, price=eur(2900), milestones=[Step("All of it", eur(2900), 9)])

    assert (edited.version, edited.price) == (3, eur(2900))
    assert client.notices.filter(kind="bid_edited").count() == 1


def test_an_edit_may_change_price_and_milestones_together():
    bid = BidFactory(milestones=[Step("All of it", eur(3600), 9)])
    edit(bid, price=eur(3000), milestones=[Step("All of it", eur(3000), 9)])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_bid_stays_on_the_short_list_when_it_is_changed():
    bid = BidFactory()
    choosing.shortlist(bid, by=bid.project.posted_by)
    assert edit(bid).status == "shortlisted"


def test_only_its_freelancer_changes_or_withdraws_a_bid():
    bid = BidFactory()
    for stranger in (UserFactory(), bid.project.posted_by):
        with pytest.raises(NotAllowed):
            bidding.edit_bid(
                bid, by=stranger, price=eur(1000), days=1, message="Mine.", ai_use="no"
            )
        with pytest.raises(NotAllowed):
            bidding.withdraw_bid(bid, by=stranger)


def test_an_answered_bid_can_neither_be_changed_nor_withdrawn():
    bid = BidFactory()
    choosing.decline(bid, by=bid.project.posted_by, reason="price")
    with pytest.raises(InvalidTransition):
        edit(bid)
    with pytest.raises(InvalidTransition):
        bidding.withdraw_bid(bid, by=bid.sent_by)
    assert count(bid.project) == 1


def test_only_the_clients_people_mark_a_bid_as_read_and_once():
    bid = BidFactory()
    with pytest.raises(NotAllowed):
        bidding.mark_read(bid, by=bid.sent_by)
    bidding.mark_read(bid, by=bid.project.posted_by)
    bid.refresh_from_db()
    first = bid.read_at
    with clock.moved_to(clock.now() + dt.timedelta(days=1)):
        bidding.mark_read(bid, by=bid.project.posted_by)
    bid.refresh_from_db()
    assert bid.read_at == first is not None


# --- At once --------------------------------------------------------------------------------


def at_once(*calls):
    """Run the calls in threads of their own; returns what they gave or raised."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place, call):
        barrier.wait()
        try:
            results[place] = call()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_twelve_bids_at_once_are_counted_right():
    project, freelancers = ProjectFactory(), UserFactory.create_batch(12)
    results = at_once(*(lambda by=by: send(project, by) for by in freelancers))
    assert all(isinstance(result, Bid) for result in results), results
    assert count(project) == Bid.objects.count() == 12

    at_once(*(lambda bid=bid: bidding.withdraw_bid(bid, by=bid.sent_by) for bid in results[:6]))
    assert count(project) == 6


@pytest.mark.django_db(transaction=True)
def test_one_freelancer_pressing_four_times_sends_one_bid():
    project, freelancer = ProjectFactory(), UserFactory()
    results = at_once(*[lambda: send(project, freelancer)] * 4)
    assert sum(isinstance(result, Bid) for result in results) == 1
    assert (Bid.objects.count(), count(project)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_last_place_of_a_quota_is_given_once():
    limit(bids_open_limit=1)
    freelancer, projects = UserFactory(), ProjectFactory.create_batch(4)
    results = at_once(*(lambda p=project: send(p, freelancer) for project in projects))
    assert sum(isinstance(result, Bid) for result in results) == 1
    assert sum(isinstance(result, TooMany) for result in results) == 3
