"""Which of the needed skills a person has, and how well they are shown."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from matching.engine.bm25 import Floats
from matching.engine.text import skill_key

# A claimed skill counts half; works that show it fill the other half, ten of them entirely.
CLAIMED = 0.5
FULL_PROOF = 10
# Beyond this many claims every further one weakens them all, so a list of 100 gains nothing.
CLAIMS_THAT_COUNT = 20


class SkillTable:
    """People (or projects) by skill, with the strength of each pair between 0 and 1."""

    def __init__(self, owners: Sequence[Sequence[tuple[str, int]]]) -> None:
        self.keys: dict[str, int] = {}
        rows: list[int] = []
        columns: list[int] = []
        strengths: list[float] = []
        for row, skills in enumerate(owners):
            for key, strength in strengths_of(skills).items():
                rows.append(row)
                columns.append(self.keys.setdefault(key, len(self.keys)))
                strengths.append(strength)
        size = len(owners)
        found_in = (
            np.bincount(np.asarray(columns, dtype=np.int64), minlength=len(self.keys))
            if columns
            else np.zeros(0)
        )
        self.size = size
        self.idf = np.log1p((size - found_in + 0.5) / (found_in + 0.5))
        self.unknown_idf = float(np.log1p((size + 0.5) / 0.5))
        self.matrix = sparse.csc_matrix(
            (np.asarray(strengths, dtype=np.float32), (rows, columns)),
            shape=(size, len(self.keys)),
        )

    def covered_by(self, skills: Sequence[tuple[str, int]]) -> Floats:
        """Per row, the share of its skills that these skills cover: the other direction."""
        have = np.zeros(len(self.keys))
        for key, strength in strengths_of(skills).items():
            if key in self.keys:
                have[self.keys[key]] = strength
        asked = self.matrix.astype(bool).astype(np.float64)
        total = asked @ self.idf
        covered = asked @ (self.idf * have)
        shares: Floats = np.divide(covered, total, out=np.zeros(self.size), where=total > 0)
        return shares

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
        query = np.zeros(len(self.keys))
        for key in keys:
            if key in self.keys:
                query[self.keys[key]] = weights[key] / total
        return np.asarray(self.matrix @ query)


def strengths_of(skills: Sequence[tuple[str, int]]) -> dict[str, float]:
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
