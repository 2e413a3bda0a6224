"""Skills found in texts and tags learned from choices: the arithmetic, by words only."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from matching.engine import tags
from matching.engine.encoder import load_encoder
from matching.engine.extract import SkillReader, sentences, shipped_weights
from matching.engine.labels import Label

LABELS = [
    Label("django", ("Django", "django framework")),
    Label("a11y", ("Web accessibility", "wcag", "accessibility")),
    Label("postgres", ("PostgreSQL", "postgres")),
    Label("python", ("Python (programming language)",)),
    Label("roses", ("Pruning of roses",)),
    Label("accounts", ("Bookkeeping",)),
]
TEXT = (
    "We run a small museum. Our ticket shop is written in Django; it must work for people with "
    "screen readers (WCAG 2.2).\nThe data is in postgres."
)


@pytest.fixture(autouse=True)
def words_only(settings, tmp_path):
    """Whatever this machine has built: these figures must not depend on it."""
    settings.ENCODER_DIR = tmp_path / "no-encoder"
    assert load_encoder() is None


def accepted(found):
    least = shipped_weights(with_encoder=False).accept
    return {each.id for each in found if each.likely >= least}


def test_skills_a_text_names_are_found_under_any_spelling_with_the_words_that_say_so():
    found = SkillReader(LABELS, None).read(TEXT)

    assert accepted(found) == {"django", "a11y", "postgres"}
    quotes = {each.id: TEXT[each.start : each.end] for each in found}
    assert quotes["django"] == "Django"
    assert quotes["postgres"] == "postgres"
    assert "WCAG" in quotes["a11y"]


def test_a_text_that_speaks_of_nothing_known_gets_nothing():
    assert accepted(SkillReader(LABELS, None).read("Bring your own sandwiches tomorrow.")) == set()
    assert SkillReader(LABELS, None).read("") == []
    assert SkillReader([], None).read(TEXT) == []


def test_what_stands_in_brackets_is_not_asked_for():
    assert "python" in accepted(SkillReader(LABELS, None).read("Some scripts in Python"))


def test_sentences_keep_their_places_and_very_long_ones_come_in_pieces():
    read = list(sentences(TEXT))
    assert [TEXT[each.start :].startswith(each.text) for each in read] == [True] * len(read)
    assert read[0].text == "We run a small museum"
    assert len(list(sentences("word " * 100))) == 3


# --- Tags -----------------------------------------------------------------------------------

# Clients with a shop ask for PHP though their texts never say so.
POSTINGS = [
    (f"{adjective} {noun} for my {place}", chosen)
    for adjective in ("New", "Fast", "Pretty", "Better")
    for place in ("bakery", "museum", "garden", "school")
    for noun, chosen in (
        ("WordPress shop", ("wordpress", "php")),
        ("WordPress theme", ("wordpress", "php")),
        ("logo and letterhead", ("logo", "illustrator")),
        ("round logo", ("logo", "illustrator")),
    )
]
TAGS = [
    Label("wordpress", ("WordPress",)),
    Label("php", ("PHP",)),
    Label("logo", ("Logo design",)),
    Label("illustrator", ("Adobe Illustrator",)),
    Label("sewing", ("Sewing",)),
]


def lessons():
    texts, chosen = [text for text, _some in POSTINGS], [some for _text, some in POSTINGS]
    return tags.Lessons(texts, chosen, TAGS, None)


def first_two(model, text):
    scores = model.scores([text], None)[0]
    return {model.labels[place].id for place in np.argsort(-scores)[:2]}


def test_what_clients_chose_is_suggested_though_the_text_does_not_name_it():
    model = lessons().learn()
    assert first_two(model, "A WordPress shop for a library") == {"wordpress", "php"}
    assert first_two(model, "Logo for a library") == {"logo", "illustrator"}
    assert "sewing" not in {label.id for label in model.labels}


def test_a_saved_model_answers_the_same_and_holds_no_code():
    model = lessons().learn()
    saved = model.saved()
    again = tags.loaded(saved)
    texts = ["A WordPress shop for a library", "Logo"]
    assert np.allclose(model.scores(texts, None), again.scores(texts, None), atol=1e-2)
    with np.load(io.BytesIO(saved), allow_pickle=False) as kept:
        assert all(kept[name].dtype != object for name in kept.files)


def test_learning_is_measured_on_postings_it_did_not_see():
    learned, named = tags.quality(lessons())
    assert learned > named
    scores = tags.cross_fitted(lessons(), folds=4)
    truth = np.asarray([[float(tag.id in some) for tag in TAGS] for _text, some in POSTINGS])
    assert np.mean([tags.ndcg(row, hit) for row, hit in zip(scores, truth, strict=True)]) > 0.9


def test_without_learning_names_are_looked_for():
    scores = tags.by_name(TAGS, ["adobe ilustrator expert"], None)
    assert TAGS[int(scores[0].argmax())].id == "illustrator"


# --- Commands -------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    def write(name, rows):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), "utf-8")

    write("skills.jsonl", [{"id": each.id, "title": each.spellings[0]} for each in LABELS])
    write("texts.jsonl", [{"id": "t1", "title": "Django pages", "description": "and PostgreSQL"}])
    write("tags.jsonl", [{"id": each.id, "title": each.spellings[0]} for each in TAGS])
    write("new.jsonl", [{"id": "q1", "title": "WordPress shop for a library"}])
    (tmp_path / "past").mkdir()
    write(
        "past/queries.jsonl",
        [{"id": f"p{at}", "title": text} for at, (text, _some) in enumerate(POSTINGS)],
    )
    write(
        "past/qrels.jsonl",
        [
            {"qid": f"p{at}", "did": tag, "rel": 1}
            for at, (_text, some) in enumerate(POSTINGS)
            for tag in some
        ],
    )
    return tmp_path


def ranking(path):
    return {row["qid"]: row["ranking"] for row in map(json.loads, path.read_text().splitlines())}


def test_the_command_finds_skills_in_the_texts_of_a_file(files, capsys):
    run = files / "run.jsonl"
    call_command(
        "extract_skills", docs=files / "skills.jsonl", queries=files / "texts.jsonl", out=run
    )
    assert set(ranking(run)["t1"][:2]) == {"django", "postgres"}
    assert "Read 1 texts." in capsys.readouterr().out


def test_the_command_suggests_tags_by_name_and_better_when_it_may_learn(files):
    run = files / "run.jsonl"
    where = {"docs": files / "tags.jsonl", "queries": files / "new.jsonl", "out": run}
    call_command("suggest_tags", **where)
    assert ranking(run)["q1"][0] == "wordpress"
    assert len(ranking(run)["q1"]) == len(TAGS)
    call_command("suggest_tags", **where, learn_from=files / "past")
    assert set(ranking(run)["q1"][:2]) == {"wordpress", "php"}


def test_the_commands_name_what_they_cannot_read(files):
    broken = files / "broken.jsonl"
    broken.write_text('{"id": "a", "title": "b"}\n{"id": "c"}\n')
    with pytest.raises(CommandError, match="line 2"):
        call_command("extract_skills", docs=broken, queries=broken, out=files / "run.jsonl")
    with pytest.raises(CommandError, match="Cannot read"):
        call_command(
            "suggest_tags",
            docs=files / "tags.jsonl",
            queries=files / "new.jsonl",
            out=files / "run.jsonl",
            learn_from=files,
        )
