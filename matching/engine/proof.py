"""How much finished work stands behind the skills a project needs."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from matching.engine.bm25 import Floats
from matching.engine.skills import SkillTable
from matching.engine.text import skill_key

# More works than these prove a skill no better.
PLENTY = 30


class ProofTable:
    """People by skill, with how many works show it; a claim without work is nothing here."""

    def __init__(self, owners: Sequence[Sequence[tuple[str, int]]], table: SkillTable) -> None:
        cells: dict[tuple[int, int], int] = {}
        for row, skills in enumerate(owners):
            for name, count in skills:
                if count and (column := table.keys.get(skill_key(name))) is not None:
                    cells[row, column] = max(count, cells.get((row, column), 0))
        counts = np.minimum(np.asarray(list(cells.values()), dtype=np.float32), PLENTY)
        places = np.asarray(list(cells), dtype=np.int64).reshape(-1, 2)
        self._table = table
        self.matrix = sparse.csc_matrix(
            (np.log1p(counts) / np.log1p(PLENTY), (places[:, 0], places[:, 1])),
            shape=(len(owners), len(table.keys)),
        )

    def of(self, needed: Sequence[str]) -> Floats:
        """Per person, the proof of the needed skills, rare ones counting more."""
        query = np.zeros(len(self._table.keys))
        for key in map(skill_key, needed):
            if key in self._table.keys:
                query[self._table.keys[key]] = self._table.weight(key)
        return np.asarray(self.matrix @ query)
