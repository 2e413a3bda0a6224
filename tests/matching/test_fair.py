"""What must not decide who stands where: breaks, copies, friends, names, and being new."""

import datetime as dt
from dataclasses import replace

import pytest

from accounts.models import PortfolioItem
from matching import services
from matching.engine import explain, redact, text
from matching.engine.documents import HistoryItem, Need, PersonDoc
from matching.engine.encoder import load_encoder, why_not
from matching.engine.meaning import Reader
from matching.engine.placing import FIT_FLOOR, KEPT_FOR_NEW
from matching.engine.rank import build_index
from matching.engine.weights import load_weights
from matching.models import Kind, Match
from matching.selectors import documents
from tests.matching.conftest import CHECKOUT, a_client, a_freelancer, a_project, finished_work

TODAY = dt.date(2026, 11, 20)
NEED = Need(
    id="need",
    title="Accessible ticket checkout for a museum",
    description="Redesign three checkout pages in Django templates, tested with screen readers.",
    skills=("Django", "Accessibility"),
    posted_at=TODAY,
    client="museum",
)
CLAIMS = (("Django", 0), ("Accessibility", 0))


def work(title, body="", *, days_ago=30, **more):
    return HistoryItem(title, body, date=TODAY - dt.timedelta(days=days_ago), **more)


def sample(title, body=""):
    return HistoryItem(title, body, weight=0.5)


def specialist(name, *, days_ago=30, **more):
    return PersonDoc(
        id=name,
        title="Django developer",
        skills=CLAIMS,
        history=(
            work(
                "Booking checkout for a theatre",
                "Django templates and screen reader tests",
                days_ago=days_ago,
                skills=("Django",),
            ),
            work("Ticket shop for a zoo", "checkout pages and payment", days_ago=days_ago + 40),
        ),
        **more,
    )


def ranking(people, need=NEED, k=20):
    return build_index(people, [], at=TODAY).people_for(need, k)


def order(people, need=NEED):
    return [found.id for found in ranking(people, need)]


def told(found, kind):
    return next(reason for reason in found.reasons if reason.kind == kind)


# --- A break --------------------------------------------------------------------------------


def test_whoever_returns_after_a_break_stands_next_to_their_equal():
    one_word = [
        PersonDoc(id=f"word{n}", title="Museum guide", history=(work(f"Roses {n}", days_ago=1),))
        for n in range(6)
    ]

    found = order([specialist("steady"), specialist("back", days_ago=425), *one_word])

    assert found[:2] == ["steady", "back"]


def test_a_break_takes_nobody_below_those_of_whom_nothing_is_known():
    back = specialist("back", days_ago=4000)
    unknown = replace(back, id="unknown", history=())

    found = {each.id: each for each in ranking([back, unknown])}

    relevant = {
        name: max(e.features[f] for f in ("vote", "title", "skills", "words"))
        for name, e in found.items()
    }
    assert found["back"].features["recent"] == pytest.approx(0.5 * relevant["back"], rel=0.01)
    assert found["unknown"].features["recent"] == pytest.approx(0.5 * relevant["unknown"], rel=0.01)


@pytest.mark.parametrize(
    "person",
    [
        PersonDoc(id="busy", bio="museum", history=(work("Roses", "beds", days_ago=1),)),
        PersonDoc(id="busy", history=(work("Museum roses", "beds", days_ago=1),)),
        PersonDoc(
            id="busy", bio="museum", history=tuple(work(f"Roses {n}", days_ago=n) for n in range(9))
        ),
    ],
    ids=["a word in the profile", "a word in a work", "much unrelated work"],
)
def test_one_word_and_recent_work_of_another_kind_do_not_stand_above_those_who_can_do_it(person):
    newcomers = [PersonDoc(id=f"new{n}", title="Web developer", skills=CLAIMS) for n in range(3)]

    assert order([person, *newcomers])[-1] == "busy"


def test_what_a_record_says_by_its_size_and_date_is_at_most_a_fifth_of_all_weights():
    weights = load_weights()
    for left_out in (set(), {"meaning", "meaning_best", "profile"}):
        there = {name: weight for name, weight in weights.items() if name not in left_out}
        assert sum(there[n] for n in ("proof", "active", "recent")) <= 0.2 * sum(there.values())


def test_nobody_without_finished_work_is_said_to_have_finished_some():
    (found,) = ranking([PersonDoc(id="new", title="Django developer", skills=CLAIMS)])

    assert told(found, "active").contribution > 0
    said = {words.text for words in explain.words(found.reasons, "client")}
    assert not [line for line in said if line.startswith("Finished work")]


# --- Copies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("alike", [True, False], ids=["the same", "each another"])
@pytest.mark.parametrize("days_ago", [30, 425])
def test_twenty_samples_with_the_text_of_the_project_do_not_win(alike, days_ago):
    copies = tuple(
        sample(
            NEED.title,
            NEED.description
            if alike
            else f"{NEED.description} " + " ".join(f"w{n}x{m}" for m in range(8)),
        )
        for n in range(20)
    )
    copier = PersonDoc(id="copier", title="Developer", history=copies, skills=CLAIMS)

    found = order([copier, *(specialist(f"real{n}", days_ago=days_ago) for n in range(3))])

    assert found[-1] == "copier"


def test_a_sample_speaks_with_less_than_half_the_voice_of_finished_work_however_near_it_is():
    copier = PersonDoc(id="copier", history=(sample(NEED.title, NEED.description),))
    real = PersonDoc(id="real", history=specialist("real").history[:1])

    found = {each.id: each.features["vote"] for each in ranking([copier, real, *OTHERS])}

    assert 0 < found["copier"] <= 0.18 * found["real"]


def test_a_work_told_twice_has_one_voice_and_two_samples_are_heard_beside_it():
    once = PersonDoc(id="a", history=(work("Ticket checkout", "museum pages"),))
    twice = replace(once, id="b", history=once.history * 2)
    found = {each.id: each.features["vote"] for each in ranking([once, twice, specialist("real")])}
    assert found["a"] == found["b"] > 0

    two, twenty = (
        PersonDoc(
            id=f"samples{count}",
            history=tuple(sample(f"Museum {n}", f"checkout {n} {n}a {n}b") for n in range(count)),
        )
        for count in (2, 20)
    )
    found = {each.id: each.features["vote"] for each in ranking([two, twenty, specialist("real")])}
    assert found["samples2"] == pytest.approx(found["samples20"], rel=0.2)


def test_towards_projects_too_two_samples_of_a_person_are_heard():
    samples = tuple(sample(f"Museum {n}", f"checkout {n} {n}a {n}b") for n in range(20))
    matcher = build_index([], [NEED, replace(NEED, id="rose", title="Rose garden")], at=TODAY)

    found = matcher.needs_for(PersonDoc(id="samples", history=samples), 10)[0]

    assert len(told(found, "works").facts["samples"]) <= 2


def test_samples_are_called_samples_and_make_no_match_strong():
    copies = (sample(NEED.title, NEED.description), sample("Museum ticket checkout", "pages"))
    person = PersonDoc(id="copier", history=copies, skills=CLAIMS)

    (found,) = ranking([person])

    facts = told(found, "works").facts
    assert (facts["alike"], facts["named"], len(facts["samples"])) == (0, [], 2)
    (said,) = explain.words([told(found, "works")], "client")
    assert said.text == "2 samples in the portfolio"
    assert explain.strength(found.reasons) == 2
    assert "past project" not in str(explain.words(found.reasons, "client"))


@pytest.mark.django_db
def test_a_sample_says_nothing_of_when_it_was_entered():
    ines = a_freelancer("Ines Duarte")
    PortfolioItem.objects.create(
        profile=ines.own_party.profile, title="Museum ticket checkout", description=CHECKOUT
    )
    project = a_project(a_client())

    services.rank_people(project.pk, why="changed")

    match = Match.objects.get(project=project, kind=Kind.PEOPLE)
    works = next(reason for reason in match.told if reason.kind == "works")
    assert works.facts["samples"] == ["Museum ticket checkout"]
    (said,) = explain.words([works], "client")
    assert (said.text, said.detail) == ("1 sample in the portfolio", "“Museum ticket checkout”")


# --- Kept places ----------------------------------------------------------------------------


OTHERS = [
    PersonDoc(id=f"other{n}", history=(work(f"Rose garden {n}", f"beds and hedges {n}"),))
    for n in range(30)
]


def checkouts(name, count, *, days_ago):
    """Somebody with so many works like the project, no two of them told in the same words."""
    return PersonDoc(
        id=name,
        title="Django developer",
        skills=CLAIMS,
        history=tuple(
            work(
                f"Museum ticket checkout {name}",
                "Django templates " + " ".join(f"{name}{n}{m}" for m in range(6)),
                days_ago=days_ago + n,
            )
            for n in range(count)
        ),
    )


def crowd(*newcomers):
    veterans = [checkouts(f"veteran{n}", 4, days_ago=60 + 10 * n) for n in range(12)]
    return [*veterans, *newcomers, *OTHERS]


def kept(found):
    return [
        (at, each.id)
        for at, each in enumerate(found)
        if any(reason.kind == "newcomer" for reason in each.reasons)
    ]


UNFIT = PersonDoc(id="unfit", bio=NEED.description, history=(work("Roses", days_ago=1),))


def test_a_place_is_kept_for_a_newcomer_who_fits_and_for_none_who_does_not():
    assert kept(ranking(crowd(UNFIT))) == []

    fits = checkouts("fits", 3, days_ago=100)
    found = ranking(crowd(UNFIT, fits))

    assert kept(found) == [(KEPT_FOR_NEW[2], "fits")]
    displaced, place = found[KEPT_FOR_NEW[2] + 1], found[KEPT_FOR_NEW[2]]
    assert FIT_FLOOR * displaced.score <= place.score < displaced.score
    said = {words.text for words in explain.words(place.reasons, "client")}
    assert "Few projects here so far" in said


def test_a_newcomer_whose_last_work_is_recent_does_not_go_before_one_who_fits_better():
    near, late = checkouts("near", 3, days_ago=100), checkouts("late", 3, days_ago=200)
    last = replace(late.history[2], date=TODAY - dt.timedelta(days=50))
    late = replace(late, history=(*late.history[:2], last))

    assert kept(ranking(crowd(near, late)))[0] == (KEPT_FOR_NEW[2], "near")


def test_newcomers_who_stand_high_by_themselves_fill_the_kept_places_whoever_they_are():
    """Eight whose works are new and who have much skill, and one who stands below them."""
    eight = [
        replace(
            checkouts(f"new{n}", 3, days_ago=1),
            bio=f"{NEED.title}. {NEED.description}",
            skills=(("Django", 30), ("Accessibility", 30)),
        )
        for n in range(8)
    ]
    ninth = checkouts("ninth", 3, days_ago=60)

    found = ranking([*crowd(ninth), *eight])

    assert sum(each.id.startswith("new") for each in found[: KEPT_FOR_NEW[2] + 1]) >= 3
    assert kept(found) == []
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)


def test_samples_make_nobody_less_new():
    person = PersonDoc(
        id="new",
        title="Django developer",
        bio="Ticket checkout pages",
        history=tuple(sample(f"Garden {n}", f"roses {n}") for n in range(10)),
    )
    (found,) = ranking([person])

    assert found.features["fresh"] > 0
    assert told(found, "profile").facts["new"] is True


# --- Friends --------------------------------------------------------------------------------


def test_five_contracts_with_one_friend_are_no_five_clients():
    def person(name, clients):
        return PersonDoc(
            id=name,
            title="Django developer",
            skills=CLAIMS,
            history=tuple(
                work(
                    f"Ticket checkout {n}",
                    f"museum pages {n}a {n}b {n}c",
                    skills=("Django",),
                    client=client,
                )
                for n, client in enumerate(clients)
            ),
        )

    found = {
        each.id: each
        for each in ranking(
            [person("one", ["mum"]), person("friends", ["mum"] * 5), person("many", "abcde")]
        )
    }

    one, friends, many = (found[name].features for name in ("one", "friends", "many"))
    assert friends["active"] <= 0.2 < many["active"]
    assert friends["proof"] == one["proof"] < many["proof"] == 1
    assert friends["vote"] == pytest.approx(many["vote"] / 5**0.5, rel=0.02)
    assert found["friends"].score < found["many"].score


@pytest.mark.django_db
def test_the_matcher_is_told_which_works_were_for_one_client():
    ines = a_freelancer("Ines Duarte")
    for number in range(2):
        finished_work(ines, title=f"Shop {number}", description="A shop.", skills=["Django"])

    (person,) = documents.people()

    assert len({each.client for each in person.history}) == 2
    assert dict(person.skills)["Django"] == 0


# --- Names ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_name_in_a_title_is_shown_and_finds_nobody():
    ines = a_freelancer("José Núñez", headline="Developer", bio="", skills={"Django": 3})
    finished_work(ines, title="Site of Jose Nunez", description="Pages.", skills=["Django"])
    PortfolioItem.objects.create(
        profile=ines.own_party.profile, title="Núñez portraits", description="Photos by José."
    )

    (person,) = documents.people()
    words = {term for each in person.history for term in text.terms(f"{each.title} {each.text}")}

    assert not words & {"jose", "nunez"}
    assert {each.shown_as for each in person.history} == {"Site of Jose Nunez", "Núñez portraits"}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("García", "Garcia"),
        ("Garcia", "GARCÍA"),
        ("Łukasz", "lukasz"),
        ("Soren", "Søren"),
        ("王小明", "王小明的网站"),
        ("สมชาย", "สมชายทำเว็บ"),
        ("김민수", "김민수는"),
    ],
)
def test_a_name_goes_however_it_is_written(name, written):
    left = redact.without_names(f"a {written} b", [name])

    assert redact.without_names(left, [name]) == left
    assert name not in left
    assert written not in left
    assert left.split()[0] == "a"


def test_a_name_inside_another_word_stays():
    assert redact.without_names("Annabel shows annexes", ["Ann", "Anna"]) == "Annabel shows annexes"


@pytest.mark.parametrize(
    "sentence",
    [
        "Back after my long illness.",
        "On parental leave.",
        "Military service.",
        "Worked at Globex Systems.",
        "ex-Hooli",
    ],
)
def test_why_somebody_was_away_and_for_whom_they_worked_leave_no_terms(sentence):
    assert set(text.terms(sentence)) <= {"back", "after", "on"}


def test_what_was_done_at_scale_stays():
    assert {"scale", "django"} <= set(text.terms("Worked at scale with Django"))


# --- Language -------------------------------------------------------------------------------


def test_no_language_is_a_feature_or_a_reason():
    (found,) = ranking([specialist("real")], replace(NEED, language="en"))

    assert "language" not in found.features
    assert "language" not in {reason.kind for reason in found.reasons}


def test_a_text_in_another_script_has_no_vector_and_is_found_by_its_words():
    encoder = load_encoder()
    assert encoder, why_not()
    russian = PersonDoc(id="russian", history=(work("Касса музея", "Django, билеты и оплата"),))
    plain = PersonDoc(id="plain", history=(work("Ticket checkout", "museum pages"),))
    matcher = build_index([russian, plain], [], at=TODAY, read=Reader(encoder))

    found = {each.id: each for each in matcher.people_for(NEED, 10)}
    assert found["russian"].features["vote"] > 0
    assert found["russian"].features["meaning"] == 0 < found["plain"].features["meaning"]

    asked = Need(id="ru", title="Касса музея", description="Билеты и оплата", language="en")
    first = matcher.people_for(asked, 10)[0]
    assert first.id == "russian"
    assert "meaning" not in first.features


# --- What is said ---------------------------------------------------------------------------


def test_a_profile_fits_only_when_it_shares_more_than_chance():
    little = PersonDoc(id="little", bio="Museum")
    much = PersonDoc(id="much", bio="Accessible ticket checkout")

    found = {each.id: told(each, "profile") for each in ranking([little, much])}

    (said,) = explain.words([found["little"]], "client")
    assert (said.kind, said.text) == ("part", "The profile is a little like this project")
    (said,) = explain.words([found["much"]], "client")
    assert said.kind == "yes"
    assert said.text.endswith("the profile fits")
