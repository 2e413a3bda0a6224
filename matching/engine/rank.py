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
from itertools import chain

import numpy as np
import numpy.typing as npt

from matching.engine import candidates, explain, index, placing, wishes
from matching.engine.bm25 import contenders
from matching.engine.candidates import comparable
from matching.engine.cards import Chosen
from matching.engine.columns import Floats, Ints
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.meaning import Reader
from matching.engine.people import People
from matching.engine.record import DIGITS, Ranking, total
from matching.engine.text import stem, surface_words, terms
from matching.engine.votes import Votes, voice
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
        indexed: People | None = None,
        note: str = "",
    ) -> None:
        self._at = at
        self.weights = load_weights() if weights is None else weights
        self._people = indexed or People(people, read)
        self._needs = index.Needs(tuple(needs), read)
        self.reads = self._people.meaning is not None
        model = self._people.meaning.model_id if self._people.meaning else read and read.model_id
        self.engine = (f"{VERSION}+{model}" if model else f"{VERSION}, words only") + note

    @property
    def considered(self) -> int:
        """How many people could be found."""
        return self._people.count

    def weighing(self, weights: Mapping[str, float]) -> "Matcher":
        """The same people and projects, ranked with other weights. Costs nothing."""
        other = copy.copy(self)
        other.weights = weights
        return other

    def newcomers(self, among: Iterable[str]) -> frozenset[str]:
        """Those of these people who are new here."""
        people = self._people
        places = people.places(among)
        new = places[people.are_there(places) & people.new[places]]
        return frozenset(people.ids[place] for place in new.tolist())

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
        people = self._people
        weighed, places = asked.weigh(exclude)
        names = Chosen(people.ids, places)
        placed = weighed.placed(k, names, turn, new=people.new[places])
        shares = asked.shares(weighed)
        voted = {at: asked.voted(int(places[at]), shares) for at, _ in placed.first}
        alike = people.texts.shared(asked.query, chain.from_iterable(voted.values()))
        mentions = people.words.shared(asked.own, (int(places[at]) for at, _ in placed.first))
        forms = _surface_forms(*index.need_texts(need))

        def ranked(at: int, given: placing.Place) -> Ranked:
            place = int(places[at])
            return weighed.ranked(
                at,
                given,
                person=people.docs[place],
                need=need,
                works=[
                    explain.Vote(
                        people.works[item],
                        shares[item],
                        alike.count(item),
                        float(asked.near[item]) >= NEAR_ENOUGH,
                    )
                    for item in voted[at]
                ],
                shared_words=[forms[term] for term in mentions.terms(place)],
                profile_near=asked.profile is not None
                and float(asked.profile[place]) >= NEAR_ENOUGH,
            )

        return placed.ranking(turn, [ranked(at, given) for at, given in placed.first])

    def features_for(self, need: Need) -> tuple[tuple[str, ...], Mapping[str, Floats]]:
        """Ids and features of everybody for a project: what weights are fitted on."""
        ids, _scores, features = self.scores_for(need)
        return ids, features

    def scores_for(self, need: Need) -> tuple[tuple[str, ...], Floats, Mapping[str, Floats]]:
        """Ids, scores and features of everybody for a project, without reasons or places."""
        asked = _Asked(self._people, need, at=self._at, weights=self.weights)
        weighed, _places = asked.weigh((), everybody=True)
        return tuple(self._people.ids), weighed.scores, weighed.features

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
        turn = placing.Turn(person.id, placing.BY_SCORE)
        placed = weighed.placed(k, [need.id for need in needs.docs], turn)
        found = [place for place, _ in placed.first]
        alike = [needs.texts.shared(query, found) for query in queries]
        mentions = needs.texts.shared(own, found)
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
                        alike[at].count(place),
                        float(near[at, place]) >= NEAR_ENOUGH,
                    )
                    for at in voted
                ],
                shared_words=[forms[term] for term in mentions.terms(place)],
                chosen=chosen,
            )

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


class _Asked:
    """What one project asks of everybody: votes of their works, and facts about them."""

    def __init__(
        self, people: People, need: Need, *, at: date, weights: Mapping[str, float]
    ) -> None:
        self.people, self.need, self.at, self.weights = people, need, at, weights
        terms_asked = index.need_terms(need)
        self.query = people.texts.query(terms_asked)
        self.own = people.words.query(terms_asked)
        title = terms(need.title)
        in_title = people.titles.query(title)
        self.least = {
            "vote": people.texts.score_of(WORDS_ENOUGH, self.query),
            "best": people.texts.score_of(WORDS_ENOUGH, self.query),
            "title": people.titles.score_of(min(WORDS_ENOUGH, len(set(title))), in_title),
            "words": people.words.score_of(WORDS_ENOUGH, self.own),
        }
        day = max(at, need.posted_at or at)
        self.votes: dict[str, Votes] = {}
        self.votes["vote"], self.votes["best"] = people.vote(people.texts.scores(self.query), day)
        self.votes["title"], _ = people.vote(people.titles.scores(in_title), day)
        self.near: npt.NDArray[np.float32] = np.zeros(len(people.works), dtype=np.float32)
        self.profile: Floats | None = None
        self._meant = people.meaning.of_need(need) if people.meaning else None
        if people.meaning and self._meant is not None:
            self.near = people.meaning.works.near(self._meant)
            self.profile = people.meaning.near_profiles(self._meant, len(people.ids))
            self.votes["meaning"], self.votes["meaning_best"] = people.vote(self.near, day)

    def weigh(
        self, exclude: Collection[str], *, everybody: bool = False
    ) -> "tuple[_Weighed, Ints]":
        """The features and sums of everybody who can be among the first, and their places."""
        people, need = self.people, self.need
        raw = {name: votes.by_owner for name, votes in self.votes.items()}
        raw["skills"] = people.skills.coverage(need.skills)
        raw["proof"] = people.proof.of(need.skills)
        raw["words"] = people.words.scores(self.own)
        raw["active"], raw["recent"] = people.active_on(self.at)
        raw["fresh"] = people.freshness
        if self.profile is not None:
            raw["profile"] = self.profile * people.freshness
        out = people.out({*exclude, need.client})
        places = np.arange(len(people.ids), dtype=np.int64)
        if not everybody:
            places = candidates.places(
                raw,
                votes=self.votes,
                out=out,
                new=people.new,
                least=self.least,
                weights=self.weights,
            )
        raw = {name: values[places] for name, values in raw.items()}
        near = self._near_of(places)
        gone = np.isin(places, out)
        return _weigh(raw, out=gone, near=near, least=self.least, weights=self.weights), places

    def shares(self, weighed: "_Weighed") -> Mapping[int, float]:
        """What works gave to the score of their owner."""
        found: dict[int, float] = {}
        for name, votes in self.votes.items():
            unit = weighed.unit(name)
            for item, given in zip(votes.items.tolist(), votes.given.tolist(), strict=True):
                found[item] = found.get(item, 0.0) + given * unit
        return found

    def voted(self, place: int, shares: Mapping[int, float]) -> list[int]:
        """The works of one person that gave something."""
        return [item for item in self.people.works_of(place) if shares.get(item)]

    def _near_of(self, places: Ints) -> Floats:
        """How near the nearest text of each of these people is."""
        people = self.people
        near = np.zeros(len(places))
        if people.meaning is None or self._meant is None or self.profile is None:
            return near
        works = people.works_of_all(places)
        if people.meaning.works.looks_twice:
            # Only the nearest works have been compared so far.
            unknown = works[self.near[works] == 0]
            self.near[unknown] = people.meaning.works.near_of(unknown, self._meant)
        owners = np.searchsorted(places, people.owners[works])
        np.maximum.at(near, owners, self.near[works].astype(np.float64))
        return np.maximum(near, self.profile[places])


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
        names: Sequence[str],
        turn: placing.Turn,
        *,
        new: index.Flags | None = None,
    ) -> "_Placed":
        """Who stands where, best first. Nobody has a place without a score above zero."""
        fits = comparable(self.features, self.weights)

        def lot(at: int) -> tuple[int, str]:
            return placing.lot(turn.seed, names[at])

        best = _best(self.scores, max(k, placing.POOL), lot)
        pool = {names[at]: at for at in best}
        if new is not None and turn.policy.kept:
            promising = np.where(new & (self.scores > 0), fits, 0.0)
            pool |= {names[at]: at for at in _best(promising, placing.NEW_POOL, lot)}
        features = {name: self._features_of(at) for name, at in pool.items()}
        lately = turn.lately(tuple(pool)) if pool else {}
        competing = []
        for name, at in pool.items():
            seen, earned = lately.get(name, (0.0, 0.0))
            competing.append(
                placing.Candidate(
                    id=name,
                    score=total(self.weights, features[name]),
                    is_new=new is not None and bool(new[at]),
                    fit=round(float(fits[at]), DIGITS) if new is not None else 0.0,
                    seen=seen,
                    earned=earned,
                )
            )
        places = placing.place(competing, seed=turn.seed, policy=turn.policy)
        first = [(pool[place.id], place) for place in places[:k]]
        return _Placed(self.weights, features, competing, places, first)

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
