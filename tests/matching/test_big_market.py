"""A market too big to be read at every change: files, what changed since, and the search."""

import sys

import pytest
from django.urls import reverse

import matching
from accounts.services import profiles
from matching import memory, people_files, services, tasks
from matching.by_search import BySearch
from matching.engine import files
from matching.engine.weights import load_weights
from matching.models import Kind, Match, MatchRun
from matching.selectors import documents, stale
from tests.matching.conftest import (
    a_client,
    a_freelancer,
    a_project,
    finished_work,
    forget_everything,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def big(settings, tmp_path):
    settings.MATCH_FILES_FROM = 1
    settings.DATA_DIR = tmp_path


@pytest.fixture
def market():
    ines, noor = a_freelancer("Ines Duarte"), a_freelancer("Noor Said", bio="Checkouts of museums.")
    a_freelancer("Otto Lind", headline="Gardener", bio="Roses.", skills={"Gardening": 3})
    finished_work(ines, title="Booking checkout", description="Django pages for a theatre.")
    return ines, noor, a_project(a_client())


def rank(project):
    services.rank_people(project.pk, why="changed")
    rows = Match.objects.filter(kind=Kind.PEOPLE, project=project).order_by("rank")
    return [match.party.name for match in rows]


def engine(project):
    return MatchRun.objects.filter(project=project).latest("pk").engine


def test_people_out_of_files_stand_where_a_small_market_has_them(market, settings):
    *_, project = market
    settings.MATCH_FILES_FROM = 1000
    small = rank(project)
    rows = list(Match.objects.filter(project=project).values_list("rank", "party", "reasons"))
    name = engine(project)

    settings.MATCH_FILES_FROM = 1
    assert services.keep_files()

    assert rank(project) == small
    assert (
        list(Match.objects.filter(project=project).values_list("rank", "party", "reasons")) == rows
    )
    assert engine(project) == name
    assert MatchRun.objects.latest("pk").considered == 3


def test_without_files_a_search_answers_says_so_and_is_overtaken(market, client):
    _ines, _noor, project = market

    assert rank(project) == ["Ines Duarte", "Noor Said"]

    assert engine(project) == BySearch.engine
    assert project in stale.projects_for_now()
    first = Match.objects.filter(project=project).order_by("rank").first()
    assert sum(r.contribution for r in first.told) == pytest.approx(first.score)
    assert {r.kind for r in first.told} <= {"skills", "profile", "missing"}
    client.force_login(project.posted_by)
    url = reverse("matching:project-people", args=[project.slug, project.ref])
    assert "only part of what can be compared" in client.get(url).content.decode()

    assert services.keep_files()
    services.rank_stale()

    assert not engine(project).endswith("read)")
    assert project not in stale.projects_for_now()
    assert "only part of what can be compared" not in client.get(url).content.decode()


def test_a_changed_profile_finished_work_and_a_newcomer_are_found_without_building(market):
    ines, noor, project = market
    services.keep_files()
    state = files.current(people_files.folder())
    zebra = a_project(
        a_client(), title="Zebra crossing", description="A zebra. " * 20, skills=["Zebra"]
    )
    assert rank(zebra) == []

    profiles.save_profile(
        noor.own_party.profile, by=noor, headline="Zebra developer", bio="", rate_min=None,
        rate_max=None, availability="now", available_from=None, hours_per_week=None, languages="",
        is_visible=True,
    )  # fmt: skip
    assert rank(zebra) == ["Noor Said"]
    a_freelancer("Late Comer", headline="Zebras")
    assert set(rank(zebra)) == {"Noor Said", "Late Comer"}
    finished_work(ines, title="Zebra park", description="A zebra house.", days_ago=0)
    assert set(rank(zebra)) == {"Noor Said", "Late Comer", "Ines Duarte"}
    assert "checkout" not in str(people_files.now().matcher.people_for(documents.need(zebra), 3))

    assert files.current(people_files.folder()) == state
    services.build_files()
    people_files.forget()
    assert set(rank(zebra)) == {"Noor Said", "Late Comer", "Ines Duarte"}
    assert set(rank(project)) == {"Ines Duarte", "Noor Said", "Late Comer"}


def test_whoever_is_gone_is_gone_from_the_next_list(market):
    ines, _noor, project = market
    services.keep_files()
    assert rank(project) == ["Ines Duarte", "Noor Said"]

    ines.is_active = False
    ines.save(update_fields=["is_active"])

    assert rank(project) == ["Noor Said"]


def test_files_that_somebody_touched_are_not_used_and_are_built_again(market):
    *_, project = market
    services.keep_files()
    folder = people_files.folder()
    file = folder / files.current(folder) / "owners.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
    forget_everything()
    assert not services.keep_files()

    assert rank(project) == ["Ines Duarte", "Noor Said"]

    assert engine(project) == BySearch.engine
    assert services.keep_files()
    rank(project)
    assert engine(project) != BySearch.engine


def test_files_are_built_when_it_is_time_and_by_one(market, settings):
    assert people_files.is_due()
    tasks.keep_files()
    assert not people_files.is_due()
    assert not services.keep_files()
    with files.only_builder(people_files.folder()):
        assert not services.build_files()

    settings.MATCH_FILES_FROM = 1000
    assert not services.build_files()
    settings.MATCH_FILES_FROM = 1
    settings.MATCHER_MODE = "off"
    assert not services.build_files()


@pytest.mark.parametrize(
    ("fact", "value"),
    [("form", "older"), ("model", "another"), ("as_of", "2020-01-01T00:00:00+00:00")],
)
def test_old_files_and_those_of_other_programs_are_due(market, fact, value):
    services.keep_files()
    folder = people_files.folder()
    facts = files.facts_of(folder)
    arrays, _ = files.open_current(folder, form=people_files.FORM)

    files.write(folder, arrays, facts | {fact: value})

    assert people_files.is_due()


def test_many_changes_are_settled_once_and_counted_once(market, monkeypatch):
    _ines, _noor, project = market
    services.keep_files()
    before = rank(project)
    monkeypatch.setattr(people_files, "MOST_UNSETTLED", 0)

    for name in ("Anna Eins", "Bert Zwei"):
        a_freelancer(name)
        rank(project)

    there = people_files.now()
    assert there.settled == there.changed
    assert len(there.people.ids) == 3 + len(there.changed)
    assert set(rank(project)) == {*before, "Anna Eins", "Bert Zwei"}
    assert there.matcher.considered == 5


def test_without_the_numeric_libraries_people_are_still_found(market, monkeypatch):
    ines, _noor, project = market
    monkeypatch.delattr(matching, "memory")
    monkeypatch.setitem(sys.modules, "matching.memory", None)

    assert rank(project) == ["Ines Duarte", "Noor Said"]
    assert services.rank_projects(ines.own_party.pk, why="changed") == []
    services.rank_stale()


def test_the_search_leaves_out_who_must_not_be_asked_and_survives_any_text(market):
    ines, noor, project = market
    need = documents.need(project)

    search = BySearch(load_weights())
    found = search.people_for(need, 10, exclude={str(ines.own_party.pk)})

    assert [each.id for each in found] == [str(noor.own_party.pk)]
    for title in ("", "'; DROP & | ! :*", "木" * 500, "the and of"):
        odd = documents.Need(id="0", title=title, skills=(), client="x")
        assert search.people_for(odd, 10) == []


def test_a_small_market_writes_no_files(market, settings):
    settings.MATCH_FILES_FROM = 1000

    assert rank(market[2])
    assert not services.keep_files()
    assert not people_files.folder().exists()
    assert isinstance(memory.people_matcher(), memory.Built)
