"""The engine with more people than can be weighed one by one, and its matrices in files."""

import dataclasses
import datetime as dt
import json
import random
from functools import cache

import numpy as np
import pytest

from matching.engine import candidates, files, meaning, placing, votes
from matching.engine.bm25 import best
from matching.engine.documents import HistoryItem, Need, PersonDoc
from matching.engine.encoder import DIMENSIONS
from matching.engine.files import FilesUnusable
from matching.engine.meaning import Meanings, packed
from matching.engine.people import Gathered, People, read_person
from matching.engine.rank import Matcher
from matching.engine.weights import load_weights

TODAY = dt.date(2026, 11, 20)
SUBJECTS = [
    "ticket checkout payment museum booking accessible",
    "garden roses hedge watering greenhouse soil",
    "translation subtitles novel proofreading glossary",
    "database queries index replication postgres backup",
    "logo poster typeface illustration colour brand",
]
SKILLS = ["Django", "Gardening", "Translation", "PostgreSQL", "Illustration", "Python"]


class Directions:
    """A reader whose vectors come from the letters of a text: the same text, the same vector."""

    model_id = "directions"

    def passing(self, texts):
        return meaning.unit(self.packed(texts))

    def packed(self, texts):
        rows = [sum(map(self._word, text.split()), np.zeros(DIMENSIONS)) for text in texts]
        return packed(np.asarray(rows, dtype=np.float32).reshape(-1, DIMENSIONS))

    @staticmethod
    @cache
    def _word(word):
        return np.random.default_rng(sum(map(ord, word))).normal(size=DIMENSIONS)


def a_person(dice, number):
    kind = dice.randrange(len(SUBJECTS))

    def text(length, of=kind):
        words = [*SUBJECTS[of].split(), "work", "project", "client", f"word{dice.randrange(60)}"]
        return " ".join(dice.choices(words, k=length))

    works = [
        HistoryItem(
            text(3),
            text(12, dice.choice([kind, kind, dice.randrange(len(SUBJECTS))])),
            skills=(SKILLS[kind],) if dice.random() < 0.5 else (),
            date=TODAY - dt.timedelta(days=dice.randrange(900)),
            weight=dice.choice([1.0, 1.0, 0.5]),
            public=dice.random() < 0.7,
            client=dice.choice(["", f"c{dice.randrange(9)}"]),
        )
        for _ in range(dice.choice([0, 0, 1, 2, 3, 6]))
    ]
    if works and dice.random() < 0.2:
        works.append(works[0])
    skills = tuple((name, 0) for name in {SKILLS[kind], dice.choice(SKILLS)})
    return PersonDoc(f"p{number:04}", text(3), text(10), tuple(sorted(skills)), tuple(works))


def some_needs():
    dice = random.Random(7)
    return [
        Need(f"n{at}", " ".join(dice.sample(SUBJECTS[at % 5].split(), 3)), SUBJECTS[at % 5],
             (SKILLS[at % 5], "Python"), posted_at=TODAY, client=f"p{at:04}")
        for at in range(10)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def everybody():
    dice = random.Random(1)
    return [a_person(dice, number) for number in range(400)]


@pytest.fixture(scope="module")
def indexed(everybody):
    return People(everybody, Directions())


@pytest.fixture(scope="module")
def gathered(everybody):
    cards = Gathered(cards=True)
    for start in range(0, len(everybody), 150):
        cards.add([read_person(one) for one in everybody[start : start + 150]], Directions())
    return People.of(cards, Directions())


def ranked(people, need, k=30):
    return Matcher((), (), at=TODAY, indexed=people).people_for(need, k, exclude={"p0011"})


# --- The same lists as when everybody is weighed --------------------------------------------


@pytest.mark.parametrize("need", some_needs(), ids=lambda need: need.id)
def test_few_candidates_give_the_list_that_weighing_everybody_gives(indexed, need, monkeypatch):
    whole = ranked(indexed, need)
    weighed = []
    choose = candidates.places
    monkeypatch.setattr(candidates, "EVERYBODY", 0)
    monkeypatch.setattr(candidates, "WITHOUT_VOTES", 60)
    monkeypatch.setattr(candidates, "NEWCOMERS", 30)
    monkeypatch.setattr(votes, "HITS", 20)
    monkeypatch.setattr(votes, "DEEP_HITS", 60)
    few_hits = ranked(indexed, need)

    def counted(*args, **kwargs):
        found = choose(*args, **kwargs)
        weighed.append(len(found))
        return found

    monkeypatch.setattr(candidates, "places", counted)
    assert [each.id for each in ranked(indexed, need)] == [each.id for each in few_hits]
    assert weighed[0] < 250

    monkeypatch.setattr(candidates, "EVERYBODY", 10_000)
    assert [(e.id, e.score, e.reasons) for e in ranked(indexed, need)] == [
        (e.id, e.score, e.reasons) for e in few_hits
    ]
    assert len(whole) == 30


def test_newcomers_have_a_door_of_their_own(monkeypatch):
    monkeypatch.setattr(candidates, "EVERYBODY", 0)
    monkeypatch.setattr(candidates, "WITHOUT_VOTES", 1)
    monkeypatch.setattr(candidates, "NEWCOMERS", 1)

    found = candidates.places(
        {
            "skills": np.asarray([0.9] * 80 + [0.5]),
            "words": np.asarray([1.0] * 80 + [0.9]),
            "proof": np.asarray([0.5] * 80 + [0.0]),
            "fresh": np.asarray([0.0] * 80 + [1.0]),
            "active": np.zeros(81),
            "recent": np.full(81, 0.5),
        },
        votes={},
        out=np.zeros(0, dtype=np.int64),
        new=np.asarray([False] * 80 + [True]),
        least={},
        weights=load_weights(),
    )

    assert 80 in found
    assert len(found) < 10


def test_all_newcomers_who_can_compete_for_kept_places_are_candidates(monkeypatch):
    monkeypatch.setattr(candidates, "EVERYBODY", 0)
    monkeypatch.setattr(candidates, "WITHOUT_VOTES", 1)
    monkeypatch.setattr(candidates, "NEWCOMERS", 1)
    size, wide = 400, placing.NEW_POOL + 20
    new = np.arange(size) >= 300
    skills = np.where(new, 0.0, 1.0)
    # More equals than there are places in the pool: the lot decides among all of them.
    skills[350 : 350 + wide] = 0.5
    features = {name: np.zeros(size) for name in ("words", "proof", "fresh", "active", "recent")}
    found = candidates.places(
        features | {"skills": skills},
        votes={},
        out=np.asarray([360]),
        new=new,
        least={},
        weights=load_weights(),
    )

    assert set(found.tolist()) >= set(range(350, 350 + wide)) - {360}
    assert not set(found.tolist()) & {360, *range(300, 350)}


def test_candidates_are_chosen_by_the_weights_that_rank(monkeypatch):
    monkeypatch.setattr(candidates, "EVERYBODY", 0)
    monkeypatch.setattr(candidates, "WITHOUT_VOTES", 1)
    size = 50
    skills, recent = np.full(size, 0.2), np.zeros(size)
    skills[0], skills[7], recent[7] = 0.9, 0.8, 1.0
    features = {name: np.zeros(size) for name in ("words", "proof", "fresh", "active")}

    def found(weights):
        return candidates.places(
            features | {"skills": skills, "recent": recent},
            votes={},
            out=np.zeros(0, dtype=np.int64),
            new=np.zeros(size, dtype=np.bool_),
            least={},
            weights={**load_weights(), **weights},
        ).tolist()

    assert 7 in found({"recent": 0.5})
    assert 7 not in found({"recent": 0.0})


def test_who_does_not_want_finished_work_used_is_no_newcomer_in_files_either(tmp_path):
    cards = Gathered(cards=True)
    people = [PersonDoc("a", unused_works=9), PersonDoc("b")]
    cards.add([read_person(one) for one in people])
    files.write(tmp_path, People.of(cards).arrays(), {"form": "test"})

    arrays, _facts = files.open_current(tmp_path, form="test")
    base = People.opened(arrays)

    assert base.new.tolist() == [False, True]
    later = base.changed([read_person(PersonDoc("b", unused_works=9))], [])
    matcher = Matcher((), (), at=TODAY, indexed=later)
    assert matcher.newcomers(["a", "b"]) == frozenset()
    assert Matcher((), (), at=TODAY, indexed=base).newcomers(["a", "b", "zz"]) == {"b"}


def heard(people, scores):
    """The rule for who may vote, written plainly, for all works at once."""
    found = np.where(people._shares > 0, scores, 0.0)
    samples = np.flatnonzero(people._weights < 1)
    nearest = np.where(people._weights < 1, 0.0, found).max(initial=0.0)
    if nearest:
        found[samples] = np.minimum(found[samples], nearest)
    for owner in set(people.owners[samples].tolist()):
        mine = [item for item in samples if people.owners[item] == owner]
        for item in sorted(mine, key=lambda item: -found[item])[2:]:
            found[item] = 0.0
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_works_are_found_without_sorting_all(indexed, seed):
    dice = np.random.default_rng(seed)
    scores = dice.integers(0, [3, 30, 10_000][seed % 3], size=len(indexed.works)).astype(float)
    if seed % 4 == 0:
        # Samples are nearer than any finished work.
        scores = np.where(indexed._weights < 1, scores + 20_000, scores)

    for count in (1, 10, 100, 5000):
        items, nearness = indexed.nearest(scores, count)

        whole = heard(indexed, scores)
        assert items.tolist() == best(whole, count).tolist()
        assert nearness.tolist() == whole[items].tolist()


@pytest.mark.parametrize("wide", [2, 50, 10**6])
def test_the_best_of_very_many_are_those_that_sorting_finds(wide):
    scores = np.random.default_rng(wide).integers(0, wide, size=50_001).astype(float)

    for count in (1, 7, 1000):
        order = np.argsort(-scores, kind="stable")[:count]
        assert best(scores, count).tolist() == order[scores[order] > 0].tolist()


def test_of_very_many_vectors_the_nearest_are_found_by_their_main_directions(monkeypatch):
    dice = np.random.default_rng(3)
    kinds = dice.normal(size=(40, DIMENSIONS))
    vectors = kinds[dice.integers(0, 40, size=4000)] + 0.6 * dice.normal(size=(4000, DIMENSIONS))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    space = meaning.Space(np.zeros((0, DIMENSIONS), dtype=np.float32))
    monkeypatch.setattr(meaning, "COARSE_FROM", 1000)
    monkeypatch.setattr(meaning, "LOOKED_AT", 600)

    found = Meanings.of(packed(vectors), space)

    exact, near = found.exactly(vectors[5]), found.near(vectors[5])
    assert np.count_nonzero(near) <= 600 < np.count_nonzero(exact)
    shared = set(best(exact, 100).tolist()) & set(best(near, 100).tolist())
    assert len(shared) >= 95
    some = np.asarray([3, 5, 3999])
    assert found.near_of(some, vectors[5]) == pytest.approx(exact[some], abs=1e-6)


# --- Files ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, gathered):
    files.write(tmp_path, gathered.arrays(), {"form": "test", "people": 400})
    return tmp_path


def opened(folder):
    arrays, facts = files.open_current(folder, form="test")
    assert facts == {"form": "test", "people": 400}
    return People.opened(arrays, Directions())


def test_people_out_of_files_are_ranked_like_those_in_memory(indexed, folder):
    there = opened(folder)

    for need in some_needs():
        found, expected = ranked(there, need), ranked(indexed, need)
        assert [each.id for each in found] == [each.id for each in expected]
        assert [each.score for each in found] == pytest.approx(
            [e.score for e in expected], abs=1e-7
        )
        assert [[(r.kind, r.facts) for r in e.reasons] for e in found] == [
            [(r.kind, r.facts) for r in e.reasons] for e in expected
        ]
    assert there.texts.matrix.arrays()["values"].base is not None


def test_files_hold_neither_descriptions_nor_titles_that_must_not_be_shown(tmp_path):
    person = PersonDoc(
        "p1",
        "Secretheadline",
        "Secretbio tells",
        history=(
            HistoryItem("Hiddentitle one", "Hiddenbody", date=TODAY, public=False),
            HistoryItem("Shown title", "Hiddenbody", date=TODAY),
        ),
    )
    cards = Gathered(cards=True)
    cards.add([read_person(person)])
    files.write(tmp_path, People.of(cards).arrays(), {"form": "test"})

    card = next(tmp_path.rglob("cards.letters.npy")).read_bytes()
    assert b"Shown title" in card
    assert not [word for word in (b"Secret", b"Hidden") if word in card]


def break_a_byte(state):
    file = state / "texts.matrix.values.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def lose_a_file(state):
    (state / "owners.npy").unlink()


def lose_the_manifest(state):
    (state / "manifest.json").unlink()


def garble_the_manifest(state):
    (state / "manifest.json").write_text("{]")


def be_of_another_form(state):
    manifest = json.loads((state / "manifest.json").read_text())
    manifest["facts"]["form"] = "older"
    (state / "manifest.json").write_text(json.dumps(manifest))


def smuggle_a_pickle(state):
    np.save(state / "owners.npy", np.asarray([{"a": 1}], dtype=object), allow_pickle=True)
    manifest = json.loads((state / "manifest.json").read_text())
    manifest["sha256"]["owners"] = files._sha256(state / "owners.npy")
    (state / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "harm",
    [break_a_byte, lose_a_file, lose_the_manifest, garble_the_manifest, be_of_another_form,
     smuggle_a_pickle],
)  # fmt: skip
def test_files_that_are_not_what_was_written_are_not_opened(folder, harm):
    harm(folder / files.current(folder))

    with pytest.raises(FilesUnusable):
        files.open_current(folder, form="test")


def test_a_folder_without_files_or_with_a_strange_pointer_is_not_opened(tmp_path):
    for content in (None, "", "../../etc", "nothere"):
        if content is not None:
            (tmp_path / "current").write_text(content)
        with pytest.raises(FilesUnusable):
            files.open_current(tmp_path, form="test")


def test_a_builder_that_dies_half_way_leaves_the_old_state(folder, gathered, monkeypatch):
    before = files.current(folder)
    written = []

    def dies(path):
        written.append(path)
        if len(written) == 5:
            raise OSError("no space left")
        return "0" * 64

    with monkeypatch.context() as patched:
        patched.setattr(files, "_sha256", dies)
        with pytest.raises(OSError, match="no space"):
            files.write(folder, gathered.arrays(), {"form": "test", "people": 400})

    assert files.current(folder) == before
    assert ranked(opened(folder), some_needs()[0])
    files.write(folder, gathered.arrays(), {"form": "test", "people": 400})
    assert [each.name for each in folder.iterdir() if each.is_dir()] == [files.current(folder)]


def test_who_reads_the_old_state_goes_on_reading_it_while_a_new_one_takes_its_place(
    folder, everybody
):
    old, need = opened(folder), some_needs()[0]
    before = [each.id for each in ranked(old, need)]
    cards = Gathered(cards=True)
    cards.add([read_person(everybody[0])])

    files.write(folder, People.of(cards).arrays(), {"form": "test", "people": 1})

    assert [each.id for each in ranked(old, need)] == before
    assert files.facts_of(folder)["people"] == 1


def test_only_one_builds_at_a_time(tmp_path):
    with files.only_builder(tmp_path) as first, files.only_builder(tmp_path) as second:
        assert (first, second) == (True, False)
    with files.only_builder(tmp_path) as again:
        assert again


# --- Changes on top -------------------------------------------------------------------------


def test_people_who_change_are_found_as_if_all_had_been_read_anew(everybody, folder):
    base, need = opened(folder), some_needs()[0]
    top = [each.id for each in ranked(base, need)]
    dice = random.Random(9)
    changed = dataclasses.replace(a_person(dice, 0), id=top[0])
    new = dataclasses.replace(everybody[int(top[1][1:])], id="zz-new")
    gone = top[2]

    people = base.changed([read_person(changed), read_person(new)], [gone], Directions())

    rest = [one for one in everybody if one.id not in {top[0], gone}]
    anew = People([*rest, changed, new], Directions())
    assert people.count == anew.count == 400
    for need in some_needs():
        found = [each.id for each in ranked(people, need, 20)]
        assert gone not in found
        # Words are as rare as they were before, so neighbours may swap.
        assert len(set(found) & {each.id for each in ranked(anew, need, 20)}) >= 18


def test_changes_upon_changes_leave_nothing_of_before(folder):
    arrays, _facts = files.open_current(folder, form="test")
    base, need = People.opened(arrays), some_needs()[0]
    person = PersonDoc("p0001", bio="zebra crossing", skills=(("Zebra", 0),))
    asked = Need("zebra", "Zebra crossing", "", ("Zebra",), posted_at=TODAY)

    once = base.changed([read_person(person)], ["p0003"])
    assert [each.id for each in ranked(once, asked)] == ["p0001"]
    twice = once.changed([read_person(PersonDoc("p0001", bio="lion"))], ["p0002"])

    assert ranked(twice, asked) == []
    assert twice.count == 398
    found = {each.id for each in ranked(twice, need, 400)}
    assert not found & {"p0001", "p0002", "p0003"}
    assert {each.id for each in ranked(twice, dataclasses.replace(asked, title="lion"))} == {
        "p0001"
    }


def test_a_market_of_nobody_can_be_kept_and_opened(tmp_path):
    files.write(tmp_path, People.of(Gathered(cards=True)).arrays(), {"form": "test"})

    arrays, _facts = files.open_current(tmp_path, form="test")
    people = People.opened(arrays)

    assert ranked(people, some_needs()[0]) == []
    joined = people.changed([read_person(a_person(random.Random(4), 1))], [])
    assert joined.count == 1
