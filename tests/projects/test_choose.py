"""Choosing, through the services."""

import datetime as dt

import pytest
from django.db import connection

from accounts.services import people
from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from marketplace.core.money import Money
from payments.models import PlatformPolicy
from projects import signals
from projects.models import Bid, Contract, Project
from projects.services import bidding, choosing, posting
from projects.services.bidding import Step
from projects.services.contracts import MilestonePlan
from tests.factories import BidFactory, ProjectFactory, UserFactory
from tests.projects.test_bid import at_once, edit

pytestmark = pytest.mark.django_db


def eur(amount):
    return Money(amount * 100, "EUR")


def hire(bid, by=None, **changes):
    plan = {"milestones": choosing.proposed_plan(bid), "seen_version": bid.version}
    return choosing.hire(bid, by=by or bid.project.posted_by, **(plan | changes))


# --- Short list and no ----------------------------------------------------------------------


def test_the_short_list_can_be_left_again_and_tells_the_freelancer_once():
    bid = BidFactory()
    client = bid.project.posted_by
    choosing.shortlist(bid, by=client)
    choosing.shortlist(bid, by=client)
    choosing.unshortlist(bid, by=client)
    choosing.unshortlist(bid, by=client)
    bid = choosing.shortlist(bid, by=client)
    assert bid.status == "shortlisted"
    assert bid.read_at is not None
    assert bid.sent_by.notices.filter(kind="bid_shortlisted").count() == 1


def test_a_no_comes_with_a_reason_the_freelancer_reads():
    bid = BidFactory()
    bid = choosing.decline(bid, by=bid.project.posted_by, reason="We need somebody in town.")
    assert (bid.status, bid.why_not) == ("not_chosen", "We need somebody in town.")
    notice = bid.sent_by.notices.get(kind="bid_not_chosen")
    assert notice.facts["reason"] == "We need somebody in town."


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_no_needs_a_reason_that_fits(reason):
    bid = BidFactory()
    with pytest.raises(InvalidInput):
        choosing.decline(bid, by=bid.project.posted_by, reason=reason)


def test_our_own_reasons_are_shown_in_words():
    bid = BidFactory()
    bid = choosing.decline(bid, by=bid.project.posted_by, reason="price")
    assert bid.why_not == "The price does not fit our budget"


def test_a_no_can_be_taken_back_while_the_project_is_open():
    bid = BidFactory()
    client = bid.project.posted_by
    choosing.decline(bid, by=client, reason="price")
    bid = choosing.reconsider(bid, by=client)
    assert (bid.status, bid.closed_at, bid.why_not) == ("sent", None, "")
    choosing.decline(bid, by=client, reason="price")
    posting.close(bid.project, by=client)
    with pytest.raises(DomainError):
        choosing.reconsider(bid, by=client)


def test_only_people_who_may_hire_choose():
    bid = BidFactory()
    client = bid.project.posted_by
    client.party.memberships.update(can_hire=False)
    for user in (client, UserFactory(), bid.sent_by):
        for act in (choosing.shortlist, choosing.unshortlist, choosing.reconsider):
            with pytest.raises(NotAllowed):
                act(bid, by=user)
        with pytest.raises(NotAllowed):
            choosing.decline(bid, by=user, reason="price")
        with pytest.raises(NotAllowed):
            hire(bid, by=user)
    assert Contract.objects.count() == 0


# --- Hiring ---------------------------------------------------------------------------------


def test_hiring_draws_up_the_contract_and_tells_everybody():
    project = ProjectFactory()
    bid, other, third = (BidFactory(project=project) for _ in range(3))
    bidding.withdraw_bid(third, by=third.sent_by)

    contract = hire(bid)

    for row in (project, bid, other, third):
        row.refresh_from_db()
    assert (bid.status, project.status) == ("accepted", "in_progress")
    assert (other.status, other.not_chosen_reason) == ("not_chosen", "another")
    assert third.status == "withdrawn"
    assert (contract.bid, contract.price) == (bid, eur(3600))
    assert [m.amount_minor for m in contract.milestones.all()] == [3600_00]
    assert bid.sent_by.notices.filter(kind="bid_accepted").count() == 1
    assert other.sent_by.notices.filter(kind="bid_not_chosen").count() == 1
    assert third.sent_by.notices.count() == 0
    assert AuditRow.objects.filter(action="bid.accepted", subject_id=bid.pk).count() == 1


def test_hiring_is_news_for_the_apps_above():
    heard = []
    signals.project_closed.connect(lambda project, **_: heard.append(project), weak=False)
    bid = BidFactory()
    hire(bid)
    assert heard == [bid.project]
    signals.project_closed.receivers.pop()
    signals.project_closed.sender_receivers_cache.clear()


def test_the_milestones_agreed_may_differ_from_the_bid_but_not_in_sum():
    bid = BidFactory(milestones=[Step("One", eur(1600), 5), Step("Two", eur(2000), 30)])
    with pytest.raises(InvalidInput, match=r"so €100\.00 is missing"):
        hire(bid, milestones=[MilestonePlan("All", eur(3500))])
    assert Project.objects.get().status == "open"

    contract = hire(bid, milestones=[MilestonePlan("A", eur(600)), MilestonePlan("B", eur(3000))])
    assert [(m.title, m.amount_minor) for m in contract.milestones.all()] == [
        ("A", 600_00),
        ("B", 3000_00),
    ]


def test_the_plan_follows_the_bid_in_working_days():
    bid = BidFactory(milestones=[Step("One", eur(1600), 5), Step("Two", eur(2000), 8)])
    friday = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    with clock.moved_to(friday):
        plan = choosing.proposed_plan(bid)
    assert [(step.title, step.amount, step.due_on) for step in plan] == [
        ("One", eur(1600), dt.date(2026, 11, 27)),
        ("Two", eur(2000), dt.date(2026, 12, 2)),
    ]


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-20", 1, "2026-11-23"),  # Friday → Monday
        ("2026-11-21", 1, "2026-11-23"),  # Saturday → Monday
        ("2026-11-22", 5, "2026-11-27"),  # Sunday → Friday
        ("2026-11-23", 5, "2026-11-30"),  # Monday → Monday
        ("2026-11-23", 4, "2026-11-27"),
    ],
)
def test_working_days_skip_weekends(start, days, end):
    start, end = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    assert choosing.in_working_days(start, days) == end


def test_a_bid_changed_since_the_client_looked_is_not_accepted():
    bid = BidFactory()
    bid.freelancer.name = "Ines Carvalho"
    bid.freelancer.save()
    edit(bid, price=eur(9000))
    with pytest.raises(InvalidTransition, match="Ines changed this bid a moment ago"):
        hire(bid, seen_version=1)
    assert Contract.objects.count() == 0


def test_a_withdrawn_bid_is_not_accepted():
    bid = BidFactory()
    bidding.withdraw_bid(bid, by=bid.sent_by)
    with pytest.raises(InvalidTransition):
        hire(bid)
    assert Project.objects.get().status == "open"


def test_nobody_hires_themselves():
    bid = BidFactory()
    company = people.found_company(founder := UserFactory(side="hire"), name="Fig", country="DE")
    Project.objects.update(client=company)
    company.memberships.create(user=bid.sent_by, can_hire=True)
    bid.refresh_from_db()
    with pytest.raises(NotAllowed, match="cannot hire yourself"):
        hire(bid, by=bid.sent_by)
    assert hire(bid, by=founder).client == company


def test_hiring_twice_makes_one_contract():
    project = ProjectFactory()
    bids = [BidFactory(project=project) for _ in range(2)]
    hire(bids[0])
    for bid in bids:
        with pytest.raises(DomainError, match="no longer takes bids"):
            hire(bid)
    assert Contract.objects.count() == 1


# --- At once --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_bids_accepted_at_once_make_exactly_one_contract_fifty_times():
    freelancers = [UserFactory(), UserFactory()]
    client = UserFactory(side="hire")
    limits = {"bids_open_limit": 1000, "bids_per_day_limit": 1000}
    PlatformPolicy.objects.create(starts_at=clock.now(), **limits)
    for _round in range(50):
        project = ProjectFactory(by=client)
        bids = [BidFactory(project=project, by=by) for by in freelancers]

        results = at_once(*(lambda bid=bid: hire(bid) for bid in bids))

        contracts = Contract.objects.filter(project=project)
        assert contracts.count() == 1, results
        assert sum(isinstance(result, Contract) for result in results) == 1, results
        assert sum(isinstance(result, DomainError) for result in results) == 1, results
        assert Bid.objects.filter(project=project, status="accepted").count() == 1
        assert Bid.objects.filter(project=project, status="not_chosen").count() == 1
        assert Project.objects.get(pk=project.pk).status == "in_progress"
        told = [user.notices.filter(url__contains=bid.ref) for bid in bids for user in freelancers]
        assert sum(rows.filter(kind="bid_accepted").count() for rows in told) == 1


@pytest.mark.django_db(transaction=True)
def test_hiring_while_the_bid_is_changed_accepts_what_the_client_saw_or_nothing():
    for _round in range(10):
        bid = BidFactory()
        results = at_once(lambda b=bid: hire(b), lambda b=bid: edit(b, price=eur(9000)))
        now = Bid.objects.get(pk=bid.pk)
        if isinstance(results[0], Contract):
            assert (now.version, now.price) == (1, eur(3600)), results
            assert isinstance(results[1], DomainError)
        else:
            assert (now.version, now.status) == (2, "sent"), results


@pytest.mark.django_db(transaction=True)
def test_hiring_while_the_project_is_closed_or_the_bid_withdrawn_has_one_winner():
    for other in ("close", "withdraw"):
        for _round in range(5):
            bid = BidFactory()
            against = {
                "close": lambda b=bid: posting.close(b.project, by=b.project.posted_by),
                "withdraw": lambda b=bid: bidding.withdraw_bid(b, by=b.sent_by),
            }[other]
            results = at_once(lambda b=bid: hire(b), against)
            assert sum(isinstance(result, DomainError) for result in results) == 1, results
            hired = Contract.objects.filter(bid=bid).exists()
            assert hired == (Bid.objects.get(pk=bid.pk).status == "accepted")


def test_the_database_itself_knows_only_one_accepted_bid():
    project = ProjectFactory()
    bids = [BidFactory(project=project) for _ in range(2)]
    with connection.cursor() as cursor, pytest.raises(Exception, match="bid_one_accepted"):
        cursor.execute(
            "UPDATE projects_bid SET status = 'accepted', closed_at = sent_at WHERE id = ANY(%s)",
            [[bid.pk for bid in bids]],
        )
