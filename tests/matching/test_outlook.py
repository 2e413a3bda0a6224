"""What may go wrong with a contract: published points, the same words for both, no consequence."""

import dataclasses
import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching import services
from matching.insight import outlook as points
from matching.insight.outlook import RULES, Facts, Step, outlook
from matching.insight.selectors.outlook import outlook_of
from matching.models import MatchRun
from projects.models import Contract, ContractEvent, Message, Milestone, Proposal
from projects.selectors.contracts import contract_to_read
from projects.services import messages
from tests.factories import ProfileFactory, ProjectFactory
from tests.world import fund, sign

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

QUIET = Step(
    number=1,
    status="funded",
    minor=500_00,
    due_on=NOW.date() + 20 * DAY,
    late_at=NOW + 21 * DAY,
    changes_asked=0,
    review_due_at=None,
    call_off_asked=False,
)
CALM = Facts(
    now=NOW,
    steps=[QUIET],
    change_rounds=2,
    silence_days=7,
    last_sign_at=NOW - DAY,
    unanswered=1,
    unanswered_since=NOW - DAY,
    dates_moved=1,
    declined=0,
    released_by_silence=0,
    disputes_before=0,
    usual_minor=400_00,
)


def with_step(**changes):
    return {"steps": [dataclasses.replace(QUIET, **changes)]}


# Rule: (a fact with which it applies, one with which it just does not).
EDGES = {
    "late": (
        with_step(due_on=NOW.date() - DAY, late_at=NOW),
        with_step(due_on=NOW.date() - DAY, late_at=None),  # the money came after the date
    ),
    "due_soon": (
        with_step(due_on=NOW.date() + 3 * DAY),
        with_step(due_on=NOW.date() + 4 * DAY),
    ),
    "not_funded": (
        with_step(status="planned", due_on=NOW.date() + 7 * DAY),
        with_step(status="planned", due_on=NOW.date() + 8 * DAY),
    ),
    "changes_late": (
        with_step(status="changes_requested", due_on=NOW.date() - DAY),
        with_step(status="changes_requested", due_on=NOW.date()),
    ),
    "silence": ({"last_sign_at": NOW - 7 * DAY}, {"last_sign_at": NOW - 7 * DAY + DAY / 24}),
    "unanswered": ({"unanswered_since": NOW - 3 * DAY}, {"unanswered": 2}),
    "dates_moved": ({"dates_moved": 2}, {"dates_moved": 1}),
    "rounds_used": (with_step(changes_asked=2), with_step(changes_asked=1)),
    "declined": ({"declined": 1}, {"declined": 0}),
    "call_off": (with_step(call_off_asked=True), with_step(call_off_asked=False)),
    "review_ends": (
        with_step(status="submitted", review_due_at=NOW + 3 * DAY),
        with_step(status="submitted", review_due_at=NOW + 4 * DAY),
    ),
    "released_by_silence": ({"released_by_silence": 1}, {"released_by_silence": 0}),
    "disputed_before": ({"disputes_before": 1}, {"disputes_before": 0}),
    "large": (with_step(minor=1200_00), with_step(minor=1199_99)),
}


def codes(**facts):
    return [cause.rule.code for cause in outlook(dataclasses.replace(CALM, **facts)).causes]


# --- The points -----------------------------------------------------------------------------


def test_every_rule_is_tried_at_its_edge():
    assert set(EDGES) == set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_rule_applies_on_one_side_of_its_edge_and_not_on_the_other(code):
    applies, does_not = EDGES[code]

    assert codes(**applies) == [code]
    assert codes(**does_not) == []


def test_three_messages_wait_however_young_they_are():
    assert codes(unanswered=3) == ["unanswered"]


def test_nothing_is_silent_or_large_while_no_money_is_held():
    waiting = dataclasses.replace(QUIET, status="planned", minor=9_000_00)

    assert codes(steps=[waiting], last_sign_at=NOW - 60 * DAY) == []


def test_an_amount_is_compared_with_nothing_where_too_little_is_known():
    assert codes(usual_minor=None, **with_step(minor=10**9)) == []


def test_the_sums_are_those_of_the_causes_and_a_rule_counts_once():
    late = dataclasses.replace(QUIET, due_on=NOW.date() - DAY, late_at=NOW)
    facts = dataclasses.replace(
        CALM, steps=[late, dataclasses.replace(late, number=2)], declined=3, disputes_before=1
    )

    found = outlook(facts)

    assert [cause.rule.code for cause in found.causes] == ["late", "disputed_before", "declined"]
    assert found.causes[0].text.startswith("Milestone 1 ")
    assert (found.delay, found.dispute) == (4, 2 + 3 + 2)
    assert (found.delay_level, found.dispute_level) == ("talk", "trouble")


def test_lights_change_where_the_page_says():
    assert [points.level(n) for n in (0, 2, 3, 5, 6)] == [
        "calm",
        "calm",
        "talk",
        "talk",
        "trouble",
    ]


# --- A contract -----------------------------------------------------------------------------

# The world is built at the real time and looked at later, so that nothing depends on the day.
pytestmark = pytest.mark.django_db


def signed_in(user, **headers):
    client = Client(headers=headers)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def page_of(contract, user, **headers):
    response = signed_in(user, **headers).get(
        reverse("matching:contract-outlook", args=[contract.ref])
    )
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def of(contract, user):
    return outlook_of(contract_to_read(user, contract.ref))


def seen(contract, user):
    return {cause.rule.code for cause in of(contract, user).causes}


def test_the_history_of_a_contract_is_read_into_causes(world):
    contract = sign(world, "A map of all bike shops", steps=(("Half", 300), ("Rest", 300)))
    step = contract.milestones.get(position=1)
    fund(world, step)
    step.refresh_from_db()
    assert seen(contract, world.client) == set()

    with time_machine.travel(step.late_at - 2 * DAY, tick=False):
        assert seen(contract, world.client) == {"due_soon", "silence"}
        messages.send(contract, by=world.client, body="How is it going?")
        assert seen(contract, world.client) == {"due_soon"}
        messages.send(contract, by=world.client, body="Are you there?")
        messages.send(contract, by=world.client, body="Hello?")
        assert seen(contract, world.freelancer) == {"due_soon", "unanswered"}
        messages.send(contract, by=world.freelancer, body="Tomorrow.")
        assert seen(contract, world.client) == {"due_soon"}
    with time_machine.travel(step.late_at, tick=False):
        Proposal.objects.bulk_create(
            Proposal(
                milestone=step,
                kind="extension",
                side="freelancer",
                status="declined",
                due_on=step.due_on + DAY,
                reason="A holiday.",
                asked_by=world.freelancer,
                answer_due_at=step.late_at,
                answered_at=step.late_at,
            )
            for _each in range(2)
        )
        ContractEvent.objects.create(contract=contract, kind="milestone.approved_by_silence")
        assert seen(contract, world.client) == {
            "late",
            "dates_moved",
            "declined",
            "released_by_silence",
        }


def test_both_sides_read_the_very_same(world):
    step = world.contract.milestones.get(position=2)
    with time_machine.travel(step.review_due_at - DAY):
        as_client = page_of(world.contract, world.client, hx_request="true")
        as_freelancer = page_of(world.contract, world.freelancer, hx_request="true")

        assert as_client == as_freelancer
        assert "The review time of milestone 2 ends within 3 days." in as_client
        assert "Both of you see the same. Nobody else does" in as_client
        answers = [
            signed_in(user).get(f"/api/v1/contracts/{world.contract.ref}/outlook/").json()
            for user in (world.client, world.freelancer)
        ]
    assert answers[0] == answers[1]
    assert "review_ends" in {cause["code"] for cause in answers[0]["causes"]}
    assert answers[0]["dispute_points"] == sum(
        cause["dispute_points"] for cause in answers[0]["causes"]
    )


def test_the_page_tells_every_rule_with_its_points(world):
    page = page_of(world.contract, world.client)

    for rule in RULES.values():
        assert f'<th scope="row">{rule.when}</th>' in page
        cells = f'data-label="Delay">{rule.delay}</td><td class="n" data-label="Disagreement">'
        assert f"{cells}{rule.dispute}</td>" in page


def test_a_contract_that_is_over_has_no_outlook(world):
    assert of(world.ended_contract, world.client) is None
    assert "This contract is over" in page_of(world.ended_contract, world.client)
    over = signed_in(world.client).get(f"/api/v1/contracts/{world.ended_contract.ref}/outlook/")
    assert over.json()["running"] is False


def test_the_contract_page_leads_to_it(world):
    page = signed_in(world.client).get(world.contract.get_absolute_url()).content.decode()
    assert reverse("matching:contract-outlook", args=[world.contract.ref]) in page


@pytest.mark.parametrize("count", [1, 10, 100])
def test_no_message_is_read_and_no_query_more_is_made_for_many_of_them(world, count):
    Message.objects.bulk_create(
        Message(contract=world.contract, author=world.client, side="client", body="Hello?")
        for _each in range(count)
    )
    seat = contract_to_read(world.freelancer, world.contract.ref)

    with CaptureQueriesContext(
        connection,
    ) as made:
        found = outlook_of(seat)

    assert len(made) == 7
    assert not any('"projects_message"."body"' in query["sql"] for query in made)
    assert ("unanswered" in {cause.rule.code for cause in found.causes}) == (count >= 3)


def test_looking_changes_nothing_and_no_ranking_knows_of_it(world):
    """The matcher's answer is the same before and after a contract goes as wrong as it can."""
    ProfileFactory(user=world.rival, skills={"Django": 3})
    project = ProjectFactory(skills=("Django", "Accessibility"))

    def ranked():
        services.rank_people(project.pk, why="changed")
        return MatchRun.objects.filter(project=project).latest("pk").results

    before, calm = ranked(), of(world.contract, world.client)
    assert before
    step = Milestone.objects.filter(contract=world.contract, position=2)
    step.update(changes_asked=9)
    Proposal.objects.filter(milestone__contract=world.contract).update(
        status="declined", answered_at=NOW
    )
    messages.send(world.contract, by=world.client, body="One.")
    messages.send(world.contract, by=world.client, body="Two.")
    state = Contract.objects.filter(pk=world.contract.pk).values().get()

    worse = of(world.contract, world.client)

    assert worse.dispute > calm.dispute
    assert ranked() == before
    assert Contract.objects.filter(pk=world.contract.pk).values().get() == state
