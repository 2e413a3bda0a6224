"""How much finished work stands behind the skills a project needs."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from matching.engine.columns import Arrays, Columns, Floats
from matching.engine.skills import Skills, SkillTable
from matching.engine.text import skill_key

# More works than these prove a skill no better.
PLENTY = 30


class ProofTable:
    """People by skill, with how many works show it; a claim without work is nothing here."""

    def __init__(
        self, owners: Iterable[Skills], table: SkillTable, *, after: "ProofTable | None" = None
    ) -> None:
        rows, columns, counts = array("i"), array("i"), array("f")
        size = 0
        for row, skills in enumerate(owners):
            size += 1
            most: dict[int, int] = {}
            for name, count in skills:
                if count and (column := table.keys.get(skill_key(name))) is not None:
                    most[column] = max(count, most.get(column, 0))
            rows.extend([row] * len(most))
            columns.extend(most)
            counts.extend(most.values())
        shown = np.minimum(np.asarray(counts, dtype=np.float32), PLENTY)
        self._table = table
        self.matrix = Columns.of(
            np.asarray(rows, dtype=np.int64),
            np.asarray(columns, dtype=np.int64),
            np.log1p(shown) / np.log1p(PLENTY),
            (size, len(table.keys)),
        )
        if after:
            self.matrix = after.matrix.followed_by(self.matrix)

    @classmethod
    def opened(cls, arrays: Arrays, table: SkillTable) -> "ProofTable":
        """What `arrays()` gave."""
        made = cls.__new__(cls)
        made._table = table
        made.matrix = Columns.opened(arrays, table.size)
        return made

    def arrays(self) -> Arrays:
        """Everything there is to keep, without the table."""
        return self.matrix.arrays()

    def of(self, needed: Sequence[str]) -> Floats:
        """Per person, the proof of the needed skills, rare ones counting more."""
        keys = {key for key in map(skill_key, needed) if key in self._table.keys}
        known = sorted((self._table.keys[key], self._table.weight(key)) for key in keys)
        columns = np.asarray([column for column, _ in known], dtype=np.int64)
        return self.matrix.sums(columns, np.asarray([weight for _, weight in known]))
