"""The vectors of people: of their works, and of the profiles of those without many."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from matching.engine import index
from matching.engine.columns import Floats, Ints
from matching.engine.documents import Need
from matching.engine.encoder import DIMENSIONS, Vectors
from matching.engine.meaning import SERVED, Bytes, Meanings, Space

if TYPE_CHECKING:
    from matching.engine.people import People


class Reads(Protocol):
    """What turns texts into vectors."""

    model_id: str

    def packed(self, texts: Sequence[str]) -> Bytes:
        """A row of bytes per text, zeros for texts without a vector."""

    def passing(self, texts: Sequence[str]) -> Vectors:
        """Questions: a row of length 1 per text."""


class PeopleMeaning:
    """The vectors of works and of the profiles of people without many."""

    def __init__(
        self, read: Reads, space: Space, works: Meanings, profiles: Meanings, whose: Ints
    ) -> None:
        self._read, self._space = read, space
        self.works = works
        self._profiles, self._whose = profiles, whose
        self.model_id = read.model_id

    @classmethod
    def of(
        cls,
        people: "People",
        vectors: Sequence[Bytes],
        profiles: Sequence[Bytes],
        read: Reads,
        before: "PeopleMeaning | None",
    ) -> "PeopleMeaning":
        """Of what was read; behind what is there already, in the same space."""
        found, own = _stacked(vectors), _stacked(profiles)
        space = before._space if before else Space.learned(found, people.owners)
        works, profile = Meanings.of(found, space), Meanings.of(own, space)
        if before:
            works = before.works.followed_by(works)
            profile = before._profiles.followed_by(profile)
        # Whoever has settled in is known by their works.
        whose = np.flatnonzero(people.freshness > 0).astype(np.int64)
        return cls(read, space, works, profile, whose)

    @classmethod
    def opened(cls, arrays: Mapping[str, Any], read: Reads) -> "PeopleMeaning":
        """What `arrays()` gave."""
        return cls(
            read,
            Space.opened(arrays["space"]),
            Meanings.opened(arrays["works"]),
            Meanings.opened(arrays["profiles"]),
            arrays["whose"],
        )

    def arrays(self) -> Mapping[str, Any]:
        """Everything there is to keep."""
        return {
            "space": self._space.arrays(),
            "works": self.works.arrays(),
            "profiles": self._profiles.arrays(),
            "whose": self._whose,
        }

    def of_need(self, need: Need) -> Vectors | None:
        """A project as a vector of this space, or None when its language is not served."""
        if need.language not in SERVED:
            return None
        vector = self._read.passing([index.for_encoder(index.need_text(need))])
        return self._space.place(vector)[0] if vector.any() else None

    def near_profiles(self, vector: Vectors, people: int) -> Floats:
        """How near the profile of each person is; 0 for those who are known by their works."""
        found = np.zeros(people)
        found[self._whose] = self._profiles.near(vector)
        return found


def _stacked(vectors: Sequence[Bytes]) -> Bytes:
    if len(vectors) == 1:
        return vectors[0]
    return np.concatenate([np.zeros((0, DIMENSIONS), dtype=np.int8), *vectors])
