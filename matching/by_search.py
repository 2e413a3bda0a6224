"""People for a project by PostgreSQL alone: what answers while the matcher cannot.

Needs neither numpy nor files. Shares of skills and words of the profile count, nobody's past
work does, so nobody has an advantage by a long record either.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, F

from accounts.models import ProfileSkill
from marketplace.core import clock
from matching.engine import explain, placing
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.record import DIGITS, Ranking, total
from matching.engine.retriever import Retriever
from matching.engine.text import skill_key, surface_words
from matching.models import FOR_NOW
from matching.selectors import documents, method, registry

# So many are looked at for their skills, and so many for their words.
LOOKED_AT = 200
# The words of a title and the first ones of the text: an OR of many words ranks nearly every row.
MOST_WORDS = 12
# Whoever has not shown a skill in work counts half, as with the matcher; here that is everybody.
CLAIMED = 0.5
# What of the matcher's features it has.
FEATURES = ("skills", "words")


@dataclass(frozen=True)
class Ready:
    """What finds people, with what a ranking writes down about it."""

    matcher: Retriever
    model: registry.Deployed
    engine: str
    as_of: dt.datetime

    @property
    def is_whole(self) -> bool:
        """Whether it will not work with more before the next change."""
        return not self.engine.endswith(FOR_NOW)


def ready() -> Ready:
    """The search, as of this moment."""
    model = registry.deployed()
    return Ready(BySearch(model.weights), model, BySearch.engine, clock.now() - documents.OPEN)


class BySearch:
    """The retriever of last resort."""

    engine = f"search-1, skills and profiles only (no past work{FOR_NOW}"
    reads = False

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = weights

    @cached_property
    def considered(self) -> int:
        """Everybody who may be suggested."""
        return documents.suggestable().count()

    def weighing(self, weights: Mapping[str, float]) -> "BySearch":
        """The same with other weights."""
        return BySearch(weights)

    def newcomers(self, among: Iterable[str]) -> frozenset[str]:
        """Those of these people who are new here."""
        people = documents.people_among(map(int, among))
        return frozenset(person.id for person in people if _is_new(person))

    def people_for(
        self, need: Need, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k people whose skills and profile fit best, without lots of exploring."""
        return self.ranking_of_people(need, k, turn=placing.Turn(need.id), exclude=exclude).found

    def ranking_of_people(
        self, need: Need, k: int, *, turn: placing.Turn, exclude: Collection[str] = frozenset()
    ) -> Ranking:
        """The k people whose skills and profile fit best, in the places this turn gives them."""
        out = {int(each) for each in (*exclude, need.client) if each.isdigit()}
        words = _by_words(need, out)
        people = {
            person.id: person for person in documents.people_among({*_by_skills(need, out), *words})
        }
        features = {name: _features(person, need, words) for name, person in people.items()}
        whole = sum(self.weights[name] for name in FEATURES)
        weights = {name: self.weights[name] / whole if whole else 0.0 for name in FEATURES}
        competing = _competing(
            [
                placing.Candidate(
                    id=name,
                    score=total(weights, features[name]),
                    is_new=_is_new(person),
                    # Without past work everything can be compared.
                    fit=total(weights, features[name]),
                )
                for name, person in people.items()
            ],
            k,
            turn,
        )
        places = placing.place(competing, seed=turn.seed, policy=turn.policy)
        return Ranking(
            found=[
                _ranked(people[place.id], need, place, weights, features[place.id])
                for place in places[:k]
            ],
            weights=weights,
            features={each.id: features[each.id] for each in competing},
            candidates=competing,
            places=places,
            seed=turn.seed,
            policy=turn.policy,
        )


def _competing(
    candidates: Iterable[placing.Candidate], k: int, turn: placing.Turn
) -> list[placing.Candidate]:
    """Whoever competes for the places, as with the matcher, with what they got lately."""
    found = sorted(
        (each for each in candidates if each.score > 0),
        key=lambda each: (-each.score, placing.lot(turn.seed, each.id)),
    )
    pool = found[: max(k, placing.POOL)]
    if turn.policy.kept:
        late = (each for each in found[len(pool) :] if each.is_new)
        pool += islice(late, placing.NEW_POOL)
    lately = turn.lately([each.id for each in pool]) if pool else {}
    return [
        replace(each, seen=lately[each.id][0], earned=lately[each.id][1])
        if each.id in lately
        else each
        for each in pool
    ]


def _is_new(person: PersonDoc) -> bool:
    finished = sum(not work.is_sample for work in person.history)
    return finished + person.unused_works <= method.NEW_UP_TO


def _by_skills(need: Need, out: Collection[int]) -> list[int]:
    """Those with most of the needed skills."""
    rows = ProfileSkill.objects.filter(
        skill__name__in=need.skills, profile__in=documents.suggestable().values("pk")
    ).exclude(profile__party__in=out)
    counted = rows.values("profile__party").annotate(n=Count("pk")).order_by("-n", "profile__party")
    return list(counted.values_list("profile__party", flat=True)[:LOOKED_AT])


def _by_words(need: Need, out: Collection[int]) -> dict[int, float]:
    """Those whose profile has most of the project's first words, and how well it fits."""
    said = surface_words(f"{need.title}\n{need.description}")
    words = [word for word in dict.fromkeys(said) if word.isalnum()][:MOST_WORDS]
    if not words:
        return {}
    query = SearchQuery(" | ".join(words), config="simple", search_type="raw")
    rows = documents.suggestable().filter(search=query).exclude(party__in=out)
    # Between 0 and 1, whatever the length of a profile.
    ranked = rows.annotate(fit=SearchRank(F("search"), query, normalization=32))
    return dict(ranked.order_by("-fit", "party").values_list("party", "fit")[:LOOKED_AT])


def _features(person: PersonDoc, need: Need, words: Mapping[int, float]) -> dict[str, float]:
    asked = {skill_key(name) for name in need.skills}
    has = asked & {skill_key(name) for name, _ in person.skills}
    return {
        "skills": round(CLAIMED * len(has) / len(asked), DIGITS) if asked else 0.0,
        "words": round(words.get(int(person.id), 0.0), DIGITS),
    }


def _ranked(
    person: PersonDoc,
    need: Need,
    given: placing.Place,
    weights: Mapping[str, float],
    features: Mapping[str, float],
) -> Ranked:
    parts = {name: weights[name] * value for name, value in features.items()}
    told = explain.reasons(
        parts, features, person=person, need=need, works=(), shared_words=(), given=given
    )
    return Ranked(person.id, given.before, features, told)
