"""Which of the needed skills a person has, and how well they are shown."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from matching.engine.columns import Array, Arrays, Columns, Floats
from matching.engine.names import Names
from matching.engine.text import skill_key

Skills = Sequence[tuple[str, int]]

# A claimed skill counts half; works that show it fill the other half, ten of them entirely.
CLAIMED = 0.5
FULL_PROOF = 10
# Beyond this many claims every further one weakens them all, so a list of 100 gains nothing.
CLAIMS_THAT_COUNT = 20


class SkillTable:
    """People (or projects) by skill, with the strength of each pair between 0 and 1."""

    keys: dict[str, int]
    size: int
    idf: Floats
    unknown_idf: float
    matrix: Columns

    def __init__(self, owners: Iterable[Skills], *, after: "SkillTable | None" = None) -> None:
        self.keys = dict(after.keys) if after else {}
        rows, columns, strengths = array("i"), array("i"), array("d")
        count = 0
        for row, skills in enumerate(owners):
            count += 1
            for key, strength in strengths_of(skills).items():
                rows.append(row)
                columns.append(self.keys.setdefault(key, len(self.keys)))
                strengths.append(strength)
        column = np.asarray(columns, dtype=np.int64)
        found_in = np.bincount(column, minlength=len(self.keys))
        self.size = count + (after.size if after else 0)
        self.idf = np.log1p((self.size - found_in + 0.5) / (found_in + 0.5))
        self.unknown_idf = float(np.log1p((self.size + 0.5) / 0.5))
        values = np.asarray(strengths, dtype=np.float32)
        self.matrix = Columns.of(
            np.asarray(rows, dtype=np.int64), column, values, (count, len(self.keys))
        )
        if after:
            self.idf[: len(after.idf)] = after.idf
            self.unknown_idf = after.unknown_idf
            self.matrix = after.matrix.followed_by(self.matrix)

    @classmethod
    def opened(cls, arrays: Mapping[str, Any]) -> "SkillTable":
        """What `arrays()` gave."""
        made = cls.__new__(cls)
        made.keys = {key: column for column, key in enumerate(Names.opened(arrays["keys"]))}
        made.idf = arrays["idf"]
        made.size = int(arrays["size"][0])
        made.unknown_idf = float(np.log1p((made.size + 0.5) / 0.5))
        made.matrix = Columns.opened(arrays["matrix"], made.size)
        return made

    def arrays(self) -> Mapping[str, Array | Arrays]:
        """Everything there is to keep."""
        return {
            "keys": Names.of(self.keys).arrays(),
            "idf": self.idf,
            "size": np.asarray([self.size]),
            "matrix": self.matrix.arrays(),
        }

    def covered_by(self, skills: Skills) -> Floats:
        """Per row, the share of its skills that these skills cover: the other direction."""
        strong = {self.keys[k]: s for k, s in strengths_of(skills).items() if k in self.keys}
        columns = np.asarray(sorted(strong), dtype=np.int64)
        factors = np.asarray([self.idf[column] * strong[column] for column in sorted(strong)])
        covered = self._asked.sums(columns, factors)
        shares: Floats = np.divide(
            covered, self._asked_weight, out=np.zeros(self.size), where=self._asked_weight > 0
        )
        return shares

    @cached_property
    def _asked(self) -> Columns:
        """Whether a row has a skill at all."""
        return self.matrix.of_ones()

    @cached_property
    def _asked_weight(self) -> Floats:
        return self._asked.sums(np.arange(len(self.keys), dtype=np.int64), self.idf)

    def weight(self, key: str) -> float:
        """How rare a skill is; one that nobody has is the rarest."""
        column = self.keys.get(key)
        return self.unknown_idf if column is None else float(self.idf[column])

    def coverage(self, needed: Sequence[str]) -> Floats:
        """Per row, the share of the needed skills it has, weighted by rarity and by proof."""
        keys = list(dict.fromkeys(filter(None, map(skill_key, needed))))
        weights = {key: self.weight(key) for key in keys}
        total = sum(weights.values())
        if not total:
            return np.zeros(self.size)
        known = sorted((self.keys[key], weights[key] / total) for key in keys if key in self.keys)
        columns = np.asarray([column for column, _ in known], dtype=np.int64)
        return self.matrix.sums(columns, np.asarray([share for _, share in known]))


def strengths_of(skills: Skills) -> dict[str, float]:
    """How much each skill of a person counts, by its key."""
    works: dict[str, int] = {}
    for name, count in skills:
        key = skill_key(name)
        if key:
            works[key] = max(works.get(key, 0), count)
    claims = sum(not count for count in works.values())
    claimed = CLAIMED * min(1.0, CLAIMS_THAT_COUNT / max(claims, 1))
    return {
        key: CLAIMED + (1 - CLAIMED) * _proof(count) if count else claimed
        for key, count in works.items()
    }


def _proof(works: int) -> float:
    return float(min(1.0, np.log1p(works) / np.log1p(FULL_PROOF)))
