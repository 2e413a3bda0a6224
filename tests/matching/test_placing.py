"""Who gets which place once everybody has a score: shared attention, kept places, lots."""

import math
import random
from collections import Counter
from dataclasses import replace

import pytest

from matching.engine.placing import SHOWN, Candidate, Flag, Policy, attention, place

PLAIN = Policy(kept=(), exploring=0.0)
SCORES = [0.60 - 0.01 * n for n in range(30)]


def crowd(scores=SCORES, **facts):
    """People p0, p1, … with these scores; `p3={...}` changes the facts of one of them."""
    return [Candidate(f"p{n}", score, **facts.get(f"p{n}", {})) for n, score in enumerate(scores)]


def names(places):
    return [each.id for each in places]


def one(places, name):
    return next((at, each) for at, each in enumerate(places) if each.id == name)


# --- The same again -------------------------------------------------------------------------


def mixed():
    rng = random.Random(4)
    return [
        Candidate(
            f"p{n}",
            rng.choice([0.5, rng.uniform(0.3, 0.6)]),
            is_new=n % 7 == 0,
            fit=rng.random(),
            seen=rng.uniform(0, 9),
            earned=rng.uniform(0, 9),
        )
        for n in range(60)
    ]


@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_the_same_people_get_the_same_places_in_whatever_order_they_come(seed):
    people = mixed()
    found = place(people, seed=seed, policy=Policy())

    assert place(people, seed=seed, policy=Policy()) == found
    for turn in range(5):
        random.Random(turn).shuffle(people)
        assert place(people, seed=seed, policy=Policy()) == found


def test_without_a_past_and_without_lots_only_the_score_counts():
    found = place(crowd(), seed="1", policy=PLAIN)

    assert names(found) == [f"p{n}" for n in range(30)]
    assert {(each.flag, each.propensity, each.after - each.before) for each in found} == {
        (Flag.MERIT, 1.0, 0.0)
    }


def test_nobody_without_a_score_has_a_place():
    assert place([], seed="1") == []
    assert names(place(crowd([0.2, 0.0]), seed="1", policy=Policy())) == ["p0"]


# --- Attention ------------------------------------------------------------------------------


def test_what_a_list_gives_is_what_it_owes():
    found = place(mixed(), seed="1", policy=Policy())

    whole = sum(attention(at) for at in range(SHOWN))
    assert sum(each.seen for each in found) == pytest.approx(whole)
    assert sum(each.earned for each in found) == pytest.approx(whole)
    assert all(each.seen == 0 for each in found[SHOWN:])


def test_whoever_was_owed_attention_moves_up_and_the_place_says_so():
    found = place(crowd(p12={"earned": 8.0}), seed="1", policy=PLAIN)

    at, owed = one(found, "p12")
    assert at < SHOWN
    assert (owed.flag, owed.lift > 0) == (Flag.EXPOSURE, True)
    assert owed.after == pytest.approx(owed.before + owed.lift)
    assert {each.flag for each in found if each is not owed} == {Flag.MERIT}


def test_being_owed_takes_nobody_past_somebody_far_better():
    scores = [0.9, 0.8, 0.5, *[0.45 - 0.002 * n for n in range(20)]]

    found = place(crowd(scores, p12={"earned": 1e9}), seed="1", policy=PLAIN)

    at, owed = one(found, "p12")
    assert names(found)[:2] == ["p0", "p1"]
    assert at >= 2
    assert all(PLAIN.fit_floor * each.before <= owed.before for each in found[at:])


def test_whoever_does_not_fit_is_not_moved_however_much_they_were_owed():
    scores = [*SCORES[:10], 0.39]

    found = place(crowd(scores, p10={"earned": 1e9}), seed="1", policy=PLAIN)

    assert one(found, "p10")[0] == 10
    assert one(found, "p10")[1].earned == 0


def test_a_single_chance_missed_is_not_yet_a_pattern():
    little, much = (
        one(place(crowd(p12={"earned": earned}), seed="1", policy=PLAIN), "p12")[1].after
        for earned in (0.2, 8.0)
    )
    assert SCORES[12] < little < 1.05 * SCORES[12] < much


def test_whoever_had_most_of_the_attention_lets_others_pass_and_the_place_says_so():
    shown = {f"p{n}": {"seen": 1.0, "earned": 1.0} for n in range(1, 30)}
    found = place(crowd(p0={"seen": 60.0, "earned": 3.0}, **shown), seed="1", policy=PLAIN)

    at, seen = one(found, "p0")
    assert at > 0
    assert (seen.flag, seen.lift < 0) == (Flag.EXPOSURE, True)


@pytest.mark.parametrize(
    ("seen", "earned", "others"), [(60.0, 61.0, 1.0), (0.9, 0.1, 0.0)], ids=["earned", "little"]
)
def test_attention_that_was_earned_or_is_little_costs_no_place(seen, earned, others):
    shown = {f"p{n}": {"seen": others, "earned": others} for n in range(1, 30)}
    first = {"p0": {"seen": seen, "earned": earned}}

    assert names(place(crowd(**shown, **first), seed="1", policy=PLAIN))[0] == "p0"


def test_where_three_fit_nobody_has_had_too_much():
    found = place(crowd([0.6, 0.59, 0.58], p0={"seen": 90.0}), seed="1", policy=PLAIN)

    assert names(found)[0] == "p0"


def gain(scores):
    return sum(score * attention(at) for at, score in enumerate(scores[:SHOWN]))


def test_moving_places_costs_no_more_quality_than_the_policy_allows():
    rng = random.Random(8)
    moved = 0
    for seed in range(150):
        people = crowd(
            [rng.uniform(0.1, 0.8) ** 1.5 for _ in range(40)],
            **{f"p{n}": {"seen": 9 * rng.random(), "earned": 9 * rng.random()} for n in range(40)},
        )
        found = place(people, seed=str(seed), policy=PLAIN)
        best = gain(sorted((each.score for each in people), reverse=True))
        lost = 1 - gain([each.before for each in found]) / best
        assert lost <= PLAIN.most_lost
        moved += lost > 0
    assert moved > 50


# --- Kept places ----------------------------------------------------------------------------


def fits(**new):
    """A crowd in which everybody with a record fits alike (1); these people are new and owed."""
    facts = {f"p{n}": {"fit": 1.0} for n in range(30)}
    owed = {"is_new": True, "earned": 2.0}
    return crowd(**facts | {name: owed | given for name, given in new.items()})


def kept_by(people):
    found = place(people, seed="1", policy=replace(PLAIN, kept=(2, 9)))
    return [(at, each.id) for at, each in enumerate(found) if each.flag is Flag.NEWCOMER]


def test_a_place_is_kept_for_whoever_fits_like_those_shown_however_little_a_record_gives_them():
    # p29 has the least score of all; p25 has more of it and fits too little.
    assert kept_by(fits(p25={"fit": 0.7}, p29={"fit": 0.9})) == [(2, "p29")]
    assert kept_by(fits(p25={"fit": 0.7})) == []


def test_whoever_has_had_what_they_earned_needs_the_score_for_a_kept_place():
    had = {"fit": 1.0, "seen": 4.0}
    assert kept_by(fits(p29=had)) == []
    assert kept_by(fits(p11=had)) == [(2, "p11")]


def test_claiming_more_than_those_shown_brings_nobody_forward():
    assert kept_by(fits(p20={"fit": 9.0}, p15={"fit": 1.0}))[0] == (2, "p15")


def test_of_newcomers_who_fit_alike_those_come_first_who_are_owed_more():
    assert kept_by(fits(p15={"fit": 1.0}, p20={"fit": 1.0, "earned": 9.0}))[0] == (2, "p20")


def test_whoever_is_new_and_fits_earns_attention_as_those_with_a_record_do():
    found = place(fits(p29={"fit": 1.0}, p28={"fit": 0.1}), seed="1", policy=PLAIN)
    earned = {each.id: each.earned for each in found}
    assert earned["p28"] == 0
    assert earned["p29"] == pytest.approx(earned["p5"], rel=0.02)


def test_nobody_is_moved_to_a_kept_place_where_newcomers_stand_that_high_by_themselves():
    new = {f"p{n}": {"is_new": True} for n in (1, 5, 12)} | {"p11": {"is_new": True, "fit": 1.0}}
    found = place(crowd(**new), seed="1", policy=replace(PLAIN, kept=(2, 9)))

    assert names(found) == [f"p{n}" for n in range(30)]
    assert {each.flag for each in found} == {Flag.MERIT}


# --- Lots -----------------------------------------------------------------------------------

LOTS = 1000


@pytest.fixture(scope="module")
def drawn():
    """One query, placed with many seeds: newcomers, people who are owed, a kept place."""
    people = crowd(
        p11={"is_new": True, "fit": 1.0},
        p12={"is_new": True, "fit": 0.5},
        p13={"is_new": True},
        p14={"is_new": True},
        p18={"earned": 0.5},
        p2={"seen": 1.0},
    )
    return [place(people, seed=f"seed {n}", policy=Policy()) for n in range(LOTS)]


def test_people_stand_at_a_place_as_often_as_was_logged(drawn):
    logged, met = {}, Counter()
    for found in drawn:
        for at, each in enumerate(found):
            logged.setdefault((at, each.id), each.propensity)
            assert logged[at, each.id] == each.propensity
            met[at, each.id] += 1

    for spot, chance in logged.items():
        error = math.sqrt(chance * (1 - chance) / LOTS)
        assert abs(met[spot] / LOTS - chance) <= 5 * error + 1e-9, spot


def test_the_chances_of_all_who_could_have_a_place_add_up_to_one(drawn):
    logged = {(at, each.id): each.propensity for found in drawn for at, each in enumerate(found)}

    for at in range(SHOWN):
        assert sum(p for (spot, _), p in logged.items() if spot == at) == pytest.approx(1)


def test_lots_give_places_to_people_who_fit_and_would_not_be_seen(drawn):
    explored = [
        (at, each)
        for found in drawn
        for at, each in enumerate(found[:SHOWN])
        if each.flag is Flag.EXPLORATION
    ]

    policy = Policy()
    assert {at for at, _ in explored} == set(policy.explored)
    assert {each.before >= policy.fit_floor * SCORES[9] for _, each in explored} == {True}
    assert abs(len(explored) / LOTS - policy.exploring) < 0.05
    often = Counter(each.id for _, each in explored)
    assert often["p14"] > 2 * often["p17"] > 0
    assert often["p18"] > 2 * often["p17"]
    assert not {f"p{n}" for n in range(7)} & set(often)


def test_a_kept_place_stays_where_it_is_whatever_is_drawn(drawn):
    assert {(found[1].id, found[3].id, found[7].id) for found in drawn} == {("p11", "p12", "p13")}
    assert {found[at].flag for found in drawn for at in (1, 3, 7)} == {Flag.NEWCOMER}


# --- A market -------------------------------------------------------------------------------


NO_RECORD = 0.03


def searches(policy, *, people=150, count=900, fit=45):
    """A market of people with a fixed quality; returns what they got, earned, and what it cost.

    Every fifth is new: no worse than the others, but without a record that would say so.
    """
    rng = random.Random(3)
    quality = sorted(rng.betavariate(5, 3) for _ in range(people))
    quality = [each - NO_RECORD * (n % 5 == 0) for n, each in enumerate(quality)]
    seen, earned, lost = [0.0] * people, [0.0] * people, []
    for search in range(count):
        asked = rng.sample(range(people), fit)
        scores = {n: (quality[n] + 0.35 * rng.random()) / 1.35 for n in asked}
        found = place(
            [
                Candidate(str(n), scores[n], n % 5 == 0, scores[n], seen[n], earned[n])
                for n in asked
            ],
            seed=str(search),
            policy=policy,
        )
        best = gain(sorted(scores.values(), reverse=True))
        lost.append(1 - gain([each.before for each in found]) / best)
        for each in found:
            seen[int(each.id)] += each.seen
            earned[int(each.id)] += each.earned
    return seen, earned, sum(lost) / count


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def newcomers_against_others(seen):
    new, others = (
        mean(got for n, got in enumerate(seen) if (n % 5 == 0) is is_new)
        for is_new in (True, False)
    )
    return new / others


def forgotten(seen, earned):
    """How many earned the attention of three first places and got none."""
    return sum(not got and owed >= 3 for got, owed in zip(seen, earned, strict=True))


def test_in_a_market_newcomers_are_seen_hardly_anybody_fit_is_forgotten_and_quality_stays():
    seen, earned, lost = searches(Policy())

    assert newcomers_against_others(seen) >= 0.9
    assert forgotten(seen, earned) <= 3
    assert 0 < lost <= 0.02

    # The same searches by score alone.
    seen, earned, lost = searches(Policy(kept=(), strength=0.0, exploring=0.0))
    assert newcomers_against_others(seen) < 0.8
    assert forgotten(seen, earned) > 20
    assert lost == pytest.approx(0)
