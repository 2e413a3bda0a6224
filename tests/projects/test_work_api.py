"""Contracts through the API: the same doors to the same services."""

import pytest
from django.test import Client

from payments.models import Funding, Transfer
from projects.models import Dispute, Message
from tests.factories import UserFactory
from tests.projects.proofs import nothing_is_broken
from tests.projects.work import REASON, eur, moderator


class Caller:
    """A signed-in program; every call has its own key unless one is given."""

    def __init__(self, user):
        self.http = Client()
        self.http.force_login(user, "django.contrib.auth.backends.ModelBackend")
        self.calls = 0

    def get(self, path):
        return self.http.get(f"/api/v1{path}")

    def post(self, path, key=None, **body):
        self.calls += 1
        return self.http.post(
            f"/api/v1{path}",
            data=body,
            content_type="application/json",
            headers={"Idempotency-Key": key or f"call-{self.calls}"},
        )


@pytest.fixture
def client(work):
    return Caller(work.client)


@pytest.fixture
def freelancer(work):
    return Caller(work.freelancer)


def test_the_whole_way_of_a_milestone(work, client, freelancer):
    base = f"/contracts/{work.contract.ref}"

    started = client.post(f"{base}/milestones/1/fund/").json()
    assert started["checkout_url"] == Funding.objects.get().session_url
    work.funded(1)
    delivered = freelancer.post(f"{base}/milestones/1/deliver/", note="Done").json()
    assert delivered["milestones"][0]["status"] == "submitted"
    back = client.post(f"{base}/milestones/1/ask-changes/", points="Bluer").json()
    assert back["milestones"][0]["changes_asked"] == 1
    freelancer.post(f"{base}/milestones/1/deliver/", note="Bluer")
    stale = client.post(f"{base}/milestones/1/approve/", round=1)
    done = client.post(f"{base}/milestones/1/approve/", round=2).json()

    assert stale.status_code == 409
    assert done["milestones"][0]["status"] == "approved"
    assert done["milestones"][0]["money"] == [{"state": "released", "amount": "600.00"}]
    rows = freelancer.get("/contracts/").json()["results"]
    assert rows[0]["milestones_done"] == 1
    assert rows[0]["side"] == "freelancer"


def test_a_repeated_key_gets_the_first_answer_and_changes_nothing(work, client):
    work.delivered(1)
    path = f"/contracts/{work.contract.ref}/milestones/1/approve/"

    first = client.post(path, key="once", round=1)
    again = client.post(path, key="once", round=1)
    other = client.post(path, key="once", round=2)
    new = client.post(path, key="twice", round=1)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert (other.status_code, new.status_code) == (422, 409)
    assert new.json()["code"] == "changed_meanwhile"
    assert Transfer.objects.count() == 1


def test_a_call_without_a_key_is_refused(work):
    http = Client()
    http.force_login(work.client, "django.contrib.auth.backends.ModelBackend")

    answer = http.post(
        f"/api/v1/contracts/{work.contract.ref}/messages/",
        data={"body": "Hello"},
        content_type="application/json",
    )

    assert answer.status_code == 400
    assert Message.objects.count() == 0


def test_the_two_sides_talk_and_strangers_hear_nothing(work, client, freelancer):
    path = f"/contracts/{work.contract.ref}/messages/"

    client.post(path, body="Could you look?")
    heard = freelancer.get(path).json()["results"]
    stranger = Caller(UserFactory())

    assert [(m["author"], m["body"], m["mine"]) for m in heard] == [
        ("Kim Weber", "Could you look?", False)
    ]
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, body="Hi").status_code == 404


def test_a_dispute_from_opening_to_settlement(work, client, freelancer):
    work.delivered(2)
    base = f"/contracts/{work.contract.ref}"

    opened = client.post(
        f"{base}/milestones/2/dispute/",
        reason="not_as_agreed",
        body="Two pages are missing.",
        to_freelancer="700.00",
    ).json()
    path = f"/disputes/{opened['ref']}"
    freelancer.post(f"{path}/statements/", body="Four were agreed.", to_freelancer="900.00")
    seen = client.get(f"{path}/").json()["statements"][-1]
    assert (seen["side"], seen["to_freelancer"]) == ("freelancer", "900.00")
    wrong = client.post(f"{path}/settle/", seen=opened["statements"][0]["ref"])
    settled = client.post(f"{path}/settle/", seen=seen["ref"]).json()

    assert wrong.status_code == 409
    assert settled["status"] == "settled"
    assert settled["outcome"]["to_client"] == "200.00"
    assert work.step(2).hold.awarded == eur("900.00")


@pytest.mark.parametrize("amount", ["1e2", "-1", "1,000", "NaN", "٣٠٠", "300.001", "1100.01"])
def test_an_amount_has_one_spelling_and_bounds(work, client, amount):
    work.delivered(2)

    answer = client.post(
        f"/contracts/{work.contract.ref}/milestones/2/dispute/",
        reason="other",
        body="Something.",
        to_freelancer=amount,
    )

    assert answer.status_code == 400
    assert "to_freelancer" in answer.json()["errors"]
    assert Dispute.objects.count() == 0


def test_a_decision_is_read_through_the_api_and_made_elsewhere(work, client):
    from projects.services import disputes

    dispute = work.disputed(1)
    work.answered(dispute, "600.00")
    disputes.decide(dispute, by=moderator(), to_freelancer=eur("400.00"), reason=REASON)

    seen = client.get(f"/disputes/{dispute.ref}/").json()

    assert seen["outcome"] == {
        "to_freelancer": "400.00",
        "to_client": "200.00",
        "by": "Ayşe D.",
        "at": seen["outcome"]["at"],
        "reason": REASON,
    }


def test_reviews_are_double_blind_here_too(work, client, freelancer):
    from projects.services import ending

    work.approved(1)
    ending.end_early(work.contract, by=work.client)
    path = f"/contracts/{work.contract.ref}/review/"
    stars = {"stars_work": 5, "stars_communication": 5, "stars_fairness": 4}

    client.post(path, text="Calm and precise.", **stars)

    assert freelancer.get(path).json()["other"] is None
    both = freelancer.post(path, text="Knows what they want.", **stars).json()
    assert both["other"]["text"] == "Calm and precise."


def test_the_schema_names_every_address_of_work():
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(public=True)["paths"]

    for wanted in (
        "/api/v1/contracts/",
        "/api/v1/contracts/{ref}/milestones/{n}/approve/",
        "/api/v1/disputes/{ref}/settle/",
    ):
        assert wanted in paths


def test_proposals_money_back_and_a_bonus_through_the_api(work, client, freelancer):
    base = f"/contracts/{work.contract.ref}"
    step = work.funded(1)
    new = step.due_on.replace(day=1).isoformat()

    early = freelancer.post(f"{base}/milestones/1/extend/", due_on=new, reason="Ill.")
    asked = client.post(
        f"{base}/milestones/1/release-part/", amount="400.00", reason="Two pages less."
    ).json()["milestones"][0]
    ref = asked["proposals"][0]["ref"]
    own = client.post(f"{base}/proposals/{ref}/answer/", accept=True)
    agreed = freelancer.post(f"{base}/proposals/{ref}/answer/", accept=True).json()
    work.delivered(2)
    returned = freelancer.post(f"{base}/milestones/2/return-money/").json()
    bonus = client.post(f"{base}/bonus/", amount="50.00").json()

    assert early.status_code == 400
    assert asked["custody_ends_at"]
    assert asked["proposals"][0]["amount"] == "400.00"
    assert own.status_code == 403
    assert agreed["milestones"][0]["money"] == [
        {"state": "released", "amount": "400.00"},
        {"state": "refunded", "amount": "200.00"},
    ]
    assert returned["milestones"][1]["status"] == "settled"
    assert bonus["checkout_url"].startswith("http")
    nothing_is_broken()
