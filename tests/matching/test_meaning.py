"""Nearness of meaning: what it finds that words do not, and what it must never do."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from matching import memory, services
from matching.engine import explain
from matching.engine.documents import HistoryItem, Need, PersonDoc
from matching.engine.encoder import load_encoder, why_not
from matching.engine.meaning import Meanings, Reader, Space
from matching.engine.placing import KEPT_FOR_NEW
from matching.engine.rank import build_index
from matching.engine.weights import load_weights
from matching.models import MatchRun
from tests.matching.conftest import a_client, a_freelancer, a_project

TODAY = dt.date(2026, 11, 20)


def work(title, body="", *, days_ago=30, **more):
    return HistoryItem(title, body, date=TODAY - dt.timedelta(days=days_ago), **more)


NEED = Need(
    id="need",
    title="Speed up our PostgreSQL database",
    description="Some queries take ten seconds and the reports time out.",
    posted_at=TODAY,
)
TUNER = PersonDoc(id="tuner", history=(work("Slow SQL made fast", "indexes and query plans"),))
GARDENER = PersonDoc(id="gardener", history=(work("Rose garden", "beds, hedges and a pond"),))
SINGER = PersonDoc(id="singer", history=(work("Jazz songs for a wedding", "voice and piano"),))
CROWD = [TUNER, GARDENER, SINGER]


@pytest.fixture(scope="module")
def encoder():
    found = load_encoder()
    assert found, why_not()
    return found


@pytest.fixture
def no_encoder(tmp_path, settings):
    settings.ENCODER_DIR = tmp_path
    memory._vectors.clear()


def ranking(encoder, people, need=NEED, k=10):
    return build_index(people, [], at=TODAY, read=Reader(encoder)).people_for(need, k)


def test_work_of_the_same_kind_is_found_without_a_word_in_common(encoder):
    need = Need(id="other", title="Our database is sluggish", description="Tune it, please.")

    assert build_index(CROWD, [], at=TODAY).people_for(need, 10) == []
    found = ranking(encoder, CROWD, need)

    assert [each.id for each in found] == ["tuner"]
    works = next(reason for reason in found[0].reasons if reason.kind == "works")
    assert works.facts["alike"] == 1
    assert works.facts["named"][0]["title"] == "Slow SQL made fast"
    assert "1 similar past project" in {said.text for said in explain.words([works], "client")}


def test_with_vectors_too_the_reasons_add_up_to_the_score(encoder):
    people = [replace(p, id=f"{p.id}{n}", bio="SQL") for n in range(3) for p in CROWD]
    needs = [NEED, replace(NEED, id="de", language="de"), replace(NEED, id="en", language="en")]
    matcher = build_index(people, needs, at=TODAY, read=Reader(encoder))
    found = [each for need in needs for each in matcher.people_for(need, 10)]
    found += [each for person in people for each in matcher.needs_for(person, 10)]

    assert len(found) >= 9
    for each in found:
        assert sum(r.contribution for r in each.reasons) == pytest.approx(each.score, rel=1e-6)
        assert 0 < each.score <= 1


def test_a_language_the_encoder_does_not_serve_is_read_as_words(encoder):
    german = replace(NEED, language="de")

    (found, *_) = ranking(encoder, [replace(TUNER, bio="queries and reports")], german)

    assert "meaning" not in found.features
    assert "meaning" in ranking(encoder, [TUNER])[0].features


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("She works from Lagos.", "He works from Oslo."),
        ("I am Nigerian and they call me Ms.", "I am Norwegian and they call me Mr."),
    ],
)
def test_who_somebody_is_does_not_change_the_vector_of_a_text(encoder, one, other):
    first, second = Reader(encoder).vectors(
        [f"I make slow queries fast. {who}" for who in (one, other)]
    )

    assert (first == second).all()


def test_two_of_ten_places_are_kept_for_newcomers_who_fit_and_it_is_said(encoder):
    veterans = [
        PersonDoc(
            id=f"veteran{n}",
            history=tuple(
                work(f"PostgreSQL queries {m}", "reports, ten seconds", days_ago=9 * m + n)
                for m in range(4)
            ),
        )
        for n in range(12)
    ]
    tuner = replace(TUNER, history=tuple(replace(w, date=TODAY) for w in veterans[-1].history[:3]))
    found = ranking(encoder, [*veterans, tuner, GARDENER])

    assert found[KEPT_FOR_NEW[0]].id == "tuner"
    kept = [each for each in found if any(r.kind == "newcomer" for r in each.reasons)]
    assert [each.id for each in kept] == ["tuner"]
    assert "Few projects here so far" in {
        said.text for said in explain.words(kept[0].reasons, "client")
    }
    others = [each.score for each in found if each.id != "tuner"]
    assert others == sorted(others, reverse=True)


def test_nothing_is_kept_where_newcomers_stand_high_by_themselves(encoder):
    found = ranking(encoder, CROWD)

    assert not [each for each in found if any(r.kind == "newcomer" for r in each.reasons)]


def test_what_was_read_is_not_read_again_and_what_nobody_uses_is_forgotten(encoder):
    first = Reader(encoder)
    before = first.vectors(["a rose garden", "slow SQL"])

    second = Reader(encoder, known=first.used, most_new=0)
    again = second.vectors(["a rose garden", "never read", ""])

    assert (again[0] == before[0]).all()
    assert not again[1].any()
    assert not again[2].any()
    assert second.passing(["never read"]).any()
    assert len(second.used) == 1


def test_the_space_lets_works_of_one_person_come_nearer_to_each_other():
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(40, 384))
    # What a person's works differ in is one and the same direction for everybody.
    noise = rng.normal(size=384)
    owners = np.repeat(np.arange(40), 6)
    vectors = kinds[owners] + 8 * rng.normal(size=(240, 1)) * noise
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def within(placed):
        return np.mean(
            [np.abs(placed[owners == o] @ placed[owners == o].T).mean() for o in range(40)]
        )

    def across(placed):
        return np.abs(placed[::6] @ placed[::6].T).mean()

    plain, bent = Space(vectors).place(vectors), Space(vectors, owners).place(vectors)

    assert within(bent) - across(bent) > within(plain) - across(plain)


def test_vectors_in_eight_bits_tell_nearness_as_those_in_full():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(1300, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    found = Meanings(vectors).near(vectors[7])

    assert found == pytest.approx(np.maximum(vectors @ vectors[7], 0), abs=0.01)
    assert found.argmax() == 7


def test_markets_without_works_or_with_one_have_a_space():
    nobody = Space(np.zeros((0, 384), dtype=np.float32), np.zeros(0, dtype=np.int64))
    one = np.eye(384, dtype=np.float32)[:1]

    assert nobody.place(one)[0] == pytest.approx(one[0])
    assert np.isfinite(Space(one, np.zeros(1, dtype=np.int64)).place(one)).all()


def test_no_weight_punishes_what_fits_and_the_file_says_where_they_come_from():
    assert min(load_weights().values()) >= 0
    assert set(build_index(CROWD, [], at=TODAY).features_for(NEED)[1]) <= set(load_weights())


@pytest.mark.django_db
def test_a_run_says_whether_it_had_vectors():
    a_freelancer("Noor Said")
    project = a_project(a_client())

    services.rank_people(project.pk, why="changed")

    assert MatchRun.objects.latest("pk").engine == f"votes-4+{load_encoder().model_id}"


@pytest.mark.django_db
def test_without_the_encoder_lists_are_ranked_by_words_and_the_run_says_so(no_encoder):
    noor = a_freelancer("Noor Said")
    project = a_project(a_client())

    assert list(services.rank_people(project.pk, why="changed")) == [noor.own_party.pk]
    assert list(services.rank_projects(noor.own_party.pk, why="changed")) == [project.pk]

    assert {run.engine for run in MatchRun.objects.all()} == {"votes-4, words only"}
