"""The ranking itself: features, their weights, and one sum that the reasons are read off.

Every feature lies between 0 and 1; those from text are divided by the best value of the
query (their minimum is 0, so nobody gains from who happens to be worst). A score is the
weighted mean of the features and nothing else moves a place, so a reason is one summand of
that mean with the facts behind it.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from matching.engine import explain, index
from matching.engine.bm25 import Floats, contenders
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.text import stem, surface_words, terms
from matching.engine.votes import voice

VERSION = "lexical-1"

# Tuned on labelled public data (docs/matching.md). "fresh" gives the words of a profile more
# room while there is little past work; "language" counts where a project names one.
WEIGHTS: Mapping[str, float] = {
    "vote": 1.0,
    "title": 0.4,
    "skills": 0.6,
    "words": 0.1,
    "fresh": 0.2,
    "language": 0.1,
}
# Divided by the best of the query; the others are shares already.
SCALED = ("vote", "title", "words")
# Without any of these, a language in common is no reason to be shown.
RELEVANCE = ("vote", "title", "skills", "words")
# The works of one person that may vote for one project, best first.
VOTES_PER_NEED = 5
# A person says more than a project, and there are fewer projects to search.
PERSON_TERMS = 100


class Matcher:
    """Ranks people for a project and projects for a person, with reasons."""

    def __init__(self, people: Iterable[PersonDoc], needs: Iterable[Need], *, at: date) -> None:
        self._at = at
        self._people = index.People(tuple(people))
        self._needs = index.Needs(tuple(needs))

    def people_for(
        self, need: Need, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k people who fit a project best. Its client is never among them."""
        people = self._people
        query = people.texts.query(index.need_terms(need))
        titles = people.titles.query(terms(need.title))
        own = people.words.query(index.need_terms(need))
        voices = people.voices_on(max(self._at, need.posted_at or self._at))
        votes = people.vote(people.texts, query, voices)
        title_votes = people.vote(people.titles, titles, voices)
        weighed = _weigh(
            {
                "vote": votes.by_owner,
                "title": title_votes.by_owner,
                "skills": people.skills.coverage(need.skills),
                "words": people.words.scores(own),
            },
            fresh=people.freshness,
            language=people.language_fit(need.language) if need.language else None,
            out=people.flags({*exclude, need.client}),
        )
        shares = votes.per_item(len(people.works)) * weighed.unit("vote")
        shares += title_votes.per_item(len(people.works)) * weighed.unit("title")
        alike, mentions = people.texts.reader(query), people.words.reader(own)
        forms = _surface_forms(*index.need_texts(need))

        def ranked(place: int) -> Ranked:
            voted = [item for item in people.works_of(place) if shares[item]]
            return weighed.ranked(
                place,
                name=people.docs[place].id,
                person=people.docs[place],
                need=need,
                works=[
                    explain.Vote(people.works[item], float(shares[item]), len(alike(item)))
                    for item in voted
                ],
                shared_words=[forms[term] for term in mentions(place)],
            )

        return [ranked(place) for place in weighed.first(k, need.id, people.docs)]

    def needs_for(
        self, person: PersonDoc, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k projects that fit a person best, never one they posted themselves."""
        needs = self._needs
        works = index.latest(person.history)
        queries = [needs.texts.query(index.work_terms(work), limit=PERSON_TERMS) for work in works]
        titles = [needs.titles.query(terms(work.title)) for work in works]
        own = needs.texts.query(index.own_terms(person), limit=PERSON_TERMS)
        ages = self._at.toordinal() - index.days_of(works)
        voices = voice(ages, index.weights_of(works))[:, np.newaxis]
        votes = _strongest(voices * needs.texts.score_all(queries))
        title_votes = _strongest(voices * needs.titles.score_all(titles))
        fits = [index.language_fit(need.language, person.languages) for need in needs.docs]
        weighed = _weigh(
            {
                "vote": votes.sum(axis=0),
                "title": title_votes.sum(axis=0),
                "skills": needs.skills.covered_by(person.skills),
                "words": needs.texts.scores(own),
            },
            fresh=np.full(len(needs.docs), index.freshness(len(works))),
            language=np.asarray(fits) if needs.name_languages else None,
            out=needs.flags(exclude, client=person.id),
        )
        shares = votes * weighed.unit("vote") + title_votes * weighed.unit("title")
        alike = [needs.texts.reader(query) for query in queries]
        mentions = needs.texts.reader(own)
        forms = _surface_forms(index.own_text(person))

        def ranked(place: int) -> Ranked:
            voted = [at for at in range(len(works)) if shares[at, place]]
            return weighed.ranked(
                place,
                name=needs.docs[place].id,
                person=person,
                need=needs.docs[place],
                works=[
                    explain.Vote(works[at], float(shares[at, place]), len(alike[at](place)))
                    for at in voted
                ],
                shared_words=[forms[term] for term in mentions(place)],
            )

        return [ranked(place) for place in weighed.first(k, person.id, needs.docs)]


def build_index(people: Iterable[PersonDoc], needs: Iterable[Need], *, at: date) -> Matcher:
    """A matcher over these people and projects, as seen on this day."""
    return Matcher(people, needs, at=at)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The features of one query, what one point of each is worth, and the sums per place."""

    features: Mapping[str, Floats]
    weights: Mapping[str, float]
    tops: Mapping[str, float]
    scores: Floats

    def first(self, k: int, query: str, docs: Sequence[PersonDoc] | Sequence[Need]) -> list[int]:
        """The places with the highest scores above zero, best first.

        Equals are drawn by lot, another one for every query but always the same: nobody
        stands before their equals everywhere because of an id.
        """

        def order(place: int) -> tuple[float, int]:
            lot = zlib.crc32(f"{query} {docs[place].id}".encode())
            return -round(float(self.scores[place]), 12), lot

        return sorted(contenders(self.scores, k).tolist(), key=order)[:k]

    def unit(self, name: str) -> float:
        """What one point of a feature, before it was scaled, adds to the score."""
        return self.weights[name] / self.tops[name] if self.tops[name] else 0.0

    def ranked(
        self,
        place: int,
        *,
        name: str,
        person: PersonDoc,
        need: Need,
        works: Sequence[explain.Vote],
        shared_words: Sequence[str],
    ) -> Ranked:
        features = {name: float(values[place]) for name, values in self.features.items()}
        parts = {name: self.weights[name] * value for name, value in features.items()}
        told = explain.reasons(
            parts, features, person=person, need=need, works=works, shared_words=shared_words
        )
        return Ranked(name, float(self.scores[place]), features, told)


def _weigh(
    raw: Mapping[str, Floats],
    *,
    fresh: Floats,
    language: Floats | None,
    out: index.Flags,
) -> _Weighed:
    """Scale the features and add them up; who is out, or has nothing in common, gets 0."""
    kept = {name: np.where(out, 0.0, values) for name, values in raw.items()}
    tops = {name: float(values.max(initial=0.0)) for name, values in kept.items()}
    features = {
        name: values / tops[name] if name in SCALED and tops[name] else values
        for name, values in kept.items()
    }
    features["fresh"] = features["words"] * fresh
    if language is not None:
        features["language"] = language
    total = sum(WEIGHTS[name] for name in features)
    weights = {name: WEIGHTS[name] / total for name in features}
    relevant = sum(features[name] for name in RELEVANCE) > 0
    scores = sum(weights[name] * values for name, values in features.items())
    return _Weighed(features, weights, tops, np.where(relevant, scores, 0.0))


def _strongest(votes: Floats) -> Floats:
    """Per project, only the strongest votes of a person; the rest are silent."""
    if len(votes) <= VOTES_PER_NEED:
        return votes
    edge = np.partition(votes, -VOTES_PER_NEED, axis=0)[-VOTES_PER_NEED]
    return np.where(votes >= edge, votes, 0.0)


def _surface_forms(*texts: str) -> dict[str, str]:
    """For every term of these texts, the word as it was written first."""
    forms: dict[str, str] = {}
    for text in texts:
        for word in surface_words(text):
            forms.setdefault(stem(word), word)
    return forms
