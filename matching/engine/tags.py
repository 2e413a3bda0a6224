"""Skills a posting will want, learned from what clients chose for postings like it.

Two steps. First, postings are compared: by words, by pieces of words and (where there is an
encoder) by meaning, a posting is likened to those before it, and what their clients chose speaks
for each skill in three ways (`_first`). Then a logistic model weighs these voices with how common
the skill is and how near its name is to the text (`_second`). All of it is trained on the
installation's own postings and never shipped; with too few of them, names are looked for instead.
"""

import io
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from matching.engine.extract import CanEncode, Floats, spelled
from matching.engine.labels import Label
from matching.engine.tfidf import Analyzer, Tfidf, pieces, words_and_pairs

# A text says early what it is about; the rest costs time and adds little.
LONGEST = 1200
# A term of a single posting teaches nothing; of the others this many of each kind are kept.
FOUND_IN = 2
MOST_TERMS = 20_000
KINDS: tuple[Analyzer, ...] = (words_and_pairs, pieces)
# How strongly the two regressions are held back, and how sharply likeness counts in the second.
RIDGE = 4.0
RIDGE_SHARP = 0.5
SHARPNESS = 2.0
NEIGHBOURS = 50
# So many skills per text are weighed in the second step, and how strongly that is held back.
WEIGHED = 40
FREEDOM = 0.3
# Parts the first step is learned in, so that the second learns from honest scores.
PARTS = 4


@dataclass(frozen=True)
class Texts:
    """Postings as vectors: sparse by words and by pieces, and by meaning (no columns: none)."""

    sparse: tuple[Any, ...]
    meanings: Floats

    def rows(self, places: Any) -> "Texts":
        """Only these postings."""
        return Texts(tuple(each[places] for each in self.sparse), self.meanings[places])

    def likeness(self, others: "Texts") -> Floats:
        """How alike each of these is to each of the others, between 0 and 1."""
        alike = self.meanings @ others.meanings.T
        for mine, theirs in zip(self.sparse, others.sparse, strict=True):
            alike += (mine @ theirs.T).toarray()
        kinds = len(self.sparse) + bool(self.meanings.shape[1])
        return np.asarray(alike / kinds, dtype=np.float32)


@dataclass(frozen=True)
class First:
    """The first step: what earlier postings and their clients' choices say."""

    texts: Texts
    chosen: Any
    base: Floats
    even: Floats
    sharp: Floats

    @classmethod
    def of(cls, texts: Texts, chosen: Any) -> "First":
        """Learn from postings and a sparse row of choices for each."""
        wanted = chosen.toarray()
        base = wanted.mean(axis=0)
        alike = texts.likeness(texts)
        kinds = len(texts.sparse) + bool(texts.meanings.shape[1])
        return cls(
            texts,
            chosen,
            base,
            _solved(alike * kinds, wanted - base, RIDGE),
            _solved(_sharpened(alike), wanted - base, RIDGE_SHARP),
        )

    def views(self, texts: Texts) -> list[Floats]:
        """Three rows of scores per text, and how common each skill is."""
        alike = texts.likeness(self.texts)
        kinds = len(texts.sparse) + bool(texts.meanings.shape[1])
        even = alike * kinds @ self.even + self.base
        sharp = _sharpened(alike) @ self.sharp + self.base
        near = np.zeros_like(even)
        count = min(NEIGHBOURS, alike.shape[1])
        for row, values in enumerate(alike):
            places = np.argpartition(-values, count - 1)[:count]
            weights = values[places] ** 3
            near[row] = weights @ self.chosen[places] / max(float(weights.sum()), 1e-9)
        common = np.broadcast_to(np.log(self.base + 1e-4), even.shape)
        return [even, sharp, near, common]


@dataclass(frozen=True)
class TagModel:
    """What was learned. `labels` are the skills that were ever chosen, a column each."""

    labels: tuple[Label, ...]
    terms: tuple[Tfidf, ...]
    first: First
    mean: Floats
    scale: Floats
    weights: Floats
    bias: float

    @property
    def needs_encoder(self) -> bool:
        """Whether it was taught with meanings and can only answer with them."""
        return bool(self.first.texts.meanings.shape[1])

    @cached_property
    def names(self) -> "Names":
        """The skills' own names, to be looked for in texts."""
        return Names(self.labels)

    def scores(self, texts: Sequence[str], encoder: CanEncode | None) -> Floats:
        """A row per text, a column per label: how likely its client would choose the skill.

        Of a text the 40 likeliest are weighed; the others are 0.
        """
        using = encoder if self.needs_encoder else None
        vectors = _vectors(texts, self.terms, using)
        views = [*self.first.views(vectors), *self.names.views(texts, using)]
        places, table = _table(views)
        logits = (table - self.mean) / self.scale @ self.weights + self.bias
        found = np.zeros(views[0].shape, np.float32)
        np.put_along_axis(found, places, (1 / (1 + np.exp(-logits))).reshape(places.shape), 1)
        return found

    def saved(self) -> bytes:
        """Everything as a compressed npz file of plain numbers and strings."""
        kept: dict[str, Any] = {
            "ids": np.asarray([label.id for label in self.labels], dtype=np.str_),
            "spellings": np.asarray(["\n".join(label.spellings) for label in self.labels], np.str_),
            "meanings": self.first.texts.meanings.astype(np.float16),
            "even": self.first.even.astype(np.float16),
            "sharp": self.first.sharp.astype(np.float16),
            "base": self.first.base,
            "second": np.stack([self.mean, self.scale, self.weights]),
            "bias": np.asarray(self.bias),
        }
        matrices = {"chosen": self.first.chosen}
        for at, (terms, vectors) in enumerate(
            zip(self.terms, self.first.texts.sparse, strict=True)
        ):
            kept[f"terms{at}"] = np.asarray(terms.terms, dtype=np.str_)
            kept[f"idf{at}"] = terms.idf
            matrices[f"vectors{at}"] = vectors
        for name, matrix in matrices.items():
            kept |= {
                f"{name}_data": matrix.data.astype(np.float16),
                f"{name}_columns": matrix.indices.astype(np.int32),
                f"{name}_starts": matrix.indptr.astype(np.int32),
            }
        file = io.BytesIO()
        np.savez_compressed(file, **kept)
        return file.getvalue()


def loaded(saved: bytes) -> TagModel:
    """The model that `saved()` wrote. Nothing in such a file is ever executed."""
    with np.load(io.BytesIO(saved), allow_pickle=False) as kept:
        terms = tuple(
            Tfidf(analyze, kept[f"terms{at}"].tolist(), kept[f"idf{at}"])
            for at, analyze in enumerate(KINDS)
        )
        ids, spellings = kept["ids"].tolist(), kept["spellings"].tolist()
        vectors = [_matrix(kept, f"vectors{at}", len(each.terms)) for at, each in enumerate(terms)]
        mean, scale, weights = kept["second"]
        return TagModel(
            labels=tuple(
                Label(pk, tuple(text.split("\n"))) for pk, text in zip(ids, spellings, strict=True)
            ),
            terms=terms,
            first=First(
                Texts(tuple(vectors), kept["meanings"].astype(np.float32)),
                _matrix(kept, "chosen", len(ids)),
                kept["base"],
                kept["even"].astype(np.float32),
                kept["sharp"].astype(np.float32),
            ),
            mean=mean,
            scale=scale,
            weights=weights,
            bias=float(kept["bias"]),
        )


def _matrix(kept: Any, name: str, columns: int) -> Any:
    data, indices, starts = (kept[f"{name}_{part}"] for part in ("data", "columns", "starts"))
    shape = (len(starts) - 1, columns)
    return sparse.csr_matrix((data.astype(np.float32), indices, starts), shape=shape)


# --- Learning -------------------------------------------------------------------------------


@dataclass
class Lessons:
    """Postings with what their clients chose, read once and learned from in several ways."""

    texts: Sequence[str]
    chosen: Sequence[Collection[str]]
    labels: Sequence[Label]
    encoder: CanEncode | None
    meanings: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Cut the texts and encode them once."""
        self.texts = [text[:LONGEST] for text in self.texts]
        self.meanings = _meanings(self.texts, self.encoder)

    def learn(self, places: Sequence[int] | None = None) -> TagModel:
        """What these postings teach; all of them unless places are given."""
        # sklearn is dear to import and only learning needs it.
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

        at = list(range(len(self.texts)) if places is None else places)
        texts = [self.texts[place] for place in at]
        often = Counter(tag for place in at for tag in set(self.chosen[place]))
        labels = tuple(label for label in self.labels if often[label.id])
        chosen = _choices([self.chosen[place] for place in at], labels)
        terms = tuple(Tfidf.of(kind, texts, found_in=FOUND_IN, most=MOST_TERMS) for kind in KINDS)
        vectors = Texts(tuple(each.vectors(texts) for each in terms), self.meanings[at])
        views = [np.zeros(chosen.shape, np.float32) for _ in range(4)]
        turn = np.random.default_rng(1).permutation(len(at)) % PARTS
        for part in range(PARTS):
            seen, new = np.flatnonzero(turn != part), np.flatnonzero(turn == part)
            first = First.of(vectors.rows(seen), chosen[seen])
            for whole, found in zip(views, first.views(vectors.rows(new)), strict=True):
                whole[new] = found
        given = _Given(self.meanings[at]) if self.encoder else None
        names = Names(labels).views(texts, self.encoder, given=given)
        places_, table = _table([*views, *names])
        hits = np.take_along_axis(chosen.toarray(), places_, 1).ravel()
        scaler = StandardScaler().fit(table)
        model = LogisticRegression(C=FREEDOM, max_iter=500).fit(scaler.transform(table), hits)
        return TagModel(
            labels=labels,
            terms=terms,
            first=First.of(vectors, chosen),
            mean=np.asarray(scaler.mean_),
            scale=np.asarray(scaler.scale_),
            weights=np.asarray(model.coef_[0]),
            bias=float(model.intercept_[0]),
        )

    def scores_of(self, model: TagModel, places: Sequence[int]) -> Floats:
        """The model's scores of some of these postings, a column for each of `self.labels`."""
        column = {label.id: at for at, label in enumerate(self.labels)}
        columns = [column[label.id] for label in model.labels]
        scores = np.zeros((len(places), len(self.labels)), np.float32)
        texts = [self.texts[place] for place in places]
        scores[:, columns] = model.scores(texts, self.encoder)
        return scores


def cross_fitted(lessons: Lessons, *, folds: int) -> Floats:
    """Scores of every posting by a model that never saw it."""
    scores = np.zeros((len(lessons.texts), len(lessons.labels)), np.float32)
    turn = np.random.default_rng(0).permutation(len(lessons.texts)) % folds
    for fold in range(folds):
        new = np.flatnonzero(turn == fold).tolist()
        model = lessons.learn(np.flatnonzero(turn != fold).tolist())
        scores[new] = lessons.scores_of(model, new)
    return scores


def quality(lessons: Lessons) -> tuple[float, float]:
    """(nDCG@10 of what is learned, of looking for names) on the newest fifth, which is first.

    Learned from the older ones only, as it will be in use.
    """
    newest = list(range(max(1, len(lessons.texts) // 5)))
    model = lessons.learn(range(len(newest), len(lessons.texts)))
    truth = _choices([lessons.chosen[place] for place in newest], lessons.labels).toarray()
    learned = lessons.scores_of(model, newest)
    named = by_name(lessons.labels, [lessons.texts[place] for place in newest], lessons.encoder)
    some = np.flatnonzero(truth.sum(axis=1))
    if not len(some):
        return 0.0, 0.0
    return (
        float(np.mean([ndcg(learned[row], truth[row]) for row in some])),
        float(np.mean([ndcg(named[row], truth[row]) for row in some])),
    )


def ndcg(scores: Any, right: Any) -> float:
    """nDCG@10 of one row of scores; `right` is 1 where the client chose the skill."""
    discounts = 1 / np.log2(np.arange(2, 12))
    first = right[np.argsort(-scores, kind="stable")[:10]]
    ideal = np.sort(right)[::-1][:10]
    return float(first @ discounts[: len(first)] / (ideal @ discounts[: len(ideal)]))


def _choices(chosen: Sequence[Collection[str]], labels: Sequence[Label]) -> Any:
    column = {label.id: at for at, label in enumerate(labels)}
    rows = [[column[tag] for tag in sorted(set(some)) if tag in column] for some in chosen]
    starts = np.cumsum([0, *map(len, rows)])
    columns = [at for row in rows for at in row]
    data = np.ones(len(columns), np.float32)
    return sparse.csr_matrix((data, columns, starts), shape=(len(rows), len(labels)))


def _solved(alike: Floats, wanted: Floats, ridge: float) -> Floats:
    """Ridge regression between texts, as exact as between terms and much smaller."""
    held = alike + ridge * np.eye(len(alike), dtype=np.float32)
    return np.asarray(np.linalg.solve(held, wanted), dtype=np.float32)


def _sharpened(alike: Floats) -> Floats:
    sharpened: Floats = np.exp(SHARPNESS * (alike - 1))
    return sharpened


def _vectors(texts: Sequence[str], terms: Sequence[Tfidf], encoder: CanEncode | None) -> Texts:
    cut = [text[:LONGEST] for text in texts]
    return Texts(tuple(each.vectors(cut) for each in terms), _meanings(cut, encoder))


def _meanings(texts: Sequence[str], encoder: CanEncode | None) -> Floats:
    if encoder is None or not texts:
        return np.zeros((len(texts), 0), np.float32)
    return encoder.encode(texts)


# --- Names ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Given:
    """Vectors of texts that were encoded before, in order."""

    vectors: Floats

    def encode(self, _texts: Sequence[str]) -> Floats:
        """All of them."""
        return self.vectors


class Names:
    """The spellings of labels, ready to be looked for in texts."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._spellings = spelled(labels)
        self._starts = np.cumsum([0, *(len(label.spellings) for label in labels)])[:-1]
        self._terms = [Tfidf.of(kind, self._spellings) for kind in KINDS]
        self._rows = [terms.vectors(self._spellings) for terms in self._terms]
        self._meanings: Floats | None = None

    def views(
        self, texts: Sequence[str], encoder: CanEncode | None, *, given: _Given | None = None
    ) -> list[Floats]:
        """Per kind a row of nearness per text: of the best spelling of each label."""
        near = [
            (terms.vectors(texts) @ rows.T).toarray()
            for terms, rows in zip(self._terms, self._rows, strict=True)
        ]
        if encoder is not None:
            if self._meanings is None:
                self._meanings = encoder.encode(self._spellings)
            near.append((given or encoder).encode(texts) @ self._meanings.T)
        return [np.maximum.reduceat(each, self._starts, axis=1) for each in near]


def by_name(labels: Sequence[Label], texts: Sequence[str], encoder: CanEncode | None) -> Floats:
    """How near each text is to the best spelling of each label: what works without learning."""
    scores: Floats = np.sum(Names(labels).views(texts, encoder), axis=0)
    return scores


# --- The second step ------------------------------------------------------------------------


def _table(views: Sequence[Floats]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Per text the columns that are weighed, and a row of features for each of them.

    The first four views are those of the first step, the others are nearness to names.
    """
    count = min(WEIGHED, views[0].shape[1])
    places = np.argsort(-views[0], axis=1, kind="stable")[:, :count]
    even, sharp, near, common, *names = (np.take_along_axis(view, places, axis=1) for view in views)
    voices = (even, sharp, near)
    best = np.broadcast_to(even.max(axis=1, keepdims=True), even.shape)
    five = np.sort(even, axis=1)[:, -5:].mean(axis=1, keepdims=True)
    columns = [
        *voices,
        common,
        *names,
        *(np.log(np.clip(voice, 0.003, 2)) for voice in voices),
        *(np.sqrt(np.clip(voice, 0, 2)) for voice in voices),
        *(1 / (1 + _ranks(voice)) for voice in voices),
        names[0] * common,
        even * common,
        near * common,
        even / np.maximum(best, 1e-3),
        even / np.maximum(five, 1e-3),
        best,
        even * best,
    ]
    return places, np.stack([column.ravel() for column in columns], axis=1)


def _ranks(values: Floats) -> npt.NDArray[np.int64]:
    return np.argsort(np.argsort(-values, axis=1, kind="stable"), axis=1, kind="stable")
