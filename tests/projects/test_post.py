"""Posting, through the services."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.selectors import hiring_party
from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from marketplace.core.money import Money
from projects import signals
from projects.models import Bid, Project
from projects.services import bidding, posting
from projects.services.wanted import Wanted, problems
from tests.factories import BidFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db

DESCRIPTION = "Our ticket shop works with a mouse and badly with anything else. " * 2


def wanted(**changes):
    return Wanted(
        **{
            "title": "Accessible ticket checkout",
            "description": DESCRIPTION,
            "currency": "EUR",
            "skills": ["Django"],
            **changes,
        }
    )


def test_a_draft_is_open_after_publishing_for_as_long_as_the_policy_says():
    project = ProjectFactory(published=False)
    client = project.posted_by

    project = posting.publish(project, by=client)

    assert project.status == "open"
    assert project.expires_at - project.published_at == dt.timedelta(days=30)
    assert AuditRow.objects.filter(action="project.published", subject_id=project.pk).count() == 1


def test_publishing_is_news_for_the_apps_above():
    heard = []
    signals.project_published.connect(lambda project, **_: heard.append(project), weak=False)
    project = ProjectFactory()
    assert project in heard
    signals.project_published.receivers.pop()
    signals.project_published.sender_receivers_cache.clear()


def test_publishing_twice_is_refused():
    project = ProjectFactory()
    with pytest.raises(InvalidTransition):
        posting.publish(project, by=project.posted_by)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "Too short"}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"description": "Short."}, "description"),
        ({"description": "x" * 8001}, "description"),
        ({"skills": []}, "skills"),
        ({"skills": [f"Skill {n}" for n in range(13)]}, "skills"),
        ({"budget_min": Money(100_00, "EUR")}, "budget_max"),
        ({"budget_max": Money(100_00, "EUR")}, "budget_min"),
        ({"budget_min": Money(4_99, "EUR"), "budget_max": Money(5_00, "EUR")}, "budget_min"),
        ({"budget_min": Money(9_00, "EUR"), "budget_max": Money(8_00, "EUR")}, "budget_max"),
        ({"budget_min": Money(9_00, "USD"), "budget_max": Money(10_00, "EUR")}, "budget_min"),
        ({"ai_policy": "whatever"}, "ai_policy"),
        ({"currency": "EURO"}, "currency"),
    ],
)
def test_what_is_missing_or_wrong_is_named(changes, field):
    assert list(problems(wanted(**changes))) == [field]


def test_an_amount_may_be_the_smallest_there_is():
    five = Money(5_00, "EUR")
    assert problems(wanted(budget_min=five, budget_max=five)) == {}


def test_a_delivery_date_is_tomorrow_or_later():
    today = clock.now().date()
    assert "deliver_by" in problems(wanted(deliver_by=today))
    assert problems(wanted(deliver_by=today + dt.timedelta(days=1))) == {}


def test_words_arrive_tidy():
    project = posting.save_draft(
        hiring_party(client := UserFactory(side="hire")),
        by=client,
        wanted=wanted(
            title="  A\u202e  ticket\nshop \u200b", skills=["Django", " django", "Skript\u0301"]
        ),
    )
    assert project.title == "A ticket shop"
    assert project.skills.filter(name="Django").exists()
    assert project.skills.count() == 2


def test_a_draft_may_lack_things_but_not_say_wrong_ones():
    client = UserFactory(side="hire")
    party = hiring_party(client)
    assert posting.save_draft(party, by=client, wanted=wanted(title="", skills=[])).title == ""
    low = Money(1, "EUR")
    with pytest.raises(InvalidInput, match=r"Budget must be €5\.00 or more"):
        posting.save_draft(party, by=client, wanted=wanted(budget_min=low, budget_max=low))


def test_a_draft_that_lacks_things_is_not_published():
    project = ProjectFactory(published=False, skills=())
    with pytest.raises(InvalidInput, match="Name at least one skill"):
        posting.publish(project, by=project.posted_by)
    project.refresh_from_db()
    assert project.status == "draft"


def test_nobody_posts_for_a_party_without_the_right():
    stranger, client = UserFactory(), UserFactory(side="hire")
    with pytest.raises(NotAllowed):
        posting.save_draft(hiring_party(client), by=stranger, wanted=wanted())
    client.party.memberships.update(can_post=False)
    with pytest.raises(NotAllowed):
        posting.save_draft(hiring_party(client), by=client, wanted=wanted())
    assert Project.objects.count() == 0


def test_posting_in_one_go_leaves_nothing_when_it_cannot_be_published():
    client = UserFactory(side="hire")
    with pytest.raises(InvalidInput):
        posting.post(hiring_party(client), by=client, wanted=wanted(skills=[]))
    assert Project.objects.count() == 0


# --- Changing it ----------------------------------------------------------------------------


def test_whoever_has_bid_is_told_about_a_change():
    bid = BidFactory()
    project = bid.project
    posting.edit(project, by=project.posted_by, wanted=wanted(title="A different checkout"))
    assert bid.sent_by.notices.get(kind="project_changed").url == bid.get_absolute_url()
    project.refresh_from_db()
    assert (project.title, project.bids_count) == ("A different checkout", 1)


def test_an_open_project_stays_publishable():
    project = ProjectFactory()
    with pytest.raises(InvalidInput):
        posting.edit(project, by=project.posted_by, wanted=wanted(description="Short."))


def test_the_currency_stays_once_somebody_has_bid():
    project = BidFactory().project
    with pytest.raises(InvalidInput, match="bids in EUR"):
        posting.edit(project, by=project.posted_by, wanted=wanted(currency="USD"))


def test_closing_tells_every_bidder_and_takes_no_more_bids():
    project = ProjectFactory()
    bids = [BidFactory(project=project) for _ in range(3)]

    posting.close(project, by=project.posted_by)

    for bid in bids:
        bid.refresh_from_db()
        assert (bid.status, bid.not_chosen_reason) == ("not_chosen", "closed")
        assert bid.sent_by.notices.filter(kind="project_closed").count() == 1
    project.refresh_from_db()
    assert project.status == "cancelled"
    assert project.closed_at is not None
    with pytest.raises(InvalidTransition):
        posting.close(project, by=project.posted_by)


# --- Time -----------------------------------------------------------------------------------


def test_nobody_hired_in_time_closes_the_project_and_tells_both_sides():
    bid = BidFactory()
    project = bid.project
    with clock.moved_to(project.expires_at - dt.timedelta(seconds=1)):
        assert posting.expire_due() == 0
    with clock.moved_to(project.expires_at):
        assert posting.expire_due() == 1
        assert posting.expire_due() == 0
    project.refresh_from_db()
    bid.refresh_from_db()
    assert (project.status, bid.status) == ("expired", "expired")
    assert project.posted_by.notices.filter(kind="project_expired").count() == 1
    assert bid.sent_by.notices.filter(kind="bid_expired").count() == 1


def test_an_expired_bid_gives_its_place_in_the_quota_back():
    freelancer = UserFactory()
    bid = BidFactory(by=freelancer)
    with clock.moved_to(bid.project.expires_at):
        posting.expire_due()
    assert Bid.objects.filter(freelancer=freelancer.party, status__in=Bid.LIVE).count() == 0
    bidding.send_bid(
        ProjectFactory(),
        by=freelancer,
        price=Money(100_00, "EUR"),
        days=1,
        message="Again.",
        ai_use="no",
    )


# --- Files ----------------------------------------------------------------------------------


def upload(name="plan.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.7 a plan")


def test_files_are_added_and_taken_off():
    project = ProjectFactory()
    (file,) = posting.add_files(project, by=project.posted_by, uploads=[upload()])
    assert list(project.files.all()) == [file]
    posting.remove_file(project, by=project.posted_by, ref=file.ref)
    posting.remove_file(project, by=project.posted_by, ref=file.ref)
    assert project.files.count() == 0


def test_one_refused_file_keeps_the_others_out():
    project = ProjectFactory()
    with pytest.raises(InvalidInput, match=r"\.exe files are not accepted"):
        posting.add_files(project, by=project.posted_by, uploads=[upload(), upload("x.exe")])
    assert project.files.count() == 0


def test_a_project_has_at_most_ten_files():
    project = ProjectFactory()
    posting.add_files(project, by=project.posted_by, uploads=[upload()] * 10)
    with pytest.raises(InvalidInput, match="at most 10 files"):
        posting.add_files(project, by=project.posted_by, uploads=[upload()])
