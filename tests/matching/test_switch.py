"""Matching off, on, and ranked without being shown (ML-12)."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Notice
from marketplace.core.errors import InvalidInput
from marketplace.core.models import AuditRow
from matching import memory, model_services, services
from matching.models import MatcherSwitch, MatchRun
from matching.selectors import matches, registry
from tests.factories import StaffFactory
from tests.matching.conftest import a_client, a_freelancer, a_project

pytestmark = pytest.mark.django_db

BECAUSE = "An audit is red and we want to look first."


@pytest.fixture
def staff():
    return StaffFactory(name="Ayse Demir")


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def market():
    """A ranked project of Mara and two people; the one who fits less came last."""
    mara = a_client()
    ines = a_freelancer("Ines Duarte")
    project = a_project(mara)
    a_freelancer("Late Comer", headline="Gardener", skills={"Django": 1})
    services.rank_people(project.pk, why="changed")
    services.rank_projects(ines.own_party.pk, why="changed")
    return project, mara, ines


def pages(market):
    project, mara, ines = market
    kwargs = {"slug": project.slug, "ref": project.ref}
    client, freelancer = signed_in(mara), signed_in(ines)
    return {
        "people": client.get(reverse("matching:project-people", kwargs=kwargs)),
        "projects": freelancer.get(reverse("matching:for-you")),
        "why": freelancer.get(reverse("matching:project-reasons", kwargs=kwargs)),
        "home": freelancer.get(reverse("home")),
        "project": freelancer.get(reverse("projects:detail", kwargs=kwargs)),
        "search": client.get(reverse("accounts:people")),
        "method": client.get(reverse("pages:matching")),
        "status": client.get(reverse("pages:status")),
    }


def texts(market):
    found = pages(market)
    assert {name: page.status_code for name, page in found.items()} == dict.fromkeys(found, 200)
    return {name: " ".join(page.content.decode().split()) for name, page in found.items()}


def modes(market):
    project, mara, ines = market
    people = reverse("api:project-matches", kwargs={"ref": project.ref})
    return {
        signed_in(mara).get(people).json()["mode"],
        signed_in(ines).get(reverse("api:matches")).json()["mode"],
    }


def in_order(text):
    return text.index("Ines Duarte") < text.index("Late Comer")


def test_a_press_in_the_console_switches_matching_off_at_the_next_page_and_on_again(market, staff):
    project = market[0]
    console, url = signed_in(staff), reverse("admin:matching_matcherswitch_add")
    assert in_order(texts(market)["people"])

    # No restart, no waiting, and no process that remembers: the next page and task see it.
    assert console.post(url, {"off": 1, "reason": BECAUSE}).status_code == 303

    off = texts(market)
    assert not in_order(off["people"])
    assert all("switched off" in off[name] for name in ("people", "projects", "why", "method"))
    assert "Switched off. Lists are newest first." in off["status"]
    assert modes(market) == {"off"}
    runs = MatchRun.objects.count()
    services.rank_people(project.pk, why="changed")
    assert services.rank_stale() == 0
    assert MatchRun.objects.count() == runs
    row = MatcherSwitch.objects.get()
    assert (row.by, row.why, row.mode) == (staff, BECAUSE, "off")
    assert AuditRow.objects.get(action="matcher.switched").facts == {"mode": "off"}

    console.post(url, {"on": 1, "reason": "Looked at it; it was the audit."})

    assert in_order(texts(market)["people"])
    assert modes(market) == {"on"}
    services.rank_people(project.pk, why="changed")
    assert MatchRun.objects.count() == runs + 1


def test_while_it_is_tried_out_lists_are_ranked_and_logged_and_shown_newest_first(market, staff):
    model_services.switch("shadow", by=staff, reason=BECAUSE)
    runs = MatchRun.objects.count()

    assert services.rank_people(market[0].pk, why="changed")

    assert MatchRun.objects.count() == runs + 1
    shown = texts(market)
    assert not in_order(shown["people"])
    assert all("being tried out" in shown[name] for name in ("people", "projects", "why", "method"))
    assert modes(market) == {"shadow"}


@pytest.mark.parametrize(
    ("environment", "switch", "found"),
    [
        ("on", None, ("on", "")),
        ("on", "off", ("off", "switch")),
        ("on", "shadow", ("shadow", "switch")),
        ("shadow", None, ("shadow", "environment")),
        ("shadow", "on", ("shadow", "environment")),
        ("shadow", "off", ("off", "switch")),
        ("off", "on", ("off", "environment")),
        ("of", "on", ("off", "environment")),
    ],
)
def test_the_more_cautious_of_environment_and_switch_holds(
    settings, staff, environment, switch, found
):
    settings.MATCHER_MODE = environment
    if switch:
        model_services.switch("off", by=staff, reason="An earlier one, overtaken.")
        model_services.switch(switch, by=staff, reason=BECAUSE)

    state = registry.state()

    assert (state.mode, state.why) == found
    assert matches.is_on() == (state.mode == "on")
    assert matches.is_ranking() == (state.mode != "off")


def test_a_switch_has_a_reason_stays_on_the_record_and_the_others_are_told(staff):
    other = StaffFactory(name="Bela Second")
    with pytest.raises(InvalidInput, match="sentence"):
        model_services.switch("off", by=staff, reason="bad")
    with pytest.raises(InvalidInput, match="Choose"):
        model_services.switch("maybe", by=staff, reason=BECAUSE)
    row = model_services.switch("off", by=staff, reason=BECAUSE)

    assert [n.user for n in Notice.objects.filter(kind="matcher_switched")] == [other]
    for change in (lambda rows: rows.update(mode="on"), lambda rows: rows.delete()):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            change(MatcherSwitch.objects.filter(pk=row.pk))


def test_a_worker_that_already_has_its_matrices_sees_the_switch_too(market, staff):
    assert memory.people_matcher().matcher
    model_services.switch("off", by=staff, reason=BECAUSE)
    assert services.rank_people(market[0].pk, why="changed") == []
