"""People for a project by PostgreSQL alone: what answers while the matcher cannot.

Needs neither numpy nor files. Shares of skills and words of the profile count, nobody's past
work does, so nobody has an advantage by a long record either.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, F

from accounts.models import ProfileSkill
from marketplace.core import clock
from matching.engine import explain
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.retriever import Retriever
from matching.engine.text import skill_key, surface_words
from matching.engine.weights import load_weights
from matching.models import FOR_NOW
from matching.selectors import documents

# So many are looked at for their skills, and so many for their words.
LOOKED_AT = 200
# The words of a title and the first ones of the text: an OR of many words ranks nearly every row.
MOST_WORDS = 12
# Whoever has not shown a skill in work counts half, as with the matcher; here that is everybody.
CLAIMED = 0.5


@dataclass(frozen=True)
class Ready:
    """What finds people, with what a ranking writes down about it."""

    matcher: Retriever
    engine: str
    as_of: dt.datetime

    @property
    def is_whole(self) -> bool:
        """Whether it will not work with more before the next change."""
        return not self.engine.endswith(FOR_NOW)


def ready() -> Ready:
    """The search, as of this moment."""
    return Ready(BySearch(), BySearch.engine, clock.now() - documents.OPEN)


class BySearch:
    """The retriever of last resort."""

    engine = f"search-1, skills and profiles only (no past work{FOR_NOW}"

    @cached_property
    def considered(self) -> int:
        """Everybody who may be suggested."""
        return documents.findable().count()

    def people_for(
        self, need: Need, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k people whose skills and profile fit best; equals by their number."""
        out = {int(each) for each in (*exclude, need.client) if each.isdigit()}
        words = _by_words(need, out)
        parties = {*_by_skills(need, out), *words}
        found = [_ranked(person, need, words) for person in documents.some_people(parties)]
        found.sort(key=lambda each: (-each.score, int(each.id)))
        return [each for each in found if each.score > 0][:k]


def _by_skills(need: Need, out: Collection[int]) -> list[int]:
    """Those with most of the needed skills."""
    rows = ProfileSkill.objects.filter(
        skill__name__in=need.skills, profile__in=documents.findable().values("pk")
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
    rows = documents.findable().filter(search=query).exclude(party__in=out)
    # Between 0 and 1, whatever the length of a profile.
    ranked = rows.annotate(fit=SearchRank(F("search"), query, normalization=32))
    return dict(ranked.order_by("-fit", "party").values_list("party", "fit")[:LOOKED_AT])


def _ranked(person: PersonDoc, need: Need, words: Mapping[int, float]) -> Ranked:
    weights = load_weights()
    asked = {skill_key(name) for name in need.skills}
    has = asked & {skill_key(name) for name, _ in person.skills}
    features = {
        "skills": CLAIMED * len(has) / len(asked) if asked else 0.0,
        "words": words.get(int(person.id), 0.0),
    }
    total = sum(weights[name] for name in features)
    parts = {name: weights[name] / total * value for name, value in features.items()}
    told = explain.reasons(parts, features, person=person, need=need, works=(), shared_words=())
    return Ranked(person.id, sum(parts.values()), features, told)
