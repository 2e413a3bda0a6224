"""Skills a text speaks of, found in its sentences and weighed by a small learned model.

For every sentence the spellings that may be meant are those nearest to it, or to a few words of
it, by words, by pieces of words and (where there is an encoder) by meaning. A logistic model with
a dozen weights, which ship as numbers in data/extract.json, says how likely each of them is.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from matching.engine.labels import Found, Label
from matching.engine.text import TOKEN
from matching.engine.tfidf import Tfidf, pieces, roots, words_and_pairs

Floats = npt.NDArray[np.float32]

WEIGHTS = Path(__file__).resolve().parent / "data" / "extract.json"
# Ends of sentences and lines; a long sentence is cut, because one vector says one thing.
SENTENCE = re.compile(r"(?<=\w[.!?;])\s+|[\n•]+")
MOST_WORDS = 40
# Of a text this many sentences are read: the longest description has fewer.
MOST_SENTENCES = 120
LONGEST_SPAN = 6
# So many spellings per sentence are weighed.
CANDIDATES = 80
# Reciprocal rank fusion, as in the literature.
FUSION = 60
# A spelling this near to some words of the text is said by them; otherwise by the sentence.
SAID = 0.35
# Where somebody took a name out: <ORGANIZATION>.
BLANK = re.compile(r"<[A-Z_]+>")
# What stands in brackets says which one is meant, not what people write: Java (language).
BRACKETS = re.compile(r"\s*\(.*?\)")


class CanEncode(Protocol):
    """Anything that makes vectors of texts, as `encoder.Encoder` does."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row of length 1 per text."""
        ...


@dataclass(frozen=True)
class Sentence:
    """A piece of the text and where it begins."""

    text: str
    start: int


class Weights:
    """The logistic model: one weight per named feature."""

    def __init__(self, numbers: Mapping[str, Any]) -> None:
        self.features: list[str] = list(numbers["features"])
        self.mean = np.asarray(numbers["mean"])
        self.scale = np.asarray(numbers["scale"])
        self.weights = np.asarray(numbers["weights"])
        self.bias = float(numbers["bias"])
        # From this likelihood on a skill is shown to the person who is asked.
        self.accept = float(numbers["accept"])

    def likely(self, rows: Mapping[str, Floats]) -> Floats:
        """The likelihood of each candidate."""
        table = np.column_stack([rows[name] for name in self.features])
        logits = (table - self.mean) / self.scale @ self.weights + self.bias
        chances: Floats = 1 / (1 + np.exp(-logits))
        return chances


@cache
def shipped_weights(*, with_encoder: bool) -> Weights:
    """The weights that come with this version."""
    numbers = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Weights(numbers["with_encoder" if with_encoder else "words_only"])


class SkillReader:
    """Finds skills in texts. Built once for a list of skills, then asked often."""

    def __init__(
        self,
        labels: Sequence[Label],
        encoder: CanEncode | None,
        *,
        vectors: Floats | None = None,
    ) -> None:
        """`vectors` are those of `spelled(labels)`, where somebody has kept them."""
        self.ids = [label.id for label in labels]
        spellings = spelled(labels)
        self._owner = np.asarray(
            [row for row, label in enumerate(labels) for _ in label.spellings], dtype=np.int64
        )
        self._encoder = encoder
        self._words = Tfidf.of(words_and_pairs, spellings)
        self._pieces = Tfidf.of(pieces, spellings)
        self._word_rows = self._words.vectors(spellings)
        self._piece_rows = self._pieces.vectors(spellings)
        self._meanings = vectors
        if encoder is not None and vectors is None:
            self._meanings = encoder.encode(spellings)
        self._roots = [roots(spelling) for spelling in spellings]
        self._lengths = np.asarray([len(found) for found in self._roots], dtype=np.float32)
        self._rarity = dict(zip(self._words.terms, self._words.idf.tolist(), strict=True))
        self._totals = np.asarray(
            [self._worth(set(found)) for found in self._roots], dtype=np.float32
        )

    def read(self, text: str, *, weights: Weights | None = None) -> list[Found]:
        """Every skill that is a candidate in some sentence, likeliest first.

        Whoever shows them to a person keeps those from `weights.accept` on.
        """
        if not len(self._owner):
            return []
        weights = weights or shipped_weights(with_encoder=self._encoder is not None)
        best: dict[int, Found] = {}
        for sentence in sentences(text):
            places, rows, said = self.candidates(sentence.text)
            for place, likely, (start, end) in zip(places, weights.likely(rows), said, strict=True):
                owner = int(self._owner[place])
                if owner not in best or likely > best[owner].likely:
                    begin = sentence.start + start
                    length = end - start
                    best[owner] = Found(self.ids[owner], float(likely), begin, begin + length)
        return sorted(best.values(), key=lambda found: (-found.likely, found.id))

    def candidates(
        self, sentence: str
    ) -> tuple[npt.NDArray[np.int64], dict[str, Floats], list[tuple[int, int]]]:
        """The spellings a sentence may mean: places, their features, and what says so."""
        # As long as before, so that places stay what they are.
        sentence = BLANK.sub(lambda blank: " " * len(blank[0]), sentence)
        spans = list(_spans(sentence))
        texts = [sentence, *(sentence[start:end] for start, end in spans)]
        by_words = np.asarray((self._word_rows @ self._words.vectors(texts).T).todense())
        by_pieces = np.asarray((self._piece_rows @ self._pieces.vectors(texts).T).todense())
        near: dict[str, Floats] = {
            "words": by_words[:, 0],
            "pieces": by_pieces[:, 0],
            "span_words": by_words.max(axis=1),
            "span_pieces": by_pieces.max(axis=1),
        }
        if self._encoder is not None and self._meanings is not None:
            near["meaning"] = self._meanings @ self._encoder.encode([sentence])[0]
        fused = sum(1 / (FUSION + _ranks(values)) for values in near.values())
        places = np.argsort(-np.asarray(fused), kind="stable")[:CANDIDATES]
        rows = {name: values[places] for name, values in near.items()}
        rows |= {f"{name}_here": _spread(values) for name, values in list(rows.items())}
        lengths = np.minimum(self._lengths[places], LONGEST_SPAN)
        covered = self._covered(places, set(roots(sentence)))
        rows["length"] = (lengths / LONGEST_SPAN).astype(np.float32)
        rows["one_word"] = (lengths == 1).astype(np.float32)
        rows["all_said"] = (covered >= 1 - 1e-6).astype(np.float32)
        rows["said"] = (covered**2 * np.minimum(lengths, 4)).astype(np.float32)
        nearness = by_words[places] + by_pieces[places]
        return places, rows, [_said(row, spans, len(sentence)) for row in nearness]

    def _covered(self, places: npt.NDArray[np.int64], here: set[str]) -> Floats:
        """The share of each spelling's words that the sentence has, rare ones counting more."""
        shared = [self._worth(here.intersection(self._roots[place])) for place in places]
        shares = np.asarray(shared, np.float32) / np.maximum(self._totals[places], 1e-9)
        return np.asarray(shares, np.float32)

    def _worth(self, words: set[str]) -> float:
        return float(sum(self._rarity.get(word, 0.0) for word in words))


def spelled(labels: Sequence[Label]) -> list[str]:
    """The spellings of all labels in order, as they are compared."""
    return [BRACKETS.sub("", spelling) for label in labels for spelling in label.spellings]


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences and lines of a text; a very long one comes in pieces."""
    start, given = 0, 0
    for part in [*SENTENCE.finditer(text), None]:
        end = part.start() if part else len(text)
        for begin, finish in _cut(text, start, end):
            if given == MOST_SENTENCES:
                return
            given += 1
            yield Sentence(text[begin:finish], begin)
        start = part.end() if part else end


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    words = list(TOKEN.finditer(text, start, end))
    for at in range(0, len(words), MOST_WORDS):
        some = words[at : at + MOST_WORDS]
        yield some[0].start(), some[-1].end()


def _spans(sentence: str) -> Iterator[tuple[int, int]]:
    """Where every one to six words in a row begin and end."""
    words = [(word.start(), word.end()) for word in TOKEN.finditer(sentence)]
    for size in range(1, LONGEST_SPAN + 1):
        for at in range(len(words) - size + 1):
            yield words[at][0], words[at + size - 1][1]


def _said(nearness: Floats, spans: Sequence[tuple[int, int]], length: int) -> tuple[int, int]:
    """The few words that come nearest, or the whole sentence when none comes near."""
    if not spans:
        return 0, length
    best = int(np.argmax(nearness[1:]))
    # Words and pieces are added, so both together go up to two.
    return spans[best] if nearness[1 + best] >= 2 * SAID else (0, length)


def _ranks(values: Floats) -> npt.NDArray[np.int64]:
    order = np.argsort(-values, kind="stable")
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(len(values))
    return ranks


def _spread(values: Floats) -> Floats:
    """Between 0 and 1 among the candidates of this sentence."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / max(high - low, 1e-9)
