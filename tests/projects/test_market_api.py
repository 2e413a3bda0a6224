"""The market for programs: the same services, stricter input, safe repeats."""

import json
import uuid

import pytest
from django.test import Client

from marketplace.core.money import Money
from projects.models import Bid, Contract, Project
from projects.services import bidding
from tests.factories import BidFactory, ProfileFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db

DESCRIPTION = "Our ticket shop works with a mouse and badly with anything else. " * 2
WANTED = {
    "title": "Accessible ticket checkout",
    "description": DESCRIPTION,
    "budget_min": "3000",
    "budget_max": "4500.50",
    "skills": ["Django"],
}
OFFER = {"price": "3600", "days": 30, "message": "I begin tomorrow.", "ai_use": "no"}


def call(user, method, path, body=None, *, key=None):
    client = Client()
    if user:
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client.generic(
        method,
        f"/api/v1/{path}",
        json.dumps(body or {}),
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def get(user, path):
    return call(user, "GET", path).json()


def test_a_program_drafts_publishes_edits_and_closes():
    user = UserFactory(side="hire")
    made = call(user, "POST", "projects/", WANTED)
    assert made.status_code == 201
    ref = made.json()["ref"]
    assert made.json()["status"] == "draft"
    assert get(None, f"projects/{ref}/")["status"] == 404
    assert get(None, "projects/")["count"] == 0

    assert call(user, "POST", f"projects/{ref}/publish/").json()["status"] == "open"
    assert get(None, "projects/")["results"][0] == {
        **{
            key: get(None, f"projects/{ref}/")[key] for key in ("url", "published_at", "expires_at")
        },
        "ref": ref,
        "title": "Accessible ticket checkout",
        "status": "open",
        "client": {"ref": user.party.ref, "name": user.party.name},
        "budget_min": "3000.00",
        "budget_max": "4500.50",
        "currency": "EUR",
        "deliver_by": None,
        "ai_policy": "ask",
        "skills": ["Django"],
        "bids_count": 0,
    }
    edited = call(user, "PUT", f"projects/{ref}/", WANTED | {"title": "A new ticket checkout"})
    assert edited.json()["title"] == "A new ticket checkout"
    assert call(user, "POST", f"projects/{ref}/close/").json()["status"] == "cancelled"
    assert call(user, "POST", f"projects/{ref}/close/").status_code == 409


def test_the_list_takes_the_filters_of_the_page():
    web = ProjectFactory(title="Web page wanted", budget=(100, 200))
    film = ProjectFactory(title="Film wanted here", budget=(5000, 6000), skills=["Video editing"])
    for query, expected in (
        ("", {web.ref, film.ref}),
        ("?q=film", {film.ref}),
        ("?skill=Django&skill=Video editing", {web.ref, film.ref}),
        ("?skill=django", {web.ref}),
        ("?min=1000", {film.ref}),
        ("?max=1000.50", {web.ref}),
        ("?ai=no", set()),
        ("?currency=USD&min=1", set()),
    ):
        found = get(None, f"projects/{query}")
        assert {row["ref"] for row in found["results"]} == expected, query
        assert found["count"] == len(expected)


@pytest.mark.parametrize(
    "query",
    [
        "?min=1e3",
        "?min=1,000",
        "?ai=maybe",
        "?sort=price",
        "?skill=Basket weaving",
        "?currency=EURO",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(query):
    answer = call(None, "GET", f"projects/{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "amount",
    [
        "1e3",
        "1_000",
        "1,000",
        "-1",
        "0",
        "0.001",
        "NaN",
        "Infinity",
        " 5",
        "١٢",
        "１２",
        "9" * 5000,
        3600,
        True,
        [],
        None,
        {},
    ],
)
def test_only_canonical_amounts_are_read(amount):
    project = ProjectFactory()
    answer = call(UserFactory(), "POST", f"projects/{project.ref}/bids/", OFFER | {"price": amount})
    assert answer.status_code == 400
    assert "price" in answer.json()["errors"]
    assert Bid.objects.count() == 0


def test_a_program_bids_edits_and_withdraws():
    project, user = ProjectFactory(), UserFactory()
    steps = [{"title": "All of it", "amount": "3600.00", "days": 9}]
    sent = call(user, "POST", f"projects/{project.ref}/bids/", OFFER | {"milestones": steps})
    assert sent.status_code == 201
    ref = sent.json()["ref"]
    assert sent.json()["milestones"] == steps
    assert [row["ref"] for row in get(user, "bids/")["results"]] == [ref]
    edited = call(user, "PUT", f"bids/{ref}/", OFFER | {"price": "3000"})
    assert (edited.json()["price"], edited.json()["version"]) == ("3000.00", 2)
    assert get(user, f"projects/{project.ref}/")["own_bid"] == ref
    assert call(user, "POST", f"bids/{ref}/withdraw/").json()["status"] == "withdrawn"
    assert call(user, "POST", f"bids/{ref}/withdraw/").status_code == 409


def test_milestones_that_do_not_add_up_are_a_problem_with_a_sentence():
    project = ProjectFactory()
    steps = [{"title": "All of it", "amount": "3500.00", "days": 9}]
    answer = call(
        UserFactory(), "POST", f"projects/{project.ref}/bids/", OFFER | {"milestones": steps}
    )
    assert answer.status_code == 400
    assert "so €100.00 is missing" in answer.json()["errors"]["milestones"][0]


def test_a_client_chooses_and_hires():
    project = ProjectFactory()
    client = project.posted_by
    bid, other = (BidFactory(project=project) for _ in range(2))
    listed = get(client, f"projects/{project.ref}/bids/")
    assert [row["ref"] for row in listed["results"]] == [other.ref, bid.ref]
    assert call(client, "POST", f"bids/{bid.ref}/shortlist/").json()["status"] == "shortlisted"
    assert (
        get(client, f"projects/{project.ref}/bids/?tab=shortlist")["results"][0]["ref"] == bid.ref
    )
    assert call(client, "POST", f"bids/{bid.ref}/unshortlist/").json()["status"] == "sent"
    declined = call(client, "POST", f"bids/{bid.ref}/decline/", {"reason": "Too far away."})
    assert declined.json()["why_not"] == "Too far away."
    assert call(client, "POST", f"bids/{bid.ref}/reconsider/").json()["status"] == "sent"

    hired = call(client, "POST", f"bids/{bid.ref}/hire/", {"seen_version": 1})

    assert hired.status_code == 201
    assert Contract.objects.get().ref == hired.json()["contract"]
    assert get(client, f"bids/{bid.ref}/")["contract"] == hired.json()["contract"]
    again = call(client, "POST", f"bids/{other.ref}/hire/", {"seen_version": 1})
    assert (again.status_code, again.json()["code"]) == (409, "not_open")


def test_hiring_an_older_version_is_a_conflict():
    bid = BidFactory()
    offer = {"price": Money(400000, "EUR"), "days": 5, "message": "More.", "ai_use": "no"}
    bidding.edit_bid(bid, by=bid.sent_by, **offer)
    answer = call(bid.project.posted_by, "POST", f"bids/{bid.ref}/hire/", {"seen_version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")


def test_the_same_key_gets_the_first_answer_and_changes_nothing():
    project, user, key = ProjectFactory(), UserFactory(), str(uuid.uuid4())
    path = f"projects/{project.ref}/bids/"
    first = call(user, "POST", path, OFFER, key=key)
    second = call(user, "POST", path, OFFER, key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert call(user, "POST", path, OFFER | {"days": 9}, key=key).status_code == 422
    assert Bid.objects.count() == 1


def test_what_nobody_may_set_is_not_set():
    project, user = ProjectFactory(), UserFactory()
    evil = {
        "id": 1,
        "ref": "2222222222",
        "status": "accepted",
        "version": 99,
        "sent_by": 1,
        "freelancer": 1,
        "project": 1,
        "read_at": "2020-01-01T00:00:00Z",
        "currency": "USD",
    }
    bid = call(user, "POST", f"projects/{project.ref}/bids/", OFFER | evil).json()
    assert (bid["status"], bid["version"], bid["currency"]) == ("sent", 1, "EUR")
    assert bid["ref"] != "2222222222"
    evil |= {"bids_count": 99, "client": 1, "published_at": "2020-01-01", "posted_by": 1}
    made = call(
        user, "POST", "projects/", WANTED | {k: v for k, v in evil.items() if k != "currency"}
    )
    assert (made.json()["status"], made.json()["bids_count"]) == ("draft", 0)
    assert Project.objects.get(ref=made.json()["ref"]).client == user.party


def test_a_rival_and_a_stranger_get_nothing():
    bid = BidFactory()
    for user in (UserFactory(), ProfileFactory(skills={"Django": 3}).party.person):
        assert call(user, "GET", f"bids/{bid.ref}/").status_code == 404
        assert call(user, "GET", f"projects/{bid.project.ref}/bids/").status_code == 404
        for act in ("withdraw", "shortlist", "unshortlist", "decline", "reconsider", "hire"):
            body = {"reason": "price", "seen_version": 1}
            assert call(user, "POST", f"bids/{bid.ref}/{act}/", body).status_code == 404, act
        for act in ("publish", "close"):
            assert call(user, "POST", f"projects/{bid.project.ref}/{act}/").status_code == 404
        text = json.dumps(get(user, f"projects/{bid.project.ref}/"))
        assert bid.ref not in text
        assert "3600" not in text
    own = call(bid.sent_by, "POST", f"bids/{bid.ref}/hire/", {"seen_version": 1})
    assert own.status_code == 404
    assert Bid.objects.get().status == "sent"


def test_visitors_look_but_do_not_touch():
    project = ProjectFactory()
    assert call(None, "GET", f"projects/{project.ref}/").status_code == 200
    assert call(None, "POST", "projects/", WANTED).status_code == 401
    assert call(None, "POST", f"projects/{project.ref}/bids/", OFFER).status_code == 401
    assert call(None, "GET", "bids/").status_code == 401


@pytest.mark.parametrize("path", ["projects/", "projects/{ref}/", "projects/{ref}/bids/", "bids/"])
def test_a_list_costs_the_same_for_one_and_ten_rows(path, django_assert_max_num_queries):
    owner, freelancer = UserFactory(side="hire"), UserFactory()
    project = ProjectFactory(by=owner)
    BidFactory(project=project, by=freelancer)
    reader, costs = Client(), []
    reader.force_login(
        freelancer if path == "bids/" else owner, "django.contrib.auth.backends.ModelBackend"
    )
    for more in (0, 9):
        for _number in range(more):
            BidFactory(project=project)
            BidFactory(project=ProjectFactory(by=owner), by=freelancer)
        with django_assert_max_num_queries(8) as queries:
            assert reader.get(f"/api/v1/{path.format(ref=project.ref)}").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1], costs
