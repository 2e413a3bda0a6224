"""The ranking itself: features, their weights, and one sum that the reasons are read off.

Every feature lies between 0 and 1; those from text are divided by the best value of the
query (their minimum is 0, so nobody gains from who happens to be worst). A score is the
weighted mean of the features and nothing else, so a reason is one summand of that mean with
the facts behind it. What `placing` moves in spite of a score is a reason of its own.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from matching.engine import explain, index, placing, wishes
from matching.engine.bm25 import Floats, contenders
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.meaning import Reader
from matching.engine.record import DIGITS, Ranking, total
from matching.engine.text import stem, surface_words, terms
from matching.engine.votes import voice
from matching.engine.weights import VERSION, load_weights

# Shares already; the others are divided by the best of the query.
SHARES = frozenset({"skills", "active", "recent", "fresh"})
# Without any of these, being busy is no reason to be shown.
RELEVANCE = ("vote", "title", "skills", "words")
# What somebody did lately says something only as far as they are relevant.
AS_RELEVANT = ("active", "recent")
# A work this near in meaning is relevant without sharing a word.
NEAR_ENOUGH = 0.45
# Sharing less than so many words is little, even where nobody shares more.
WORDS_ENOUGH = 5
# The works of one person that may vote for one project, best first.
VOTES_PER_NEED = 5
# A person says more than a project, and there are fewer projects to search.
PERSON_TERMS = 100
# Reading a text takes milliseconds: towards projects, a person's latest works are read.
WORKS_READ = 10
# So many people compete for the places of a list, and so many newcomers for the kept ones.
POOL = 100
NEW_POOL = 30
# A claim makes half of a skill; what lies above only a record can fill.
CLAIMED = 0.5


class Matcher:
    """Ranks people for a project and projects for a person, with reasons.

    With a reader it compares meanings as well as words; `engine` says what it works with.
    Without `weights`, those that come with the software count.
    """

    def __init__(
        self,
        people: Iterable[PersonDoc],
        needs: Iterable[Need],
        *,
        at: date,
        read: Reader | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self._at = at
        self.weights = load_weights() if weights is None else weights
        self._people = index.People(tuple(people), read)
        self._needs = index.Needs(tuple(needs), read)
        self.reads = read is not None
        self.engine = f"{VERSION}+{read.model_id}" if read else f"{VERSION}, words only"

    def weighing(self, weights: Mapping[str, float]) -> "Matcher":
        """The same people and projects, ranked with other weights. Costs nothing."""
        other = copy.copy(self)
        other.weights = weights
        return other

    def newcomers(self) -> frozenset[str]:
        """Everybody who is new here."""
        people = self._people
        return frozenset(people.docs[place].id for place in np.flatnonzero(people.new))

    def people_for(
        self, need: Need, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k people who fit a project best, as if for the first time and without lots.

        Its client is never among them. Up to three of the first ten places belong to people
        who are new here and fit as well.
        """
        turn = placing.Turn(need.id)
        return self.ranking_of_people(need, k, exclude=exclude, turn=turn).found

    def ranking_of_people(
        self,
        need: Need,
        k: int,
        *,
        turn: placing.Turn,
        exclude: Collection[str] = frozenset(),
    ) -> Ranking:
        """The k people for a project in the places this turn gives them, and why."""
        asked = _Asked(self._people, need, at=self._at, weights=self.weights)
        weighed = asked.weigh(exclude)
        people = self._people
        shares = asked.shares(weighed)
        alike, mentions = people.texts.reader(asked.query), people.words.reader(asked.own)
        forms = _surface_forms(*index.need_texts(need))

        def ranked(place: int, given: placing.Place) -> Ranked:
            voted = [item for item in people.works_of(place) if shares[item]]
            return weighed.ranked(
                place,
                given,
                person=people.docs[place],
                need=need,
                works=[
                    explain.Vote(
                        people.works[item],
                        float(shares[item]),
                        len(alike(item)),
                        float(asked.near[item]) >= NEAR_ENOUGH,
                    )
                    for item in voted
                ],
                shared_words=[forms[term] for term in mentions(place)],
                profile_near=asked.profile is not None
                and float(asked.profile[place]) >= NEAR_ENOUGH,
            )

        placed = weighed.placed(k, people.docs, turn, new=people.new)
        return placed.ranking(turn, [ranked(at, given) for at, given in placed.first])

    def features_for(self, need: Need) -> tuple[tuple[str, ...], Mapping[str, Floats]]:
        """Ids and features of everybody for a project: what weights are fitted on."""
        asked = _Asked(self._people, need, at=self._at, weights=self.weights)
        return tuple(person.id for person in self._people.docs), asked.weigh(()).features

    def scores_for(self, need: Need) -> tuple[tuple[str, ...], Floats, Mapping[str, Floats]]:
        """Ids, scores and features of everybody for a project, without reasons or places."""
        weighed = _Asked(self._people, need, at=self._at, weights=self.weights).weigh(())
        return tuple(person.id for person in self._people.docs), weighed.scores, weighed.features

    def needs_for(
        self,
        person: PersonDoc,
        k: int,
        *,
        exclude: Collection[str] = frozenset(),
        chosen: Mapping[str, str] | None = None,
    ) -> list[Ranked]:
        """The k projects that fit a person best, never one they posted themselves.

        `chosen` says which parts shall count more, less or not at all; see `wishes`.
        """
        return self.ranking_of_needs(person, k, exclude=exclude, chosen=chosen).found

    def ranking_of_needs(
        self,
        person: PersonDoc,
        k: int,
        *,
        exclude: Collection[str] = frozenset(),
        chosen: Mapping[str, str] | None = None,
    ) -> Ranking:
        """The k projects for a person by score alone, and why."""
        chosen = chosen or {}
        needs = self._needs
        works = index.latest(person.history)
        queries = [needs.texts.query(index.work_terms(work), limit=PERSON_TERMS) for work in works]
        titles = [needs.titles.query(terms(work.title)) for work in works]
        own = needs.texts.query(index.own_terms(person), limit=PERSON_TERMS)
        person = index.with_proof(person)
        ages, weights = self._at.toordinal() - index.days_of(works), index.weights_of(works)
        shares = index.shares_of_voice(works, [index.work_terms(work) for work in works])
        voices = (voice(ages, weights) * shares)[:, np.newaxis]
        samples = weights < 1
        votes = _strongest(voices * needs.texts.score_all(queries), samples)
        title_votes = _strongest(voices * needs.titles.score_all(titles), samples)
        near = np.zeros_like(votes)
        if needs.meaning and len(works):
            near[:WORKS_READ] = needs.meaning.near(works[:WORKS_READ])
        meant = _strongest(voices * near, samples)
        raw = {
            "vote": votes.sum(axis=0),
            "best": votes.sum(axis=0),
            "title": title_votes.sum(axis=0),
            "skills": needs.skills.covered_by(person.skills),
            "words": needs.texts.scores(own),
        }
        if needs.meaning:
            raw["meaning"] = meant.sum(axis=0)
        fresh = index.freshness(index.finished_works(works))
        raw["fresh"] = np.full(len(needs.docs), fresh)
        weighed = _weigh(
            raw,
            out=needs.flags(exclude, client=person.id),
            near=near.max(axis=0, initial=0.0),
            least={},
            weights=wishes.weighed(self.weights, chosen),
        )
        given = votes * (weighed.unit("vote") + weighed.unit("best"))
        given += title_votes * weighed.unit("title")
        given += meant * weighed.unit("meaning")
        alike = [needs.texts.reader(query) for query in queries]
        mentions = needs.texts.reader(own)
        forms = _surface_forms(index.own_text(person))

        def ranked(place: int, placed: placing.Place) -> Ranked:
            voted = [at for at in range(len(works)) if given[at, place]]
            return weighed.ranked(
                place,
                placed,
                person=person,
                need=needs.docs[place],
                works=[
                    explain.Vote(
                        works[at],
                        float(given[at, place]),
                        len(alike[at](place)),
                        float(near[at, place]) >= NEAR_ENOUGH,
                    )
                    for at in voted
                ],
                shared_words=[forms[term] for term in mentions(place)],
                chosen=chosen,
            )

        turn = placing.Turn(person.id, placing.BY_SCORE)
        placed = weighed.placed(k, needs.docs, turn)
        return placed.ranking(turn, [ranked(at, place) for at, place in placed.first])


def build_index(
    people: Iterable[PersonDoc],
    needs: Iterable[Need],
    *,
    at: date,
    read: Reader | None = None,
    weights: Mapping[str, float] | None = None,
) -> Matcher:
    """A matcher over these people and projects, as seen on this day."""
    return Matcher(people, needs, at=at, read=read, weights=weights)


def comparable(features: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """How well people fit in what they can show with and without a record: skills and words."""
    skills = np.minimum(features["skills"], CLAIMED) / CLAIMED
    return np.asarray(weights["skills"] * skills + weights["words"] * features["words"])


class _Asked:
    """What one project asks of everybody: votes of their works, and facts about them."""

    def __init__(
        self, people: index.People, need: Need, *, at: date, weights: Mapping[str, float]
    ) -> None:
        self.people, self.need, self.at, self.weights = people, need, at, weights
        terms_asked = index.need_terms(need)
        self.query = people.texts.query(terms_asked)
        self.own = people.words.query(terms_asked)
        voices = people.voices_on(max(at, need.posted_at or at))
        title = terms(need.title)
        in_title = people.titles.query(title)
        words = people.heard(people.texts.scores(self.query))
        titles = people.heard(people.titles.scores(in_title))
        self.least = {
            "vote": people.texts.score_of(WORDS_ENOUGH, self.query),
            "best": people.texts.score_of(WORDS_ENOUGH, self.query),
            "title": people.titles.score_of(min(WORDS_ENOUGH, len(set(title))), in_title),
            "words": people.words.score_of(WORDS_ENOUGH, self.own),
        }
        self.votes = {
            "vote": people.vote(words, voices),
            "best": people.vote_of_the_best(words, voices),
            "title": people.vote(titles, voices),
        }
        self.near = np.zeros(len(people.works))
        self.profile: Floats | None = None
        meant = people.meaning.of(need) if people.meaning else None
        if people.meaning and meant is not None:
            self.near = people.meaning.works.near(meant)
            self.profile = people.meaning.profiles.near(meant)
            near = people.heard(self.near)
            self.votes["meaning"] = people.vote(near, voices)
            self.votes["meaning_best"] = people.vote_of_the_best(near, voices)

    def weigh(self, exclude: Collection[str]) -> "_Weighed":
        """The features of everybody and their sums."""
        people, need = self.people, self.need
        raw = {name: votes.by_owner for name, votes in self.votes.items()}
        raw["skills"] = people.skills.coverage(need.skills)
        raw["proof"] = people.proof.of(need.skills)
        raw["words"] = people.words.scores(self.own)
        raw["active"], raw["recent"] = people.active_on(self.at)
        raw["fresh"] = people.freshness
        if self.profile is not None:
            raw["profile"] = self.profile * people.freshness
        near = np.zeros(len(people.docs))
        np.maximum.at(near, people.owners, self.near)
        if self.profile is not None:
            near = np.maximum(near, self.profile)
        out = people.flags({*exclude, need.client})
        return _weigh(raw, out=out, near=near, least=self.least, weights=self.weights)

    def shares(self, weighed: "_Weighed") -> Floats:
        """What every work gave to the score of its owner."""
        size = len(self.people.works)
        given = [votes.per_item(size) * weighed.unit(n) for n, votes in self.votes.items()]
        return np.asarray(np.sum(given, axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The features of one query, what one point of each is worth, and the sums per place."""

    features: Mapping[str, Floats]
    weights: Mapping[str, float]
    tops: Mapping[str, float]
    scores: Floats

    def placed(
        self,
        k: int,
        docs: Sequence[PersonDoc] | Sequence[Need],
        turn: placing.Turn,
        *,
        new: index.Flags | None = None,
    ) -> "_Placed":
        """Who stands where, best first. Nobody has a place without a score above zero."""
        fits = comparable(self.features, self.weights)

        def lot(at: int) -> tuple[int, str]:
            return placing.lot(turn.seed, docs[at].id)

        best = _best(self.scores, max(k, POOL), lot)
        pool = {docs[at].id: at for at in best}
        if new is not None and turn.policy.kept:
            promising = np.where(new & (self.scores > 0), fits, 0.0)
            pool |= {docs[at].id: at for at in _best(promising, NEW_POOL, lot)}
        features = {name: self._features_of(at) for name, at in pool.items()}
        lately = turn.lately(tuple(pool)) if pool else {}
        candidates = []
        for name, at in pool.items():
            seen, earned = lately.get(name, (0.0, 0.0))
            candidates.append(
                placing.Candidate(
                    id=name,
                    score=total(self.weights, features[name]),
                    is_new=new is not None and bool(new[at]),
                    fit=round(float(fits[at]), DIGITS) if new is not None else 0.0,
                    seen=seen,
                    earned=earned,
                )
            )
        places = placing.place(candidates, seed=turn.seed, policy=turn.policy)
        first = [(pool[place.id], place) for place in places[:k]]
        return _Placed(self.weights, features, candidates, places, first)

    def _features_of(self, place: int) -> dict[str, float]:
        """The features of somebody as they are written down, so that a log adds up exactly."""
        return {name: round(float(values[place]), DIGITS) for name, values in self.features.items()}

    def unit(self, name: str) -> float:
        """What one point of a feature, before it was scaled, adds to the score."""
        top = self.tops.get(name)
        return self.weights[name] / top if top else 0.0

    def ranked(
        self,
        place: int,
        given: placing.Place,
        *,
        person: PersonDoc,
        need: Need,
        works: Sequence[explain.Vote],
        shared_words: Sequence[str],
        profile_near: bool = False,
        chosen: Mapping[str, str] | None = None,
    ) -> Ranked:
        features = self._features_of(place)
        parts = {name: self.weights[name] * value for name, value in features.items()}
        told = explain.reasons(
            parts,
            features,
            person=person,
            need=need,
            works=works,
            shared_words=shared_words,
            profile_near=profile_near,
            given=given,
            chosen=chosen,
        )
        return Ranked(given.id, given.before, features, told)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Who competed, who got which place, and the rows of those who are listed."""

    weights: Mapping[str, float]
    features: Mapping[str, Mapping[str, float]]
    candidates: Sequence[placing.Candidate]
    places: Sequence[placing.Place]
    first: Sequence[tuple[int, placing.Place]]

    def ranking(self, turn: placing.Turn, found: list[Ranked]) -> Ranking:
        return Ranking(
            found=found,
            weights=self.weights,
            features=self.features,
            candidates=self.candidates,
            places=self.places,
            seed=turn.seed,
            policy=turn.policy,
        )


def _weigh(
    raw: Mapping[str, Floats],
    *,
    out: index.Flags,
    near: Floats,
    least: Mapping[str, float],
    weights: Mapping[str, float],
) -> _Weighed:
    """Scale the features and add them up; who is out, or has nothing in common, gets 0.

    `least` is what a feature is divided by at least: the best of a bad lot is not good. `factors`
    are what the reader of the list wants weights to be multiplied by.
    """
    kept = {name: np.where(out, 0.0, values) for name, values in raw.items()}
    tops = {name: float(values.max(initial=least.get(name, 0.0))) for name, values in kept.items()}
    features = {
        name: values / tops[name] if name not in SHARES and tops[name] else values
        for name, values in kept.items()
    }
    features["fresh"] = features["words"] * features["fresh"]
    ties = [features[name] for name in RELEVANCE]
    relevance = np.maximum.reduce([*ties, near])
    features |= {n: features[n] * relevance for n in AS_RELEVANT if n in features}
    total = sum(weights[name] for name in features)
    weights = {name: weights[name] / total if total else 0.0 for name in features}
    relevant = (np.maximum.reduce(ties) > 0) | (near >= NEAR_ENOUGH)
    scores = sum(weights[name] * values for name, values in features.items())
    return _Weighed(features, weights, tops, np.where(relevant & ~out, scores, 0.0))


def _best(values: Floats, count: int, lot: Callable[[int], tuple[int, str]]) -> list[int]:
    """The places of the highest values above zero, best first, equals by lot."""
    places = contenders(values, count).tolist()
    return sorted(places, key=lambda at: (-round(float(values[at]), 12), lot(at)))[:count]


def _strongest(votes: Floats, samples: index.Flags) -> Floats:
    """Per project, only the strongest votes of a person, few of samples; the rest are silent."""
    votes = votes.copy()
    votes[samples] = _top(votes[samples], index.SAMPLES_HEARD)
    return _top(votes, VOTES_PER_NEED)


def _top(votes: Floats, most: int) -> Floats:
    if len(votes) <= most:
        return votes
    edge = np.partition(votes, -most, axis=0)[-most]
    return np.where(votes >= edge, votes, 0.0)


def _surface_forms(*texts: str) -> dict[str, str]:
    """For every term of these texts, the word as it was written first."""
    forms: dict[str, str] = {}
    for text in texts:
        for word in surface_words(text):
            forms.setdefault(stem(word), word)
    return forms
