"""Bids without names until the short list: pages, API, notices, and what could tell a name."""

import pytest
from django.urls import reverse

from accounts.models import Notice
from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from matching import services
from projects.models import Bid
from projects.selectors import bids, blind
from projects.services import bidding, choosing
from tests.factories import ProfileFactory, UserFactory
from tests.matching.conftest import a_client, a_project, fresh_memory  # noqa: F401
from tests.matching.test_pages import address, signed_in, text_of
from tests.world import PRICE

pytestmark = pytest.mark.django_db

SAID = (
    "Hello, I am Ines Duarte (INES for friends). Write to ines@example.test, call +49 30 1234567, "
    "or see https://duarte.example/work and duarte.dev. I built a ticket shop."
)
TELLING = ("Ines", "INES", "Duarte", "duarte", "ines@", "1234567")


@pytest.fixture
def mara():
    return a_client()


@pytest.fixture
def ines():
    user = UserFactory(name="Ines Duarte", email="ines@example.test")
    ProfileFactory(
        user=user, headline="Duarte makes Django shops", skills={"Django": 3, "Accessibility": 2}
    )
    return user


@pytest.fixture
def project(mara):
    return choosing.set_blind(a_project(mara), by=mara, hide=True)


def a_bid(project, user, **offer):
    steps = offer.pop("milestones", ())
    message = offer.pop("message", SAID)
    return bidding.send_bid(
        project, by=user, price=PRICE, days=20, message=message, ai_use="no", milestones=steps
    )


@pytest.fixture
def bid(project, ines):
    first = UserFactory(name="First Bidder")
    ProfileFactory(user=first)
    a_bid(project, first, message="I would start with tests.")
    steps = [
        bidding.Step("Ines draws it", PRICE.share(5000), 10),
        bidding.Step("The build", PRICE - PRICE.share(5000), 20),
    ]
    return a_bid(project, ines, milestones=steps)


def pages_of(project, bid):
    key = {"slug": project.slug, "ref": project.ref}
    return [
        reverse("projects:manage", kwargs=key),
        reverse("projects:compare", kwargs=key) + f"?b={bid.ref}",
        reverse("projects:hire", kwargs=key | {"bid": bid.ref}),
        reverse("projects:bid-detail", args=[bid.ref]),
        reverse("projects:decline", args=[bid.ref]),
        reverse("api:project-bids", kwargs={"ref": project.ref}),
        reverse("api:bid", kwargs={"ref": bid.ref}),
    ]


def test_no_page_and_no_answer_of_the_api_tells_whose_bid_it_is_before_the_short_list(
    project, bid, mara, ines
):
    client = signed_in(mara)
    telling = (*TELLING, ines.own_party.ref, ines.own_party.profile.handle)

    for url in pages_of(project, bid):
        shown = text_of(client.get(url))
        assert "Freelancer B" in shown, url
        for word in telling:
            assert word not in shown, f"{word} at {url}"
    assert "I built a ticket shop" in text_of(client.get(pages_of(project, bid)[3]))


def test_on_the_short_list_the_name_is_shown_and_that_is_on_the_record(project, bid, mara):
    choosing.shortlist(bid, by=mara)

    client = signed_in(mara)
    shown = text_of(client.get(reverse("projects:bid-detail", args=[bid.ref])))
    assert "Bid from Ines Duarte" in shown
    assert "ines@example.test" in shown
    assert AuditRow.objects.get(action="bid.shortlisted").facts == {"shows_name": True}


def test_a_name_that_was_shown_is_not_hidden_again(project, bid, mara):
    choosing.shortlist(bid, by=mara)
    choosing.unshortlist(bid, by=mara)
    shown = signed_in(mara).get(reverse("projects:bid-detail", args=[bid.ref]))
    assert "Bid from Ines Duarte" in text_of(shown)

    choosing.decline(Bid.objects.get(pk=bid.pk), by=mara, reason="price")
    assert blind.name_for_client(Bid.objects.get(pk=bid.pk)) == "Ines Duarte"


def test_whatever_ends_like_an_address_is_left_out_and_what_bids_are_full_of_stays():
    for said in (
        *("duarte.studio", "duarte.design/work", "Duarte.AI", "my.site.photography", "ines.zone"),
        *("ines.рф", "duarte.xn--p1ai", "node.js.duarte.me", "duarte.py"),
    ):
        assert blind.scrubbed(f"See {said} please", []) == "See … please"
    kept = (
        "I use Node.js/Express, Vue.js, Next.js and ASP.NET, e.g. with socket.io, i.e. "
        "package.json in v2.0. It took 3.5 days... then 1.200 EUR. B.Sc. in Physics."
    )
    assert blind.scrubbed(kept, []) == kept


def test_the_freelancer_reads_their_own_bid_as_they_wrote_it(project, bid, ines):
    shown = text_of(signed_in(ines).get(reverse("projects:bid-detail", args=[bid.ref])))

    assert "I am Ines Duarte (INES for friends)" in shown
    assert Bid.objects.get(pk=bid.pk).message == SAID
    assert Bid.objects.get(pk=bid.pk).freelancer == ines.own_party


def test_notices_name_nobody_either(project, bid, mara, ines):
    bidding.mark_read(bid, by=mara)
    bidding.edit_bid(bid, by=ines, price=PRICE, days=19, message="Changed.", ai_use="no")
    bidding.withdraw_bid(bid, by=ines)

    told = Notice.objects.filter(user=mara, kind__in=["bid_sent", "bid_edited", "bid_withdrawn"])
    assert {notice.facts["freelancer"] for notice in told} == {"Freelancer A", "Freelancer B"}
    assert told.count() == 4


def test_nobody_is_hired_unseen(project, bid, mara):
    with pytest.raises(DomainError, match="short list first"):
        choosing.hire(
            bid, by=mara, milestones=choosing.proposed_plan(bid), seen_version=bid.version
        )

    choosing.shortlist(bid, by=mara)
    contract = choosing.hire(
        bid, by=mara, milestones=choosing.proposed_plan(bid), seen_version=bid.version
    )
    assert contract.freelancer.name == "Ines Duarte"


def test_people_suggested_for_such_a_project_have_no_names_either(project, mara, ines):
    services.rank_people(project.pk, why="changed")
    client = signed_in(mara)
    url = address("project-people", project)

    for sort in ("suggested", "newest", "random"):
        shown = text_of(client.get(url, {"sort": sort}))
        assert "Person 1" in shown
        for word in ("Ines", "Duarte", ines.own_party.ref, ines.own_party.profile.handle):
            assert word not in shown
    (place,) = client.get(reverse("api:project-matches", kwargs={"ref": project.ref})).json()[
        "results"
    ]
    assert place["person"] == {"ref": "", "name": "Person 1", "handle": "", "headline": ""}
    opened = reverse("matching:open-person", args=[project.slug, project.ref, ines.own_party.ref])
    assert client.get(opened).status_code == 404


def test_the_client_switches_it_on_and_off_and_both_are_on_the_record(project, bid, mara, ines):
    url = reverse("projects:names", kwargs={"slug": project.slug, "ref": project.ref})
    client = signed_in(mara)

    assert "Show all names" in text_of(client.get(pages_of(project, bid)[0]))
    assert client.post(url, {"hide": "no"}).status_code == 303
    assert "Ines Duarte" in text_of(client.get(pages_of(project, bid)[0]))
    assert AuditRow.objects.filter(action="project.names_hidden").count() == 1
    assert AuditRow.objects.filter(action="project.names_shown").count() == 1
    with pytest.raises(NotAllowed):
        choosing.set_blind(project, by=ines, hide=True)
    project.refresh_from_db()
    project.move_to("cancelled", closed_at=project.published_at)
    with pytest.raises(InvalidTransition):
        choosing.set_blind(project, by=mara, hide=True)


def test_letters_go_on_after_z():
    labels = [blind.label(number) for number in (1, 26, 27, 52, 53, 702, 703)]

    assert [label.split()[1] for label in labels] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_list_without_names_takes_as_few_queries(project, bid, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        rows, _after = bids.bids_on(project, "new")
    assert [row.freelancer.name for row in rows] == ["Freelancer B", "Freelancer A"]
