"""Nearness of meaning: vectors of texts, bent so that works of one person lie together.

Two jobs that share no word can be the same kind of work. How this market tells kinds of work
apart is learned from who did what: directions in which the works of one person differ count
less. Everybody's past work teaches it, which is what helps a newcomer with one work.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from matching.engine.bm25 import contenders
from matching.engine.columns import Arrays, Floats, Ints
from matching.engine.encoder import DIMENSIONS, Encoder, Vectors
from matching.engine.text import sentence

Bytes = npt.NDArray[np.int8]

# The encoder was trained on English; a text marked as another language is read as words alone.
SERVED = frozenset({"", "en"})
# With few works the space stays as it is; each of these counts like so many works.
WORKS_TO_LEARN = 100
WORKS_TO_CENTRE = 50
STIFFNESS = 3.0
# With more works than these, a sample of them teaches.
MOST_TO_LEARN = 50_000
# As many vectors as are unpacked from bytes at a time: they stay in the cache of a core.
CHUNK = 512
# So many are placed at a time.
PLACED_AT_ONCE = 8192
# Of more vectors than these, the first look is at their main directions only; so many that look
# nearest are then compared as a whole.
COARSE_FROM = 100_000
MAIN_DIRECTIONS = 64
LOOKED_AT = 8192


class Shelf(Protocol):
    """Where vectors outlive a process."""

    def find(self, model: str, digests: Collection[bytes]) -> Mapping[bytes, Bytes]:
        """The vectors that lie here, by digest."""

    def keep(self, model: str, vectors: Mapping[bytes, Bytes]) -> None:
        """Put vectors here."""


class Read(NamedTuple):
    """A text that was read: its vector, and the digest of its redacted words on the shelf."""

    digest: bytes
    vector: Bytes


class Reader:
    """Texts as vectors. What was read before, here or by another process, is not read again.

    `known` is what an earlier reader of this process used; `used` is that of this one, so
    whatever nobody uses any more (a deleted text) is forgotten one build later. With
    `most_new`, only so many texts are newly read; the others have no vector until the next
    build and are counted by `unread`.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        known: Mapping[bytes, Read] | None = None,
        shelf: Shelf | None = None,
        most_new: int | None = None,
    ) -> None:
        self._encoder = encoder
        self._known = known or {}
        self._shelf = shelf
        self._left = most_new
        self._unread: set[bytes] = set()
        self.model_id = encoder.model_id
        self.used: dict[bytes, Read] = {}

    @property
    def left(self) -> int | None:
        """How many texts may still be newly read."""
        return self._left

    @property
    def unread(self) -> int:
        """How many texts have no vector because too many were new."""
        return len(self._unread)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 per text; zeros for texts without words or not read yet."""
        return unit(self.packed(texts))

    def packed(self, texts: Sequence[str]) -> Bytes:
        """The same in a byte a number, of any length."""
        self.learn(texts)
        return _rows(texts, lambda text: self.used.get(_key(text)))

    def passing(self, texts: Sequence[str]) -> Vectors:
        """The same for questions: all are read, none is kept."""
        return unit(_rows(texts, self._find))

    def learn(self, texts: Iterable[str]) -> None:
        """Have vectors of these texts: those known already, from the shelf, else by reading."""
        new: dict[bytes, str] = {}
        for text in filter(str.strip, texts):
            key = _key(text)
            if key in self._known:
                self.used[key] = self._known[key]
            elif key not in self.used and key not in new:
                new[key] = sentence(text)
        found = self._read({self._digest(words): words for words in new.values()})
        for key, words in new.items():
            digest = self._digest(words)
            if digest in found:
                self.used[key] = Read(digest, found[digest])
                self._unread.discard(key)
            else:
                self._unread.add(key)

    def _read(self, texts: Mapping[bytes, str]) -> Mapping[bytes, Bytes]:
        """Vectors by digest, from the shelf or by reading as many texts as may still be read."""
        there = self._shelf.find(self.model_id, texts) if self._shelf else {}
        missing = [digest for digest in texts if digest not in there]
        fresh = {
            digest: packed(self._encoder.encode([texts[digest]]))[0]
            for digest in missing[: self._left]
        }
        if self._left is not None:
            self._left -= len(fresh)
        if self._shelf and fresh:
            self._shelf.keep(self.model_id, fresh)
        return {**there, **fresh}

    def _find(self, text: str) -> Read:
        key = _key(text)
        found = self.used.get(key, self._known.get(key))
        if found is None:
            words = sentence(text)
            found = Read(self._digest(words), packed(self._encoder.encode([words]))[0])
        return found

    def _digest(self, words: str) -> bytes:
        """Of the redacted words: whatever redacting learns to take out is read anew."""
        return _key(f"{self.model_id}\n{words}")


def _rows(texts: Sequence[str], read: Callable[[str], Read | None]) -> Bytes:
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.int8)
    for row, text in enumerate(texts):
        if text.strip() and (one := read(text)):
            found[row] = one.vector
    return found


def unit(packed: Bytes) -> Vectors:
    """Vectors of length 1 out of bytes; zeros stay zeros."""
    vectors = packed.astype(np.float32)
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors / lengths, dtype=np.float32)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class Space:
    """How nearness is measured in this market, learned from works and their owners."""

    def __init__(self, vectors: Vectors, owners: Ints | None = None) -> None:
        there = vectors.any(axis=1)
        count = int(there.sum())
        centre = vectors[there].mean(axis=0) if count else np.zeros(DIMENSIONS)
        self._centre = centre * (count / (count + WORKS_TO_CENTRE))
        self._bend = np.eye(DIMENSIONS)
        if owners is not None:
            self._bend = _bend(vectors[there].astype(np.float64), owners[there])

    @classmethod
    def learned(cls, vectors: Bytes, owners: Ints) -> "Space":
        """From all works, or from an even sample of the people of very many."""
        if len(vectors) > MOST_TO_LEARN:
            every = -(-len(vectors) // MOST_TO_LEARN)
            some = np.flatnonzero(owners % every == 0)
            vectors, owners = vectors[some], owners[some]
        return cls(unit(vectors), owners)

    @classmethod
    def opened(cls, arrays: Arrays) -> "Space":
        """What `arrays()` gave."""
        made = cls.__new__(cls)
        made._centre, made._bend = arrays["centre"], arrays["bend"]
        return made

    def arrays(self) -> Arrays:
        """Everything there is to keep."""
        return {"centre": self._centre, "bend": self._bend}

    def place(self, vectors: Vectors) -> Vectors:
        """The vectors as seen in this space, of length 1; zeros stay zeros."""
        bent = (vectors - self._centre) @ self._bend
        bent[~vectors.any(axis=1)] = 0
        lengths = np.maximum(np.linalg.norm(bent, axis=1, keepdims=True), 1e-9)
        return np.asarray(bent / lengths, dtype=np.float32)


def _bend(vectors: Floats, owners: Ints) -> Floats:
    """The inverse root of the spread inside the works of a person, kept stiff."""
    _, group, sizes = np.unique(owners, return_inverse=True, return_counts=True)
    several = sizes[group] > 1
    degrees = int(several.sum() - (sizes > 1).sum())
    if degrees < 1:
        return np.eye(DIMENSIONS)
    means = np.zeros((len(sizes), DIMENSIONS))
    np.add.at(means, group, vectors)
    means /= sizes[:, np.newaxis]
    apart = (vectors - means[group])[several]
    spread = apart.T @ apart
    spread *= DIMENSIONS / max(float(np.trace(spread)), 1e-9)
    spread *= degrees / (degrees + WORKS_TO_LEARN)
    return np.linalg.cholesky(np.linalg.inv(spread + STIFFNESS * np.eye(DIMENSIONS)))


@dataclass(frozen=True, slots=True)
class _Packed:
    """Vectors in a byte a number, each with its own scale."""

    bytes: Bytes
    tops: Vectors

    def near(self, vector: Vectors) -> Vectors:
        """How near each of them is to one vector: 1 the same, 0 unrelated or opposite."""
        found = np.empty(len(self.bytes), dtype=np.float32)
        room = np.empty((CHUNK, self.bytes.shape[1]), dtype=np.float32)
        for start in range(0, len(found), CHUNK):
            part = self.bytes[start : start + CHUNK]
            unpacked = room[: len(part)]
            np.copyto(unpacked, part)
            np.dot(unpacked, vector, out=found[start : start + len(part)])
        return np.asarray(np.maximum(found * self.tops, 0), dtype=np.float32)

    def some(self, rows: Ints) -> "_Packed":
        return _Packed(self.bytes[rows], self.tops[rows])


class Meanings:
    """Placed vectors in a quarter of the memory, ready to be compared with others.

    Very many are looked at twice: all of them coarsely, the nearest as they are.
    """

    def __init__(self, placed: Vectors | None = None) -> None:
        self._parts: tuple[_Packed, ...] = ()
        self._axes: Vectors | None = None
        self._coarse: _Packed | None = None
        if placed is not None:
            self._parts = (_Packed(packed(placed), _tops(placed)),)

    @classmethod
    def of(cls, vectors: Bytes, space: Space) -> "Meanings":
        """Vectors as they were read, placed in a space bit by bit."""
        made = cls()
        found = np.zeros((len(vectors), DIMENSIONS), dtype=np.int8)
        tops = np.zeros(len(vectors), dtype=np.float32)
        for start in range(0, len(vectors), PLACED_AT_ONCE):
            span = slice(start, start + PLACED_AT_ONCE)
            placed = space.place(unit(vectors[span]))
            found[span], tops[span] = packed(placed), _tops(placed)
        made._parts = (_Packed(found, tops),)
        if len(vectors) > COARSE_FROM:
            made._look_coarsely()
        return made

    @classmethod
    def opened(cls, arrays: Arrays) -> "Meanings":
        """What `arrays()` gave."""
        made = cls()
        made._parts = (_Packed(arrays["bytes"], arrays["tops"]),)
        if len(arrays["axes"]):
            made._axes = arrays["axes"]
            made._coarse = _Packed(arrays["coarse"], arrays["coarse_tops"])
        return made

    def arrays(self) -> Arrays:
        """Everything there is to keep; what followed is not among it."""
        nothing = np.zeros((0, MAIN_DIRECTIONS), dtype=np.float32)
        coarse = self._coarse or _Packed(nothing.astype(np.int8), nothing[:, 0])
        return {
            "bytes": self._parts[0].bytes,
            "tops": self._parts[0].tops,
            "axes": nothing if self._axes is None else self._axes,
            "coarse": coarse.bytes,
            "coarse_tops": coarse.tops,
        }

    def followed_by(self, other: "Meanings") -> "Meanings":
        """The same with further vectors after them."""
        made = Meanings()
        made._parts = (*self._parts, *other._parts)
        made._axes, made._coarse = self._axes, self._coarse
        return made

    def near(self, vector: Vectors) -> Vectors:
        """How near each of them is to one vector: 1 the same, 0 unrelated or opposite.

        Of very many, only the nearest have a number; the others have 0.
        """
        first, *more = self._parts
        found = self._nearest(first, vector) if self._coarse else first.near(vector)
        return np.concatenate([found, *(part.near(vector) for part in more)]) if more else found

    @property
    def looks_twice(self) -> bool:
        """Whether `near` has no number for some."""
        return self._coarse is not None

    def exactly(self, vector: Vectors) -> Vectors:
        """The same with a number for all of very many."""
        return np.concatenate([part.near(vector) for part in self._parts])

    def near_of(self, rows: Ints, vector: Vectors) -> Vectors:
        """The same for some of them."""
        found = np.zeros(len(rows), dtype=np.float32)
        start = 0
        for part in self._parts:
            here = (rows >= start) & (rows < start + len(part.tops))
            found[here] = part.some(rows[here] - start).near(vector)
            start += len(part.tops)
        return found

    def _nearest(self, first: _Packed, vector: Vectors) -> Vectors:
        assert self._coarse is not None  # noqa: S101 - only asked where both are there
        assert self._axes is not None  # noqa: S101
        looks = self._coarse.near((vector @ self._axes).astype(np.float32))
        rows = contenders(looks, LOOKED_AT)
        found = np.zeros(len(looks), dtype=np.float32)
        found[rows] = first.some(rows).near(vector)
        return found

    def _look_coarsely(self) -> None:
        """Learn the main directions, and keep what lies in them beside the whole."""
        (whole,) = self._parts
        every = -(-len(whole.tops) // MOST_TO_LEARN)
        some = whole.bytes[::every].astype(np.float32) * whole.tops[::every, np.newaxis]
        _, axes = np.linalg.eigh(some.T @ some)
        self._axes = np.ascontiguousarray(axes[:, -MAIN_DIRECTIONS:], dtype=np.float32)
        found = np.zeros((len(whole.tops), MAIN_DIRECTIONS), dtype=np.int8)
        tops = np.zeros(len(whole.tops), dtype=np.float32)
        for start in range(0, len(tops), PLACED_AT_ONCE):
            span = slice(start, start + PLACED_AT_ONCE)
            seen = (whole.bytes[span].astype(np.float32) @ self._axes) * whole.tops[
                span, np.newaxis
            ]
            found[span], tops[span] = packed(seen), _tops(seen)
        self._coarse = _Packed(found, tops)


def _tops(vectors: Vectors) -> Vectors:
    return np.asarray(np.abs(vectors).max(axis=1, initial=0) / 127, dtype=np.float32)


def packed(vectors: Vectors) -> Bytes:
    """Vectors in eight bits a number, each with its own scale."""
    tops = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0), 1e-9)
    return np.asarray(np.rint(vectors / tops * 127), dtype=np.int8)
