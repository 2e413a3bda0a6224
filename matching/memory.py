"""The matchers of this worker process, built from the database and kept until it changes.

Loads numpy and scipy, so only what runs in a worker or a command imports it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from marketplace.core import clock
from matching.engine.encoder import load_encoder
from matching.engine.meaning import Reader
from matching.engine.rank import Matcher, build_index
from matching.selectors import documents

# A change no stamp shows (an edited text) is seen after this many seconds at the latest.
OLDEST = 60.0
# Building takes a while in a big market; it may use one part in this many of the time.
PATIENCE = 5
# Texts nobody has read yet that one build reads; about ten seconds. The rest are found by
# their words until the next build has read them.
READ_AT_ONCE = 1500


@dataclass(frozen=True)
class _Kept:
    matcher: Matcher
    stamp: documents.Stamp
    built_at: float
    took: float

    def is_good(self, stamp: documents.Stamp) -> bool:
        age = time.monotonic() - self.built_at
        if self.took > 1 and age < PATIENCE * self.took:
            return True
        return stamp == self.stamp and age < OLDEST


_kept: dict[str, _Kept] = {}
# Outlives the matchers, so that a change costs reading what changed.
_vectors: dict[str, Reader] = {}


def people_matcher() -> Matcher:
    """Everybody who may be suggested, ready to be ranked for a project."""
    return _fresh("people", documents.people_stamp(), _build_people)


def needs_matcher() -> Matcher:
    """Every open project, ready to be ranked for a person."""
    return _fresh("needs", documents.needs_stamp(), _build_needs)


def forget_needs() -> None:
    """A project was edited: read all of them again at the next question."""
    _kept.pop("needs", None)


def _fresh(name: str, stamp: documents.Stamp, build: Callable[[Reader | None], Matcher]) -> Matcher:
    kept = _kept.get(name)
    if kept is None or not kept.is_good(stamp):
        started = time.monotonic()
        read = _reader(_vectors.get(name))
        matcher = build(read)
        if read:
            _vectors[name] = read
        now = time.monotonic()
        kept = _kept[name] = _Kept(matcher, stamp, now, now - started)
    return kept.matcher


def _reader(before: Reader | None) -> Reader | None:
    """A reader that knows what the one before used; None where there is no encoder."""
    encoder = load_encoder()
    known = before.used if before else None
    return Reader(encoder, known=known, most_new=READ_AT_ONCE) if encoder else None


def _build_people(read: Reader | None) -> Matcher:
    return build_index(documents.people(), (), at=clock.now().date(), read=read)


def _build_needs(read: Reader | None) -> Matcher:
    return build_index((), documents.needs(), at=clock.now().date(), read=read)
