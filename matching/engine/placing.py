"""Who gets which place, once everybody has a score: merit first, and attention shared fairly.

Attention falls steeply with the place, so a lead of a hundredth would otherwise bring somebody
all of it, search after search. Three things may move a place, and each is said as a reason:
what somebody got lately compared with what their scores earned (`exposure`), the places kept
for newcomers (`newcomer`) and one place drawn by lot with a known chance (`exploration`).
None of them touches the score that the reasons add up to.

Plain Python without a database: the same candidates, seed and policy give the same places in
any order, on any machine, years later.
"""

import hashlib
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from statistics import median

# What a page shows: attention ends below it, and quality is judged on it.
SHOWN = 10
# These places, counted from 0, are kept for people with little past work.
KEPT_FOR_NEW = (1, 3, 7)
# So many people compete for the places of a list, and so many newcomers for the kept ones.
POOL = 100
NEW_POOL = 30
# Nobody takes a place by rule who has less than this part of the score of whoever moves down,
# or is worth less than this part of the middle one of those shown.
FIT_FLOOR = 0.8
# Shares of the full strength that are tried, until little enough quality is lost.
LEVELS = (1.0, 0.75, 0.5, 0.25, 0.0)


class Flag(StrEnum):
    """What gave somebody their place."""

    MERIT = "merit"
    NEWCOMER = "newcomer"
    EXPLORATION = "exploration"
    EXPOSURE = "exposure"


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a place may move. The defaults are measured or reasoned in docs/matching.md."""

    kept: tuple[int, ...] = KEPT_FOR_NEW
    fit_floor: float = FIT_FLOOR
    # How much of their score somebody can gain who was owed all attention, and lose who has had
    # twice too much. 1 / fit_floor - 1, so whoever gains passes nobody far better.
    strength: float = 0.25
    # What that and the kept places may cost: 2 % of nDCG@10, less what exploration costs.
    most_lost: float = 0.015
    # Attention, in first places, that nobody is owed or reproached for: chance, not a pattern.
    patience: float = 1.0
    # One person's share of what all who fit a query got lately, and at least so many equal parts.
    share_cap: float = 0.03
    equal_parts: float = 3.0
    # In so many lists one of these places is drawn for exploring: 5 % of the places shown.
    exploring: float = 0.5
    explored: tuple[int, ...] = (4, 5, 6, 8, 9)
    # Newcomers are drawn so many times as often, and others by this power of how many times
    # more attention they earned than they got: who is forgotten longest is drawn soonest.
    new_weight: float = 3.0
    owed_power: float = 3.0
    # Kept places go by worth until somebody was seen so many times as much as they earned.
    new_most: float = 2.0


# For lists nobody is shown: no lot, because nothing is learned from them.
UNEXPLORED = Policy(exploring=0.0)
# For lists of projects: attention is shared among people.
BY_SCORE = Policy(kept=(), strength=0.0, exploring=0.0)
# What people got and earned lately: attention seen, attention earned, by id.
Lately = Callable[[Sequence[str]], Mapping[str, tuple[float, float]]]


def _nobody(_ids: Sequence[str]) -> Mapping[str, tuple[float, float]]:
    return {}


@dataclass(frozen=True, slots=True)
class Turn:
    """How the places of one list are given: whose lots, by which policy, after which lists."""

    seed: str
    policy: Policy = UNEXPLORED
    lately: Lately = _nobody


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody with a score.

    `fit` is what can be compared between people with and without a record, so nothing a record
    makes larger. `seen` is the attention they got in other lists lately, `earned` what they
    earned there.
    """

    id: str
    score: float
    is_new: bool = False
    fit: float = 0.0
    seen: float = 0.0
    earned: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """One place: who, their score, what it was after looking at exposure, and what placed them.

    `propensity` is the chance, over the lots of exploring, that they stand at this place.
    `seen` is the attention of the place, `earned` what their score earns in this list. `lift`
    is how far attention moved them: above 0 forward, below 0 back, 0 not at all.
    """

    id: str
    before: float
    after: float
    flag: Flag
    propensity: float
    seen: float
    earned: float
    lift: float = 0.0


def attention(place: int) -> float:
    """What a place, counted from 0, is looked at, compared with the first."""
    return 1 / math.log2(place + 2) if place < SHOWN else 0.0


def place(
    candidates: Iterable[Candidate], *, seed: str, policy: Policy = UNEXPLORED
) -> list[Place]:
    """All candidates with their places, best first; those without a score are left out.

    The order in which they come does not matter; equals are drawn by lot from the seed.
    """
    by_score = sorted(
        (each for each in candidates if each.score > 0),
        key=lambda each: _order(each, each.score, seed),
    )
    if not by_score:
        return []
    worth = _worth(by_score)
    fit = _fit(by_score, worth, policy)
    may_move = frozenset(each.id for each in fit)
    query = _Query(by_score, worth, may_move, _balance(fit, policy), seed, policy)
    standing = next(
        tried
        for level in LEVELS
        if (tried := query.placed(policy.strength * level)).lost <= policy.most_lost or not level
    )
    lottery = _Lottery(standing, policy)
    found = lottery.drawn(seed)
    at_first = {each.id: at for at, each in enumerate(by_score)}
    earned = _earned(fit, worth, len(by_score))
    places = []
    for at, each in enumerate(found.order):
        after = standing.after[each.id]
        lift = after - each.score
        moved = at_first[each.id] - at
        flag = Flag.MERIT
        if each.id in standing.kept:
            flag = Flag.NEWCOMER
        elif each.id == found.explored:
            flag = Flag.EXPLORATION
        elif lift * moved > 0:
            flag = Flag.EXPOSURE
        places.append(
            Place(
                id=each.id,
                before=each.score,
                after=after,
                flag=flag,
                propensity=lottery.propensity(each.id, at),
                seen=attention(at),
                earned=earned.get(each.id, 0.0),
                lift=lift if flag is Flag.EXPOSURE else 0.0,
            )
        )
    return places


# --- Attention ------------------------------------------------------------------------------


def _worth(by_score: Sequence[Candidate]) -> dict[str, float]:
    """What each would likely score with a record like that of the others.

    For people with a record that is their score. No record must mean an average one, not a bad
    one: whoever is new and fits as well as the middle one of those shown, in what can be
    compared, is worth as much, and nobody is worth more for claiming more.
    """
    settled = [each for each in by_score[:SHOWN] if not each.is_new]
    if not settled:
        return {each.id: each.score for each in by_score}
    usual = median(each.fit for each in settled)
    score = median(each.score for each in settled)
    return {
        each.id: max(each.score, score * min(1.0, each.fit / usual))
        if each.is_new and usual
        else each.score
        for each in by_score
    }


def _fit(
    by_score: Sequence[Candidate], worth: Mapping[str, float], policy: Policy
) -> list[Candidate]:
    """Those worth nearly as much as the tenth: they earn attention, and may be moved."""
    floor = policy.fit_floor * by_score[min(SHOWN, len(by_score)) - 1].score
    return [each for each in by_score if worth[each.id] >= floor]


def _earned(fit: Sequence[Candidate], worth: Mapping[str, float], listed: int) -> dict[str, float]:
    """The attention of one list, shared out among those who fit by what they are worth."""
    whole = math.fsum(attention(at) for at in range(min(listed, SHOWN)))
    all_worth = math.fsum(worth[each.id] for each in fit)
    return {each.id: whole * worth[each.id] / all_worth for each in fit}


def _balance(fit: Sequence[Candidate], policy: Policy) -> dict[str, float]:
    """From 1 for whoever was owed all attention they earned to -1 for twice too much of it.

    Too much is more than one's share of what all who fit this query got, never less than a few
    equal parts, and more than was earned: whoever alone can do it, is not moved for it.
    """
    whole = math.fsum(each.seen for each in fit)
    most = max(policy.share_cap, policy.equal_parts / len(fit)) * whole + policy.patience
    found = {}
    for each in fit:
        if each.seen < each.earned:
            owed = (each.earned - each.seen) / (each.earned + policy.patience)
            found[each.id] = owed
        elif each.seen > most:
            found[each.id] = -min(1.0, each.seen / most - 1)
    return found


# --- Places ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Standing:
    """An order, the scores behind it, who has a kept place, and what quality it costs."""

    order: list[Candidate]
    after: Mapping[str, float]
    worth: Mapping[str, float]
    fit: frozenset[str]
    kept: frozenset[str]
    lost: float


@dataclass(frozen=True, slots=True)
class _Query:
    by_score: Sequence[Candidate]
    worth: Mapping[str, float]
    fit: frozenset[str]
    balance: Mapping[str, float]
    seed: str
    policy: Policy

    def placed(self, strength: float) -> _Standing:
        """Everybody by score and balance, with newcomers at the places kept for them."""
        after = {
            each.id: each.score * (1 + strength * self.balance.get(each.id, 0.0))
            for each in self.by_score
        }
        order = sorted(self.by_score, key=lambda each: _order(each, after[each.id], self.seed))
        kept: set[str] = set()
        owed = self._owed()
        for count, at in enumerate(self.policy.kept, start=1):
            if len(order) <= at:
                break
            if sum(each.is_new for each in order[: at + 1]) >= count:
                continue
            enough = self.policy.fit_floor * order[at].score
            fitting = [
                each
                for each in order[at + 1 :]
                if each.is_new and (each.score >= enough or each.id in owed)
            ]
            if fitting:
                first = min(fitting, key=self._turn)
                order.remove(first)
                order.insert(at, first)
                kept.add(first.id)
        lost = 1 - self._gain(order) / self._gain(self.by_score)
        return _Standing(order, after, self.worth, self.fit, frozenset(kept), lost)

    def _owed(self) -> frozenset[str]:
        """Who is worth nearly as much as the middle one of those shown, and was seen too little.

        Nobody is worth more than the middle one, so the best of them earned more than is counted.
        """
        enough = self.policy.fit_floor * median(each.score for each in self.by_score[:SHOWN])
        return frozenset(
            each.id
            for each in self.by_score
            if self.worth[each.id] >= enough and each.seen < self.policy.new_most * each.earned
        )

    def _turn(self, each: Candidate) -> tuple[float, tuple[float, tuple[int, str]]]:
        """Who comes first of the newcomers who fit: more so for whoever was owed attention."""
        owed = 1 + self.policy.strength * self.balance.get(each.id, 0.0)
        return -round(self.worth[each.id] * owed, 12), _order(each, each.score, self.seed)

    def _gain(self, order: Sequence[Candidate]) -> float:
        return math.fsum(self.worth[each.id] * attention(at) for at, each in enumerate(order))


def lot(seed: str, name: str) -> tuple[int, str]:
    """The order of equals: another one for every seed, always the same for one."""
    return zlib.crc32(f"{seed} {name}".encode()), name


def _order(each: Candidate, score: float, seed: str) -> tuple[float, tuple[int, str]]:
    return -round(score, 12), lot(seed, each.id)


# --- Exploring ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Drawn:
    order: list[Candidate]
    explored: str = ""


@dataclass(frozen=True, slots=True)
class _Draw:
    """What may happen when one place is drawn: chances by position, and their running sum."""

    at: int
    chances: Mapping[int, float]
    up_to: Sequence[float]


@dataclass(slots=True)
class _Lottery:
    """One of some places goes to somebody drawn among those who fit and would not be seen.

    Kept places stay where they are; everybody else from the drawn place on moves down by one.
    Positions here are those among everybody without a kept place.
    """

    standing: _Standing
    policy: Policy
    free: list[Candidate] = field(init=False)
    slots: list[int] = field(init=False)
    draws: list[_Draw | None] = field(init=False)
    where: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        order, taken = self.standing.order, self.standing.kept
        self.slots = [at for at, each in enumerate(order) if each.id not in taken]
        self.free = [order[at] for at in self.slots]
        self.where = {each.id: at for at, each in enumerate(self.free)}
        positions = {slot: at for at, slot in enumerate(self.slots)}
        self.draws = [
            self._draw(positions[slot]) if slot in positions else None
            for slot in self.policy.explored
        ]

    def _draw(self, at: int) -> _Draw | None:
        lower = [
            position
            for position in range(at + 1, len(self.free))
            if self.slots[position] >= SHOWN and self.free[position].id in self.standing.fit
        ]
        if not lower:
            return None
        weights = {position: self._weight(self.free[position]) for position in lower}
        whole = math.fsum(weights.values())
        chances = {position: weight / whole for position, weight in weights.items()}
        running = accumulate(chances.get(position, 0.0) for position in range(len(self.free)))
        return _Draw(at, chances, list(running))

    def _weight(self, each: Candidate) -> float:
        """Newcomers are drawn before others, and whoever is owed attention before the rest."""
        patience = self.policy.patience
        owed = max(1.0, (each.earned + patience) / (each.seen + patience))
        often = self.policy.new_weight if each.is_new else 1.0
        return float(often * owed**self.policy.owed_power)

    def drawn(self, seed: str) -> _Drawn:
        """The order after one draw."""
        order = list(self.standing.order)
        if _fraction(seed, "whether") >= self.policy.exploring:
            return _Drawn(order)
        draw = self.draws[int(_fraction(seed, "place") * len(self.draws))]
        if draw is None:
            return _Drawn(order)
        lot = _fraction(seed, "person") * draw.up_to[-1]
        chosen = next(position for position in draw.chances if lot < draw.up_to[position])
        moved = list(self.free)
        explored = moved.pop(chosen)
        moved.insert(draw.at, explored)
        for slot, each in zip(self.slots, moved, strict=True):
            order[slot] = each
        return _Drawn(order, explored.id)

    def propensity(self, name: str, at: int) -> float:
        """The chance over all draws that somebody stands at a place."""
        if not self.draws or name in self.standing.kept:
            return 1.0
        position = self.where[name]
        final = self.slots.index(at)
        undrawn = float(position == final)
        exploring = self.policy.exploring
        if not exploring:
            return undrawn
        drawn = math.fsum(_chance(draw, position, final) for draw in self.draws)
        return (1 - exploring) * undrawn + exploring * drawn / len(self.draws)


def _chance(draw: _Draw | None, position: int, final: int) -> float:
    """The chance that whoever stands at `position` ends at `final` when this place is drawn."""
    if draw is None or position < draw.at:
        return float(position == final)
    if final == draw.at and position > draw.at:
        return draw.chances.get(position, 0.0)
    if final == position:
        # Somebody further up was drawn, so nobody passed here.
        return draw.up_to[position - 1] if position > draw.at else 0.0
    if final == position + 1:
        return draw.up_to[-1] - draw.up_to[position]
    return 0.0


def _fraction(seed: str, what: str) -> float:
    """A number from 0 up to 1, always the same for a seed and a purpose."""
    digest = hashlib.sha256(f"{seed} {what}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
