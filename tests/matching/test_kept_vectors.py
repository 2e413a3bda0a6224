"""What lists are made of: vectors that outlive a worker, all of them or none, and how old it is."""

import datetime as dt

import pytest

from accounts.models import Profile
from marketplace.core import clock, retention
from matching import memory, services
from matching.engine.encoder import Encoder
from matching.models import Match, MatchRun, TextVector
from matching.selectors import documents, matches, stale
from tests.matching.conftest import (
    a_client,
    a_freelancer,
    a_project,
    finished_work,
    forget_everything,
)

pytestmark = pytest.mark.django_db

MOBILE = "Apps for telephones, drawn and written"


@pytest.fixture
def read_texts(monkeypatch):
    """The texts the encoder was given, in order."""
    read = []
    encode = Encoder.encode

    def counted(self, texts):
        read.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(Encoder, "encode", counted)
    return read


def three_freelancers():
    ines = a_freelancer("Ines Duarte")
    finished_work(ines, title="Booking checkout", description="Django for a theatre.")
    return [ines, a_freelancer("Noor Said", bio=MOBILE), a_freelancer("Otto Lind", bio="Roses.")]


def engine_of(project):
    return MatchRun.objects.filter(project=project).latest("pk").engine


def engines_of(parties):
    return {MatchRun.objects.filter(party=p).latest("pk").engine for p in parties}


# --- Vectors outlive a worker -----------------------------------------------------------------


def test_a_new_worker_reads_no_text_again_that_another_has_read(read_texts):
    three_freelancers()
    first = memory.people_matcher()
    assert len(read_texts) == TextVector.objects.count() == 4

    forget_everything()
    read_texts.clear()
    again = memory.people_matcher()

    assert read_texts == []
    assert again.engine == first.engine
    need = documents.need(a_project(a_client()))
    # The same to the last bit: both are what the encoder gave, in eight bits a number.
    assert [(r.id, r.score) for r in again.matcher.people_for(need, 9)] == [
        (r.id, r.score) for r in first.matcher.people_for(need, 9)
    ]


def test_vectors_of_another_model_are_not_used(read_texts):
    three_freelancers()
    memory.people_matcher()
    TextVector.objects.update(model="another model")

    forget_everything()
    read_texts.clear()
    memory.people_matcher()

    assert len(read_texts) == 4


def test_what_is_kept_of_a_text_is_not_the_text_and_does_not_depend_on_who_wrote_it():
    a_freelancer("Noor Said", bio="I am Nigerian and make slow queries fast.")
    a_freelancer("Ines Duarte", bio="I am Norwegian and make slow queries fast.")
    memory.people_matcher()

    (row,) = TextVector.objects.all()
    assert len(bytes(row.digest)) == 16
    assert len(bytes(row.vector)) == 384


@pytest.mark.parametrize("direction", ["people", "needs"])
def test_the_texts_read_beforehand_are_all_that_a_matcher_asks_for(direction, read_texts):
    freelancers = three_freelancers()
    for number in range(3):
        finished_work(
            freelancers[1],
            title=f"A work of skill {number}",
            description=MOBILE,
            skills=["Django"],
        )
    a_project(a_client())
    build = getattr(memory, f"_build_{direction}")
    before = memory._reader(None)
    texts = getattr(memory, f"{direction}_texts")(getattr(documents, direction)())
    before.learn(texts)
    asked = set(before.used)
    read_texts.clear()

    after = memory._reader(before)
    build(after)

    assert read_texts == []
    assert set(after.used) == asked


def test_vectors_are_forgotten_a_month_after_their_last_use_and_not_while_they_are_in_use():
    three_freelancers()
    memory.people_matcher()
    long_ago = clock.now().date() - dt.timedelta(days=31)
    TextVector.objects.update(used_on=long_ago)
    TextVector.objects.create(digest=b"gone" * 4, model="any", vector=b"", used_on=long_ago)

    # A day later the same worker, which has everything in memory, says what it uses.
    memory._reported.clear()
    memory._kept.clear()
    memory.people_matcher()

    assert retention.forget_old()["vectors"] == 1
    assert TextVector.objects.count() == 4


# --- All texts, or meaning for nobody ---------------------------------------------------------


def test_until_all_texts_are_read_meaning_counts_for_nobody_and_the_run_says_so(monkeypatch):
    monkeypatch.setattr(memory, "READ_AT_ONCE", 3)
    three_freelancers()
    project = a_project(a_client())

    services.rank_people(project.pk, why="changed")

    assert engine_of(project).endswith(", words only (3 of 4 read)")
    for match in Match.objects.filter(project=project):
        assert "meaning" not in match.features
        assert "profile" not in match.features


def test_lists_made_by_words_for_the_time_being_are_made_again_once_all_is_read(monkeypatch):
    monkeypatch.setattr(memory, "READ_AT_ONCE", 1)
    freelancers = three_freelancers()
    project, other = (
        a_project(a_client()),
        a_project(a_client("Model Client"), title="A garden with roses"),
    )
    parties = [user.own_party for user in freelancers]
    services.rank_stale()
    assert engine_of(project).endswith("(1 of 4 read)")
    assert engines_of(parties) == {f"{engine_of(other).split(' (')[0]} (1 of 2 read)"}

    for _sweep in range(2):
        memory._kept.clear()
        services.rank_stale()
    assert engine_of(project).endswith("(1 of 4 read)")
    assert engines_of(parties) == {memory.needs_matcher().engine}
    assert stale.parties_for_now().count() == 0
    memory._kept.clear()
    assert services.rank_stale() == 2

    assert engine_of(project) == engine_of(other) == memory.people_matcher().engine
    assert memory.people_matcher().is_whole
    assert Match.objects.filter(project=project, features__has_key="meaning").exists()
    assert services.rank_stale() == 0


# --- How old the data is ----------------------------------------------------------------------


def test_a_profile_that_changed_while_an_older_matcher_answered_is_found_by_the_sweep(monkeypatch):
    noor = a_freelancer("Noor Said", headline="Gardener", bio="Roses.", skills={"Gardening": 3})
    project = a_project(a_client())
    services.rank_people(project.pk, why="changed")
    assert matches.people_for(project) == []
    # Building takes long here, so the matcher answers although something has changed.
    monkeypatch.setattr(memory.Built, "is_good", lambda self, stamp: True)
    now = clock.now()
    Profile.objects.filter(party=noor.own_party).update(
        headline="Django developer", updated_at=now - dt.timedelta(minutes=20)
    )
    kept = memory._kept["people"]
    older = {"as_of": now - dt.timedelta(minutes=25)}
    memory._kept["people"] = type(kept)(**{**vars(kept), **older})

    services.rank_people(project.pk, why="other_side")
    assert matches.people_for(project) == []
    assert list(stale.projects()) == [project]

    memory._kept.clear()
    services.rank_stale()

    assert [match.party for match in matches.people_for(project)] == [noor.own_party]
    assert list(stale.projects()) == []


def test_a_project_published_while_an_older_matcher_answered_is_found_by_the_sweep(monkeypatch):
    noor = a_freelancer("Noor Said")
    project = a_project(a_client())
    old = clock.now() - dt.timedelta(hours=8)
    type(project).objects.update(published_at=old + dt.timedelta(hours=1))
    Profile.objects.update(updated_at=old)
    for as_of, is_due in ((old, True), (old + dt.timedelta(hours=2), False)):
        monkeypatch.setattr(memory.clock, "now", lambda as_of=as_of: as_of + documents.OPEN)
        ready = memory.needs_matcher()
        monkeypatch.undo()
        assert ready.as_of == as_of
        services.rank_projects(noor.own_party.pk, why="other_side")
        assert stale.parties().filter(pk=noor.own_party.pk).exists() is is_due
        memory._kept.clear()


def test_what_changed_while_it_was_being_ranked_is_ranked_again(monkeypatch):
    noor = a_freelancer("Noor Said")
    a_project(a_client())
    ask = memory.needs_matcher

    def while_somebody_types():
        Profile.objects.filter(party=noor.own_party).update(updated_at=clock.now())
        return ask()

    monkeypatch.setattr(memory, "needs_matcher", while_somebody_types)
    services.rank_projects(noor.own_party.pk, why="changed")

    assert noor.own_party in stale.parties()


# --- The log ----------------------------------------------------------------------------------


def test_the_log_says_whose_place_was_kept_for_newcomers():
    def checkouts(user, count, days_ago):
        for number in range(count):
            own_words = " ".join(f"{user.pk}x{number}y{word}" for word in range(6))
            finished_work(
                user,
                title="Ticket checkout for a museum",
                description=f"Accessible checkout pages in Django. {own_words}",
                skills=["Django", "Accessibility"],
                days_ago=days_ago,
            )

    for number in range(12):
        checkouts(a_freelancer(f"Old Hand{number}"), 4, days_ago=60)
    new = a_freelancer("Noor Said")
    checkouts(new, 3, days_ago=5)
    project = a_project(a_client())

    services.rank_people(project.pk, why="changed")

    results = MatchRun.objects.get(project=project).results
    assert [party for party, _score, kept, *_ in results if kept] == [new.own_party.pk]
    assert new.own_party.pk in [party for party, *_ in results[:10]]
