"""Which known spelling a typed one is nearest to: mistyped, run together, or half of it.

Plain Python, so that a page can ask without loading numpy. The index is built once per process.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

# Lengths of the pieces compared; the spaces around a name count, so its start and end do too.
PIECES = (2, 3, 4)
# So many of the nearest by pieces are compared letter by letter.
LOOKED_AT = 12
# More than this share one piece of a name in a long list; they are told apart by the others.
MOST_HOLDERS = 400


class Spellings:
    """Folded spellings and whose they are, found by the pieces they share with a typed one."""

    def __init__(self, spellings: Iterable[tuple[str, int]]) -> None:
        self._spellings = list(spellings)
        counted = [Counter(pieces(folded)) for folded, _owner in self._spellings]
        found_in = Counter(piece for counts in counted for piece in counts)
        size = len(counted)
        self._rarity = {piece: math.log(1 + size / n) for piece, n in found_in.items()}
        self._unknown = math.log(1 + size)
        self._holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, counts in enumerate(counted):
            length = self._length(counts)
            for piece, n in counts.items():
                self._holders[piece].append((place, n * self._rarity[piece] / length))

    def nearest(self, folded: str, *, limit: int) -> list[tuple[int, float]]:
        """(owner, nearness from 0 to 1), nearest first, each owner once."""
        counts = Counter(pieces(folded))
        length = self._length(counts)
        shared: dict[int, float] = defaultdict(float)
        for piece, n in counts.items():
            holders = self._holders.get(piece, ())
            # A piece half the list has says nothing, and costs a look at half the list.
            if len(holders) > MOST_HOLDERS:
                continue
            for place, weight in holders:
                shared[place] += n * self._rarity[piece] * weight / length
        likely = sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))[:LOOKED_AT]
        best: dict[int, float] = {}
        for place, cosine in likely:
            spelling, owner = self._spellings[place]
            # Pieces see swapped words, letters see a slip of the finger: half each.
            letters = SequenceMatcher(None, folded, spelling, autojunk=False).ratio()
            best[owner] = max(best.get(owner, 0.0), (min(cosine, 1.0) + letters) / 2)
        ranked = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))
        return ranked[:limit]

    def _length(self, counts: Counter[str]) -> float:
        """The length of a spelling as a vector of its pieces."""
        weights = (n * self._rarity.get(piece, self._unknown) for piece, n in counts.items())
        return math.sqrt(sum(weight * weight for weight in weights)) or 1.0


def pieces(folded: str) -> Iterator[str]:
    """The overlapping pieces of a name with a space before and after it."""
    padded = f" {folded} "
    for size in PIECES:
        yield from (padded[at : at + size] for at in range(len(padded) - size + 1))
