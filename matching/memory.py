"""The matchers of this worker process, built from the database and kept until it changes.

Loads numpy and scipy, so only what runs in a worker or a command imports it.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from marketplace.core import clock
from matching import by_search, people_files
from matching.by_search import Ready
from matching.engine import index
from matching.engine.documents import Need, PersonDoc
from matching.engine.encoder import load_encoder
from matching.engine.files import FilesUnusable
from matching.engine.meaning import SERVED, Reader
from matching.engine.rank import Matcher, build_index
from matching.models import FOR_NOW
from matching.selectors import documents, registry
from matching.shelf import Shelf

logger = logging.getLogger(__name__)

# A change no stamp shows (an edited text) is seen after this many seconds at the latest.
OLDEST = 60.0
# Building takes a while in a big market; it may use one part in this many of the time.
PATIENCE = 5
# Texts nobody has read yet that one build reads; about ten seconds.
READ_AT_ONCE = 1500
# Meaning counts for everybody or for nobody: before this share of all texts is read, whoever
# comes late in the list of texts would stand behind whoever comes early.
WHOLE = 0.99


@dataclass(frozen=True)
class Built(Ready):
    """One that was built from the database by this process, and when that was worth while.

    Its matcher also finds projects for a person.
    """

    matcher: Matcher
    stamp: documents.Stamp
    built_at: float
    took: float

    def weighing(self, model: registry.Deployed) -> "Built":
        """The same with the weights that are active now; they are no part of what is built."""
        if model == self.model:
            return self
        return replace(self, matcher=self.matcher.weighing(model.weights), model=model)

    def is_good(self, stamp: documents.Stamp) -> bool:
        """Whether it may answer the next question, too."""
        age = time.monotonic() - self.built_at
        if self.took > 1 and age < PATIENCE * self.took:
            return True
        return stamp == self.stamp and age < OLDEST


_kept: dict[str, Built] = {}
# Outlives the matchers, so that a change costs reading what changed.
_vectors: dict[str, Reader] = {}
# The day on which the vectors in use were last reported to the shelf.
_reported: dict[str, dt.date] = {}


def people_matcher(*, patient: bool = False) -> Ready:
    """Everybody who may be suggested, ready to be ranked for a project.

    In a big market out of files; while there are none to be trusted, a search answers.
    """
    if not documents.is_big():
        return _fresh("people", documents.people_stamp, _build_people)
    try:
        there = people_files.now(patient=patient)
    except FilesUnusable as error:
        logger.warning("People are found by search only: %s", error)
        people_files.distrust()
        return by_search.ready()
    model = registry.deployed()
    matcher = there.matcher.weighing(model.weights)
    return Ready(matcher, model, matcher.engine, there.as_of)


def needs_matcher() -> Built:
    """Every open project, ready to be ranked for a person."""
    return _fresh("needs", documents.needs_stamp, _build_needs)


def people_reader() -> Reader | None:
    """A reader for a few people that knows what the matcher of all has read."""
    return _reader(_vectors.get("people")) if people_matcher().matcher.reads else None


def forget_needs() -> None:
    """A project was edited: read all of them again at the next question."""
    _kept.pop("needs", None)


def _fresh(
    name: str,
    stamp: Callable[[], documents.Stamp],
    build: Callable[[Reader | None], tuple[Matcher, str]],
) -> Built:
    as_of = clock.now() - documents.OPEN
    model = registry.deployed()
    now_there = stamp()
    kept = _kept.get(name)
    if kept is None or not kept.is_good(now_there):
        started = time.monotonic()
        read = _reader(_vectors.get(name))
        matcher, engine = build(read)
        if read:
            _vectors[name] = read
            _report(name, read)
        now = time.monotonic()
        matcher = matcher.weighing(model.weights)
        kept = Built(matcher, model, engine, as_of, now_there, now, now - started)
    kept = _kept[name] = kept.weighing(model)
    return kept


def _reader(before: Reader | None) -> Reader | None:
    """A reader that knows what the one before used; None where there is no encoder."""
    encoder = load_encoder()
    known = before.used if before else None
    if encoder is None:
        return None
    return Reader(encoder, known=known, shelf=Shelf(), most_new=READ_AT_ONCE)


def _report(name: str, read: Reader) -> None:
    """Once a day, say which vectors are in use: the others are forgotten one day."""
    today = clock.now().date()
    if _reported.get(name) != today:
        Shelf().still_used(read.model_id, {each.digest for each in read.used.values()})
        _reported[name] = today


def _build_people(read: Reader | None) -> tuple[Matcher, str]:
    people = documents.people()
    return _built(people, (), read=read, texts=people_texts(people))


def _build_needs(read: Reader | None) -> tuple[Matcher, str]:
    needs = documents.needs()
    return _built((), needs, read=read, texts=needs_texts(needs))


def _built(
    people: Sequence[PersonDoc],
    needs: Sequence[Need],
    *,
    read: Reader | None,
    texts: Iterator[str],
) -> tuple[Matcher, str]:
    """The matcher, with meaning only where (nearly) all texts are read; and its engine."""
    at = clock.now().date()
    if read:
        read.learn(texts)
        count = len(read.used) + read.unread
        if len(read.used) < WHOLE * count:
            matcher = build_index(people, needs, at=at)
            return matcher, f"{matcher.engine} ({len(read.used)} of {count}{FOR_NOW}"
    matcher = build_index(people, needs, at=at, read=read)
    return matcher, matcher.engine


def people_texts(people: Sequence[PersonDoc]) -> Iterator[str]:
    """Every text of people that a matcher compares by meaning."""
    for person in map(index.with_proof, people):
        works = index.latest(person.history)
        yield from map(index.work_text, works)
        if index.freshness(len(works)):
            yield index.own_text(person)


def needs_texts(needs: Sequence[Need]) -> Iterator[str]:
    """Every text of projects that a matcher compares by meaning."""
    for need in needs:
        if need.language in SERVED:
            yield index.need_text(need)
