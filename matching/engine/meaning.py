"""Nearness of meaning: vectors of texts, bent so that works of one person lie together.

Two jobs that share no word can be the same kind of work. How this market tells kinds of work
apart is learned from who did what: directions in which the works of one person differ count
less. Everybody's past work teaches it, which is what helps a newcomer with one work.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from matching.engine.bm25 import Floats, Ints
from matching.engine.encoder import DIMENSIONS, Encoder, Vectors
from matching.engine.text import sentence

Bytes = npt.NDArray[np.int8]

# The encoder was trained on English; a text marked as another language is read as words alone.
SERVED = frozenset({"", "en"})
# With few works the space stays as it is; each of these counts like so many works.
WORKS_TO_LEARN = 100
WORKS_TO_CENTRE = 50
STIFFNESS = 3.0
# As many vectors as are unpacked from bytes at a time: they stay in the cache of a core.
CHUNK = 512


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
    def unread(self) -> int:
        """How many texts have no vector because too many were new."""
        return len(self._unread)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 per text; zeros for texts without words or not read yet."""
        self.learn(texts)
        return _rows(texts, lambda text: self.used.get(_key(text)))

    def passing(self, texts: Sequence[str]) -> Vectors:
        """The same for questions: all are read, none is kept."""
        return _rows(texts, self._find)

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


def _rows(texts: Sequence[str], read: Callable[[str], Read | None]) -> Vectors:
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in enumerate(texts):
        if text.strip() and (one := read(text)):
            found[row] = one.vector
    lengths = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return np.asarray(found / lengths, dtype=np.float32)


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


class Meanings:
    """Placed vectors in a quarter of the memory, ready to be compared with others."""

    def __init__(self, placed: Vectors) -> None:
        self._tops = np.abs(placed).max(axis=1, initial=0) / 127
        self._packed = packed(placed)

    def near(self, placed: Vectors) -> Floats:
        """How near each of them is to one vector: 1 the same, 0 unrelated or opposite."""
        found = np.empty(len(self._packed), dtype=np.float32)
        room = np.empty((CHUNK, DIMENSIONS), dtype=np.float32)
        for start in range(0, len(found), CHUNK):
            part = self._packed[start : start + CHUNK]
            unpacked = room[: len(part)]
            np.copyto(unpacked, part)
            np.dot(unpacked, placed, out=found[start : start + len(part)])
        return np.asarray(np.maximum(found * self._tops, 0), dtype=np.float64)


def packed(vectors: Vectors) -> Bytes:
    """Vectors in eight bits a number, each with its own scale."""
    tops = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0), 1e-9)
    return np.asarray(np.rint(vectors / tops * 127), dtype=np.int8)
