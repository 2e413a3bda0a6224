"""A market too big to be read at every change: files, what changed since, and the search."""

import dataclasses
import sys

import pytest
from django.core.management import call_command
from django.urls import reverse

import matching
from accounts.services import profiles
from matching import memory, people_files, services, tasks, wish_services
from matching.by_search import BySearch
from matching.engine import files, placing
from matching.engine.weights import load_weights
from matching.models import Attention, Kind, Match, MatchRun
from matching.selectors import documents, registry, stale
from tests.matching.conftest import (
    a_client,
    a_freelancer,
    a_project,
    finished_work,
    forget_everything,
)
from tests.matching.test_controls import USUAL

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


def test_wishes_hold_from_the_next_list_on(market):
    ines, noor, project = market
    services.keep_files()
    assert rank(project) == ["Ines Duarte", "Noor Said"]
    run = MatchRun.objects.latest("pk")
    assert "works" in {r.kind for r in run.matches.get(party=ines.own_party).told}

    wish_services.set_wishes(ines.own_party, by=ines, **USUAL | {"uses_record": False})
    rank(project)
    run = MatchRun.objects.latest("pk")
    assert "works" not in {r.kind for r in run.matches.get(party=ines.own_party).told}

    wish_services.set_wishes(noor.own_party, by=noor, **USUAL | {"is_on": False})
    assert rank(project) == ["Ines Duarte"]
    wish_services.set_wishes(noor.own_party, by=noor, **USUAL)
    assert set(rank(project)) == {"Ines Duarte", "Noor Said"}


@pytest.mark.parametrize("without_files", [False, True])
def test_whoever_is_gone_never_competed_and_the_list_comes_out_of_the_log_again(
    market, capsys, monkeypatch, without_files
):
    ines, noor, project = market
    if not without_files:
        services.keep_files()
    rank(project)
    noors = str(noor.own_party.pk)
    # Everybody is read, and then somebody switches suggestions off before the list is written.
    monkeypatch.setattr(documents, "out_of_reach", documents.of_client)
    monkeypatch.setattr(documents, "gone", lambda ids: {noors} & set(ids))

    assert rank(project) == ["Ines Duarte"]

    run = MatchRun.objects.latest("pk")
    assert [row[0] for row in run.record["candidates"]] == [ines.own_party.pk]
    assert run.results[0][5] == 1.0
    assert not Attention.objects.filter(party=noor.own_party).exists()
    call_command("replay_match", run.pk)
    assert "1 places of 1 candidates, all as logged" in capsys.readouterr().out


def test_the_search_ranks_with_the_weights_in_use_and_keeps_places_for_newcomers(market):
    old, new = market[0], market[1]
    need = documents.need(market[2])
    turn = placing.Turn("seed", placing.Policy(exploring=0.0))
    skills = dict.fromkeys(load_weights(), 0.0) | {"skills": 1.0}

    found = BySearch(load_weights()).weighing(skills).ranking_of_people(need, 10, turn=turn)

    assert dict(found.weights) == {"skills": 1.0, "words": 0.0}
    assert {each.id: each.score for each in found.found} == {
        each.id: each.features["skills"] for each in found.found
    }
    assert {each.id for each in found.candidates if each.is_new} == {
        str(old.own_party.pk),
        str(new.own_party.pk),
    }
    for _ in range(3):
        finished_work(old, title="Ticket page", description="Tickets.")
    ids = [str(each.own_party.pk) for each in (old, new)]
    assert BySearch(skills).newcomers(ids) == {ids[1]}
    assert services.keep_files()
    assert memory.people_matcher().matcher.newcomers(ids) == {ids[1]}


def test_weights_put_to_use_rank_out_of_the_files_that_are_there(market):
    services.keep_files()
    before = memory.people_matcher()
    weights = {**before.model.weights, "proof": 0.01}

    other = dataclasses.replace(before.model, sha256="0", weights=weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "deployed", lambda: other)
        after = memory.people_matcher()

    assert after.matcher.weights == weights
    assert after.model == other
    assert memory.people_matcher().matcher.weights == before.matcher.weights


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
