"""The ranking arithmetic: who comes first, why, and what can never matter."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from matching.engine import explain, text, votes
from matching.engine.bm25 import Bm25
from matching.engine.documents import HistoryItem, Need, PersonDoc
from matching.engine.proof import ProofTable
from matching.engine.rank import build_index
from matching.engine.skills import SkillTable

TODAY = dt.date(2026, 11, 20)


def work(title, body="", *, days_ago=30, **more):
    return HistoryItem(title, body, date=TODAY - dt.timedelta(days=days_ago), **more)


CHECKOUT = Need(
    id="need",
    title="Accessible ticket checkout for a museum",
    description="Redesign three checkout pages in Django templates, tested with screen readers.",
    skills=("Django", "Accessibility", "Stripe"),
    posted_at=TODAY,
    client="museum",
)
INES = PersonDoc(
    id="ines",
    title="Front-end developer",
    bio="I build accessible shops.",
    skills=(("Django", 3), ("Accessibility", 0)),
    history=(
        work("Booking checkout for a theatre", "Django templates, screen reader tests"),
        work("Ticket shop for a zoo", "checkout pages and payment", days_ago=200),
    ),
)
OTTO = PersonDoc(
    id="otto",
    title="Data analyst",
    bio="Dashboards and statistics.",
    skills=(("Python", 2),),
    history=(work("Sales dashboard", "charts of monthly revenue"),),
)
NEWCOMER = PersonDoc(
    id="new",
    title="Django developer for checkout pages",
    bio="Accessible templates, tested with screen readers.",
    skills=(("Django", 0), ("Accessibility", 0)),
)
OTHERS = [
    PersonDoc(
        id=f"other{n}", title="Gardener", bio="Roses", history=(work("Garden plan", "roses"),)
    )
    for n in range(5)
]
FAN = PersonDoc(
    id="fan", history=(work(CHECKOUT.title, 2 * f"{CHECKOUT.description} ", days_ago=0),)
)
STAR = replace(INES, history=(*INES.history, *FAN.history))
CROWD = [INES, OTTO, NEWCOMER, *OTHERS]


def ranking(people, need=CHECKOUT, k=10, **options):
    return build_index(people, [], at=TODAY).people_for(need, k, **options)


def place(people, person, need=CHECKOUT):
    return [found.id for found in ranking(people, need)].index(person)


def score(people, person, need=CHECKOUT):
    return next(found.score for found in ranking(people, need) if found.id == person)


def test_people_with_similar_past_work_and_the_skills_come_first():
    assert [found.id for found in ranking(CROWD)][:2] == ["ines", "new"]


def test_a_person_without_past_work_is_found_through_the_profile():
    found = next(found for found in ranking(CROWD) if found.id == "new")

    assert found.features["vote"] == 0
    assert found.features["fresh"] > 0
    profile = next(reason for reason in found.reasons if reason.kind == "profile")
    assert profile.facts["new"] is True
    assert {"django", "checkout"} <= set(profile.facts["words"])


def test_people_who_share_nothing_with_a_project_are_not_suggested():
    assert not {found.id for found in ranking(CROWD)} & {other.id for other in OTHERS}


def test_a_project_with_nothing_to_go_by_finds_nobody():
    assert ranking(CROWD, Need(id="empty", title="", client="museum")) == []
    assert ranking([], CHECKOUT) == []


def test_the_client_is_never_ranked_for_their_own_project():
    own = replace(CHECKOUT, id="own", client="ines")

    assert "ines" not in {found.id for found in ranking(CROWD, own)}
    for_ines = build_index([], [CHECKOUT, own], at=TODAY).needs_for(INES, 10)
    assert [found.id for found in for_ines] == ["need"]


def test_whoever_is_left_out_does_not_shape_the_scores_of_the_others():
    everybody = {found.id: found.features for found in ranking([STAR, FAN, *OTHERS])}
    without = {
        found.id: found.features for found in ranking([STAR, FAN, *OTHERS], exclude={"ines"})
    }

    assert "ines" not in without
    assert everybody["fan"]["vote"] < 1
    assert without["fan"]["vote"] == 1


def test_a_second_skill_that_is_needed_lifts_a_person():
    more = replace(INES, skills=(*INES.skills, ("Stripe", 0)))

    assert score([more, *CROWD[1:]], "ines") > score(CROWD, "ines")


def test_proof_counts_more_than_a_claim():
    proven = replace(NEWCOMER, id="proven", skills=(("Django", 4), ("Accessibility", 4)))

    assert place([*CROWD, proven], "proven") < place([*CROWD, proven], "new")


def test_recent_work_has_a_louder_voice_than_old_work():
    old = replace(
        INES, id="old", history=tuple(replace(w, date=dt.date(2019, 1, 1)) for w in INES.history)
    )

    assert place([*CROWD, old], "ines") < place([*CROWD, old], "old")


def test_work_a_person_entered_themselves_has_half_a_voice():
    entered = replace(
        INES, id="entered", history=tuple(replace(w, weight=0.5) for w in INES.history)
    )

    assert place([*CROWD, entered], "ines") < place([*CROWD, entered], "entered")


def test_the_order_of_the_input_changes_nothing():
    assert ranking(CROWD[::-1]) == ranking(CROWD)


def test_equals_are_drawn_by_lot_another_one_for_every_project_but_always_the_same():
    equals = [replace(NEWCOMER, id=f"equal{n}") for n in range(8)]
    orders = [
        tuple(found.id for found in ranking(equals, replace(CHECKOUT, id=f"need{n}"), k=3))
        for n in range(20)
    ]

    assert len({order[0] for order in orders}) > 4
    assert orders[0] == tuple(
        found.id for found in ranking(equals[::-1], replace(CHECKOUT, id="need0"), k=3)
    )


@pytest.mark.parametrize("direction", ["people", "projects"])
def test_the_reasons_add_up_to_the_score(direction):
    needs = [
        CHECKOUT,
        replace(CHECKOUT, id="shop", title="Zoo shop", skills=("Python",)),
        Need(id="roses", title="Plan a rose garden", description="Twelve beds"),
    ]
    matcher = build_index(CROWD, needs, at=TODAY)
    found = (
        [each for need in needs for each in matcher.people_for(need, 10)]
        if direction == "people"
        else [each for person in CROWD for each in matcher.needs_for(person, 10)]
    )

    assert len(found) >= 6
    for each in found:
        assert sum(reason.contribution for reason in each.reasons) == pytest.approx(each.score)
        assert 0 < each.score <= 1


def test_taking_away_what_the_first_reason_names_costs_the_place():
    best = ranking(CROWD)[0]
    assert best.reasons[0].kind == "works"

    without = replace(INES, history=())

    assert score([without, *CROWD[1:]], "ines") < best.score


def test_reasons_name_skills_with_their_proof_and_the_skills_that_are_missing():
    reasons = {reason.kind: reason.facts for reason in ranking(CROWD)[0].reasons}

    assert reasons["skills"] == {
        "found": [{"name": "Django", "works": 3}, {"name": "Accessibility", "works": 0}],
        "needed": 3,
    }
    assert reasons["missing"] == {"names": ["Stripe"]}


def test_reasons_name_the_past_works_that_voted_most_and_no_private_one():
    private = replace(INES.history[0], public=False)
    seen = {r.kind: r.facts for r in ranking([INES, *CROWD[1:]])[0].reasons}["works"]
    hidden = {
        r.kind: r.facts
        for r in ranking([replace(INES, history=(private, INES.history[1])), *CROWD[1:]])[0].reasons
    }["works"]

    assert seen["named"][0]["title"] == "Booking checkout for a theatre"
    assert "theatre" not in json.dumps(hidden)
    assert hidden["alike"] == seen["alike"]


def test_a_work_that_shares_only_a_word_is_not_called_similar():
    person = replace(OTTO, history=(work("Checkout"),))

    found = next(each for each in ranking([person, *OTHERS]) if each.id == "otto")

    works = next(reason for reason in found.reasons if reason.kind == "works")
    assert works.facts["alike"] == 0
    assert works.contribution > 0


def test_both_sides_read_the_same_reasons_in_their_own_words():
    reasons = ranking(CROWD)[0].reasons
    client = {said.text for said in explain.words(reasons, "client")}
    freelancer = {said.text for said in explain.words(reasons, "freelancer")}

    assert {"2 of 3 skills", "Not on the profile: Stripe"} <= client
    assert {"2 of 3 skills", "Not on your profile: Stripe"} <= freelancer


def test_a_strong_match_needs_skills_and_similar_work_and_not_a_weak_crowd():
    strong = replace(INES, skills=(*INES.skills, ("Stripe", 1)))
    alone = PersonDoc(id="alone", title="Museum fan", bio="tickets")

    assert explain.strength(ranking([strong, *OTHERS])[0].reasons) == 3
    assert explain.strength(ranking([alone, *OTHERS])[0].reasons) == 1


def test_projects_are_ranked_for_a_person_with_the_works_that_resemble_them():
    needs = [
        CHECKOUT,
        Need(id="data", title="Sales dashboard", description="Charts of revenue"),
        Need(id="roses", title="Rose garden", description="A plan"),
    ]
    matcher = build_index([], needs, at=TODAY)

    best = matcher.needs_for(INES, 10)[0]
    assert best.id == "need"
    works = next(reason for reason in best.reasons if reason.kind == "works")
    assert works.facts["named"][0]["title"] == "Booking checkout for a theatre"
    assert matcher.needs_for(OTTO, 10)[0].id == "data"


NOT_WORK = [
    "She is a woman.",
    "He and his wife live in Lagos, Nigeria.",
    "Mail ines@mail.example or call +351 912 345 678.",
    "See https://ines.example/about and @ines_codes.",
    "Born 1987, 39 years old, mother of two.",
    "I am Portuguese. A German developer from Berlin.",
    "Graduate of Stanford University and the University of Porto.",
    "Native Polish speaker, Ms.",
]


@pytest.mark.parametrize("sentence", NOT_WORK)
def test_names_of_places_pronouns_and_contact_data_leave_no_terms(sentence):
    ordinary = {"live", "mail", "call", "see", "born", "two", "graduate", "developer"}

    assert set(text.terms(sentence)) <= ordinary


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("She works from Lagos.", "He works from Oslo."),
        ("I am Nigerian and they call me Ms.", "I am Norwegian and they call me Mr."),
        ("Studied at Makerere University.", "Studied at Harvard University."),
        ("I am 29 years old.", "I am 61 years old."),
    ],
)
def test_who_somebody_is_does_not_change_a_score(one, other):
    first = ranking([replace(NEWCOMER, bio=f"{NEWCOMER.bio} {one}"), *OTHERS, INES, OTTO])
    second = ranking([replace(NEWCOMER, bio=f"{NEWCOMER.bio} {other}"), *OTHERS, INES, OTTO])

    assert first == second


def test_a_language_is_kept_where_it_is_the_work():
    assert {"german", "french"} <= set(text.terms("Translate a novel from German into French"))
    assert "c++" in text.terms("C++ and C#")
    assert "c#" in text.terms("C++ and C#")


def test_accents_case_plurals_and_invisible_characters_do_not_split_words():
    assert text.terms("Cafés") == text.terms("cafe\u0301") == text.terms("CA\u200bFE")
    assert text.skill_key("REST APIs") == text.skill_key("rest-api")
    assert text.terms("readFile") == ["readfile", "read", "file"]
    assert text.terms("東京駅") == ["東京", "京駅"]


def test_repeating_a_word_and_claiming_a_hundred_skills_do_not_help():
    stuffed = replace(
        NEWCOMER,
        id="stuffed",
        bio=NEWCOMER.bio + " checkout" * 300,
        skills=(*NEWCOMER.skills, *((f"Skill {n}", 0) for n in range(98))),
    )

    assert place([*CROWD, stuffed], "new") < place([*CROWD, stuffed], "stuffed")


def test_skill_coverage_counts_rare_skills_more():
    table = SkillTable([[("Python", 1)], [("Cobol", 1)], [("Python", 1)], [("Python", 1)]])

    python, cobol, *_ = table.coverage(["Python", "Cobol"])

    assert cobol > python
    assert table.coverage([]).tolist() == [0, 0, 0, 0]
    assert table.coverage(["Fortran"]).tolist() == [0, 0, 0, 0]


def test_bm25_agrees_with_the_formula():
    index = Bm25([["a", "a", "b"], ["b", "c"], ["c"]])

    scores = index.scores(index.query(["a", "zzz"]))

    idf = float(index.idf[index.vocabulary["a"]])
    assert scores[0] == pytest.approx(idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)), rel=1e-6)
    assert scores[1:].tolist() == [0, 0]


@pytest.mark.parametrize("description", ["", "x", "木" * 20_000, "word " * 4_000])
def test_any_text_gives_a_sensible_list_or_none(description):
    found = ranking(CROWD, Need(id="odd", title="", description=description))

    assert all(0 < each.score <= 1 for each in found)


def test_work_finished_here_lately_lifts_a_person_and_samples_do_not():
    idle = replace(INES, history=tuple(replace(w, date=dt.date(2019, 1, 1)) for w in INES.history))
    sample = replace(idle, history=(*idle.history, work("Roses", days_ago=1, weight=0.5)))
    finished = replace(idle, history=(*idle.history, work("Roses", days_ago=1)))
    people = [
        replace(idle, id="idle"),
        replace(sample, id="sample"),
        replace(finished, id="lately"),
    ]

    found = {each.id: each for each in ranking(people)}

    assert found["idle"].features["active"] == found["sample"].features["active"] == 0
    assert found["lately"].features["active"] > 0
    assert found["lately"].features["recent"] > found["sample"].features["recent"]
    active = next(reason for reason in found["lately"].reasons if reason.kind == "active")
    said = {words.text for words in explain.words([active], "client")}
    assert said == {"Finished work here in the last 90 days"}


def test_being_busy_is_no_reason_to_be_shown():
    busy = PersonDoc(id="busy", history=tuple(work("Roses", days_ago=n) for n in range(9)))

    assert "busy" not in {found.id for found in ranking([*CROWD, busy])}


def test_skills_that_works_show_count_without_being_claimed():
    silent = PersonDoc(id="silent", history=(work("Shop", skills=("Django",)),))

    found = next(each for each in ranking([silent, *OTHERS]) if each.id == "silent")

    assert found.features["proof"] > 0
    skills = next(reason for reason in found.reasons if reason.kind == "skills")
    assert skills.facts["found"] == [{"name": "Django", "works": 1}]


def test_a_hundred_works_prove_a_skill_no_better_than_thirty():
    table = SkillTable([[("Django", 30)], [("Django", 100)], [("Django", 0)]])

    thirty, hundred, claim = ProofTable(
        [[("Django", 30)], [("Django", 100)], [("Django", 0)]], table
    ).of(["Django"])

    assert thirty == hundred > claim == 0


def test_only_five_works_of_a_person_count_as_their_best():
    best_first = np.arange(9)[::-1]

    counted = votes.of_the_best(
        best_first, best_first + 1.0, owners=np.zeros(9, dtype=np.int64), people=1
    )

    assert counted.by_owner.tolist() == [9 + 8 + 7 + 6 + 5]
    assert sorted(counted.items.tolist()) == [4, 5, 6, 7, 8]
