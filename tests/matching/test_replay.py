"""Attention that is shared over lists, and rankings that can be made again from the log."""

import copy
import datetime as dt

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from marketplace.core import audit, clock, retention
from marketplace.core.models import AuditRow
from matching import log_services, services, tasks
from matching.engine import explain
from matching.engine.documents import Reason
from matching.engine.placing import SHOWN, Policy, attention
from matching.models import Attention, Kind, Match, MatchRun
from matching.selectors import log, registry
from tests.matching.conftest import a_client, a_freelancer, a_project
from tests.matching.test_pages import address, signed_in, text_of

pytestmark = pytest.mark.django_db
PEOPLE = 13


@pytest.fixture(scope="module")
def _market(django_db_setup, django_db_blocker):
    """One market for all tests of this module: more people than a page shows, all alike.

    Only lots and attention order them. What a test changes is undone, and in the end the rest.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        people = [a_freelancer(f"Person {letter}") for letter in "abcdefghijklm"]
        project = a_project(a_client())
        other = a_project(a_client("Other Client"), title="Another museum checkout")
        yield people, project, other
        transaction.set_rollback(True)


@pytest.fixture
def people(_market, db):
    return _market[0]


@pytest.fixture
def project(_market, db):
    return _market[1]


@pytest.fixture
def other(_market, db):
    return _market[2]


@pytest.fixture
def by_score(monkeypatch):
    """No lots, so that a test knows where somebody must stand."""
    monkeypatch.setattr(services, "PLACING", Policy(exploring=0.0))


def rank(project):
    services.rank_people(project.pk, why="changed")
    return MatchRun.objects.filter(project=project).latest("pk")


def order(run):
    return [row[0] for row in run.results]


def give(person, project, *, seen=0.0, earned=0.0, days_ago=1):
    Attention.objects.create(
        project=project,
        party=person.own_party,
        at=clock.now() - dt.timedelta(days=days_ago),
        seen=seen,
        earned=earned,
    )


# --- Attention ------------------------------------------------------------------------------


def test_a_list_says_what_it_gave_and_owed_to_whom_and_the_next_one_replaces_it(people, project):
    run = rank(project)

    rows = {row.party_id: row for row in Attention.objects.filter(project=project)}
    assert len(rows) == PEOPLE
    for at, party in enumerate(order(run)):
        assert rows[party].seen == pytest.approx(attention(at), abs=1e-6)
    whole = sum(attention(at) for at in range(SHOWN))
    assert sum(row.earned for row in rows.values()) == pytest.approx(whole, abs=1e-4)

    assert rank(project).results == run.results
    assert Attention.objects.filter(project=project).count() == PEOPLE


def test_whoever_got_less_than_they_earned_in_other_lists_comes_first_and_is_told_why(
    people, project, other, by_score
):
    last = next(user for user in people if user.own_party.pk == order(rank(project))[-1])
    give(last, other, earned=9.0)

    assert order(rank(project))[0] == last.own_party.pk

    match = Match.objects.get(project=project, party=last.own_party, kind=Kind.PEOPLE)
    assert match.score == pytest.approx(sum(reason.contribution for reason in match.told))
    client = project.posted_by
    page = text_of(signed_in(client).get(address("project-people", project)))
    assert page.count("Shown for rotation: a little further up than by score") == 1
    assert "Seen less lately than people who fit as well. Nobody paid for it." in page
    page = text_of(signed_in(last).get(address("project-reasons", project)))
    assert "You were seen less lately than people who fit as well." in page


def test_whoever_had_nearly_all_of_it_lets_others_pass_and_is_told_why(
    people, project, other, by_score
):
    first = next(user for user in people if user.own_party.pk == order(rank(project))[0])
    give(first, other, seen=30.0)

    assert order(rank(project))[-1] == first.own_party.pk

    match = Match.objects.get(project=project, party=first.own_party, kind=Kind.PEOPLE)
    said = {words.detail for words in explain.words(match.told, "freelancer")}
    assert "You were suggested very often lately. Others who fit nearly as well take turns." in said


@pytest.mark.parametrize("where", ["the list itself", "long ago"])
def test_what_the_list_itself_gave_and_what_is_long_ago_moves_nobody(
    people, project, other, by_score, where
):
    before = rank(project)
    last = next(user for user in people if user.own_party.pk == order(before)[-1])
    if where == "long ago":
        give(last, other, earned=9.0, days_ago=31)
    else:
        Attention.objects.filter(project=project, party=last.own_party).update(earned=9.0)

    assert rank(project).results == before.results


def test_attention_is_forgotten_after_thirty_days(people, other):
    give(people[0], other, seen=1.0, days_ago=31)
    give(people[1], other, seen=1.0, days_ago=29)

    assert retention.forget_old()["attention"] == 1
    assert Attention.objects.get().party == people[1].own_party


@pytest.mark.parametrize("audience", ["client", "freelancer"])
def test_a_place_by_lot_is_called_one(audience):
    (said,) = explain.words([Reason("exploration", facts={"chance": 0.1})], audience)

    assert said.text == "Shown for rotation: this place was drawn by lot"
    assert said.detail.startswith("Every second list draws one place among people who fit")


# --- Made again -----------------------------------------------------------------------------


def logged(run, *, hours_ago=0, **changes):
    """The same row of the log once more, with changes: the log itself refuses them."""
    fields = {
        field.attname: copy.deepcopy(getattr(run, field.attname))
        for field in MatchRun._meta.concrete_fields
        if not field.primary_key
    }
    fields["at"] -= dt.timedelta(hours=hours_ago)
    return MatchRun.objects.create(**(fields | changes))


def replay(run, capsys):
    call_command("replay_match", run.pk)
    return capsys.readouterr().out


def test_a_logged_ranking_comes_out_the_same_in_both_directions(people, project, other, capsys):
    for number, person in enumerate(people):
        give(person, other, seen=number % 3, earned=(number * 7) % 5)

    run = rank(project)
    assert {row[4] for row in run.results} >= {"merit", "exposure"}
    assert f"{PEOPLE} places of {PEOPLE} candidates, all as logged" in replay(run, capsys)

    party = people[0].own_party
    services.rank_projects(party.pk, why="changed")
    run = MatchRun.objects.get(party=party)
    assert "2 places of 2 candidates, all as logged; not sealed yet" in replay(run, capsys)


def test_a_place_by_lot_comes_out_the_same_with_its_chance(people, project, monkeypatch, capsys):
    monkeypatch.setattr(services, "PLACING", Policy(exploring=1.0))

    run = rank(project)

    (drawn,) = [row for row in run.results if row[4] == "exploration"]
    assert 0 < drawn[5] < 1
    assert run.results.index(drawn) in Policy().explored
    assert "all as logged" in replay(run, capsys)


def with_another_score(run):
    weights, names = run.record["weights"], run.record["features"]
    assert weights["skills"] > 0
    run.record["candidates"][4][1][names.index("skills")] = 0.0


def with_another_past(run):
    run.record["candidates"][4][5] = 9.0


def with_another_seed(run):
    run.seed += "0"


def with_another_weight(run):
    run.record["weights"]["skills"] *= 2


def with_another_policy(run):
    run.record["policy"]["share_cap"] = 0.5


def with_somebody_missing(run):
    del run.results[-1]
    del run.record["candidates"][0]


@pytest.mark.parametrize(
    "case",
    [
        (with_another_score, "place "),
        (with_another_past, "place "),
        (with_another_seed, "place "),
        (with_another_weight, "method: "),
        (with_another_policy, "method: "),
        (with_somebody_missing, "place "),
    ],
)
def test_whatever_does_not_fit_the_list_is_named(people, project, by_score, case, capsys):
    change, said = case
    run = rank(project)
    change(run)
    forged = logged(run)

    with pytest.raises(CommandError, match=f"Ranking {forged.pk} comes out otherwise"):
        replay(forged, capsys)
    assert said in capsys.readouterr().err


def test_a_ranking_from_before_records_says_that_it_cannot_be_made_again(people, project, capsys):
    old = logged(rank(project), record=None, seed="", method="", results=[[1, 0.5, False]])

    with pytest.raises(CommandError, match="made before records were kept"):
        replay(old, capsys)
    with pytest.raises(CommandError, match="There is no ranking 0"):
        call_command("replay_match", 0)


def test_a_record_names_its_weights_and_holds_ids_and_figures_only(people, project):
    def leaves(value):
        if isinstance(value, dict):
            value = [*value.values()]
        if isinstance(value, list):
            return [leaf for each in value for leaf in leaves(each)]
        return [value]

    run = rank(project)
    weights = registry.deployed()
    assert run.record.pop("model") == {"version": weights.version, "sha256": weights.sha256}
    texts = {leaf for leaf in leaves([run.record, run.results]) if isinstance(leaf, str)}

    assert texts <= {*run.record["features"], "merit", "newcomer", "exploration", "exposure"}


# --- Sealed ---------------------------------------------------------------------------------


def test_settled_rankings_are_sealed_once_and_a_later_change_is_noticed(people, project, capsys):
    run = rank(project)
    first, second = logged(run, hours_ago=2), logged(run, hours_ago=2)
    assert log_services.seal_rankings() is None

    # The young one has the lowest number: what comes after it waits for it.
    with connection.cursor() as cursor:
        change_behind_the_triggers_back(cursor, "at = at - interval '3 hours'", run)
    tasks.seal_rankings()
    tasks.seal_rankings()

    seal = AuditRow.objects.get(action=log.SEALED)
    assert (seal.facts["first"], seal.facts["last"]) == (run.pk, second.pk)
    assert [row[0] for row in seal.facts["rankings"]] == [run.pk, first.pk, second.pk]
    assert f"sealed by audit row {seal.pk}" in replay(first, capsys)

    with connection.cursor() as cursor:
        change_behind_the_triggers_back(cursor, "considered = 1", second)
    with pytest.raises(CommandError, match="comes out otherwise"):
        replay(first, capsys)
    assert f"not what audit row {seal.pk} says" in capsys.readouterr().err
    audit.seal()
    assert audit.verify()[2] == []


def test_a_change_of_what_the_person_chose_is_noticed(people, project, capsys):
    run = sealed(rank(project))
    assert "sealed by" in replay(run, capsys)

    with connection.cursor() as cursor:
        change_behind_the_triggers_back(cursor, """wishes = '{"skills": "off"}'""", run)

    with pytest.raises(CommandError, match="comes out otherwise"):
        replay(run, capsys)


def test_old_rankings_may_be_gone_without_breaking_the_seal_of_others(people, project, capsys):
    run = rank(project)
    old, kept = (logged(run, hours_ago=24 * 185) for _each in range(2))
    young = logged(run, hours_ago=24 * 183)
    sealed(run)

    old.delete()
    assert "sealed by" in replay(young, capsys)

    with connection.cursor() as cursor:
        change_behind_the_triggers_back(cursor, "considered = 1", kept)
    with pytest.raises(CommandError, match="comes out otherwise"):
        replay(young, capsys)
    with connection.cursor() as cursor:
        change_behind_the_triggers_back(cursor, f"considered = {kept.considered}", kept)
    assert "sealed by" in replay(kept, capsys)

    with connection.cursor() as cursor:
        behind_the_triggers_back(cursor, "DELETE FROM matching_matchrun WHERE id = %s", young)
    with pytest.raises(CommandError, match="comes out otherwise"):
        replay(kept, capsys)


def sealed(run):
    """The ranking, as old as it has to be for a seal, under one with all that came after it."""
    with connection.cursor() as cursor:
        change_behind_the_triggers_back(cursor, "at = at - interval '3 hours'", run)
    tasks.seal_rankings()
    return run


def change_behind_the_triggers_back(cursor, change, run):
    behind_the_triggers_back(cursor, f"UPDATE matching_matchrun SET {change} WHERE id = %s", run)


def behind_the_triggers_back(cursor, sql, run):
    # What waits for the end of the transaction keeps a table from being altered.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("ALTER TABLE matching_matchrun DISABLE TRIGGER USER")
    cursor.execute(sql, [run.pk])
    cursor.execute("ALTER TABLE matching_matchrun ENABLE TRIGGER USER")
