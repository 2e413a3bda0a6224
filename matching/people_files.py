"""Everybody in files that the workers of a machine share, and what changed since they were built.

A market that is too big to be read anew at every change is read once a night, by one process,
into files (`engine.files`). Each worker maps them into its memory and keeps beside them, in its
own, the few people who have changed since. Loads numpy, like `memory`.
"""

import datetime as dt
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from marketplace.core import clock
from matching.engine import files
from matching.engine.documents import PersonDoc
from matching.engine.encoder import load_encoder
from matching.engine.files import FilesUnusable
from matching.engine.meaning import Reader
from matching.engine.people import Gathered, People, PersonRead, read_person
from matching.engine.rank import Matcher
from matching.engine.weights import VERSION
from matching.models import FOR_NOW
from matching.selectors import documents
from matching.shelf import Shelf

logger = logging.getLogger(__name__)

# What is written: files of another form, or by an engine that reads texts otherwise, are of no use.
FORM = f"people-1 {VERSION}"
AT_ONCE = 1000
# Texts nobody has read yet that building files reads, a few minutes' worth; the next ones go on.
READ_AT_ONCE = 20_000
# Before this share of all texts is read, meaning counts for nobody.
WHOLE = 0.99
# Files are built every night, and in between when they are this old, when the encoder has more
# to read (after that while), or when so many people have changed.
OLDEST = dt.timedelta(hours=26)
READ_ON = dt.timedelta(minutes=10)
MOST_CHANGED = 5_000
# Up to so many who changed are put behind the rest anew at every look.
MOST_UNSETTLED = 200
# Sweeps look for changes again after so many times what looking for them took.
PATIENCE = 5


@dataclass(frozen=True)
class Base:
    """The files that are open here: what they are, who is in them and from when."""

    state: str
    people: People
    as_of: dt.datetime
    # Behind the name of the engine: how many texts were read, where that is not all.
    note: str


@dataclass(frozen=True)
class Now:
    """Those files with everybody who changed since.

    Most of those who changed are `settled`: put behind the files once. Only the others are put
    behind them at every look.
    """

    base: Base
    changed: dict[int, dt.datetime]
    read: dict[int, PersonRead]
    settled: dict[int, dt.datetime]
    people: People
    matcher: Matcher
    day: dt.date
    as_of: dt.datetime
    looked_at: float
    took: float

    @property
    def is_fresh(self) -> bool:
        """Whether the last look was so short a while ago that another one can wait."""
        age = time.monotonic() - self.looked_at
        return age < PATIENCE * self.took and self.day == _today()


_now: Now | None = None
# Outlives the files, like the vectors of `memory`.
_vectors: Reader | None = None


def folder() -> Path:
    """Where the files are: in the data folder of this machine."""
    return Path(settings.DATA_DIR) / "matching" / "people"


def forget() -> None:
    """What starting a worker anew does."""
    global _now, _vectors
    _now, _vectors = None, None


def distrust() -> None:
    """Have other files built: these are not what was written."""
    if files.facts_of(folder()).get("form") == FORM:
        files.discard(folder())


# --- Building -------------------------------------------------------------------------------


def keep() -> bool:
    """Build the files if it is time; True when they were built."""
    return is_due() and build()


def is_due() -> bool:
    """Whether the market is big and the files are missing, of another kind, or old."""
    if not documents.is_big():
        return False
    facts = files.facts_of(folder())
    encoder = load_encoder()
    if facts.get("form") != FORM or facts.get("model") != (encoder.model_id if encoder else ""):
        return True
    as_of = dt.datetime.fromisoformat(facts["as_of"])
    age = clock.now() - as_of
    if age > OLDEST or (facts["unread"] and age > READ_ON):
        return True
    return len(documents.changed_since(as_of)) > MOST_CHANGED


def build() -> bool:
    """Read everybody and write the files; False when another process is at it.

    What changes meanwhile is newer than the files say they are, so it is looked up later.
    """
    with files.only_builder(folder()) as is_ours:
        if not is_ours:
            return False
        as_of = clock.now() - documents.OPEN
        gathered, reading = Gathered(cards=True), _Reading()
        for some in _everybody():
            gathered.add([read_person(person) for person in some], reading.next())
        people = People.of(gathered, reading.whole())
        facts = {
            "form": FORM,
            "as_of": as_of.isoformat(),
            "people": len(people.ids),
            "model": reading.model_id,
            "read": reading.read,
            "unread": reading.unread,
        }
        files.write(folder(), people.arrays(), facts)
        logger.info("The matcher's files were built: %s", facts)
    return True


def _everybody() -> Iterator[list[PersonDoc]]:
    """Everybody who may be suggested, some at a time, in the order of their ids as text."""
    ids = sorted(map(str, documents.party_ids()))
    for start in range(0, len(ids), AT_ONCE):
        found = documents.people_among(map(int, ids[start : start + AT_ONCE]))
        yield sorted(found, key=lambda person: person.id)


class _Reading:
    """A reader for some people at a time: what a big market reads does not fit into one."""

    def __init__(self) -> None:
        self._encoder, self._shelf = load_encoder(), Shelf()
        self._left: int | None = READ_AT_ONCE
        self._reader: Reader | None = None
        self.model_id = self._encoder.model_id if self._encoder else ""
        self.read = self.unread = 0

    def next(self) -> Reader | None:
        """For the next people, after the counts of those before."""
        self._count()
        if self._encoder:
            self._reader = Reader(self._encoder, shelf=self._shelf, most_new=self._left)
        return self._reader

    def whole(self) -> Reader | None:
        """Nothing where too many texts are still unread."""
        self._count()
        read = self._reader
        self._reader = None
        return read if self.read >= WHOLE * (self.read + self.unread) else None

    def _count(self) -> None:
        if self._reader:
            self._shelf.still_used(
                self.model_id, {each.digest for each in self._reader.used.values()}
            )
            self.read += len(self._reader.used)
            self.unread += self._reader.unread
            self._left = self._reader.left


# --- Answering ------------------------------------------------------------------------------


def now(*, patient: bool = False) -> Now:
    """A matcher over the files and everything that changed since; raises FilesUnusable.

    Who is `patient` may get what was looked up a moment ago.
    """
    global _now  # noqa: PLW0603
    state = files.current(folder())
    there = _now
    if there is None or there.base.state != state:
        _now = _look(_open(), None)
    elif not (patient and there.is_fresh):
        _now = _look(there.base, there)
    assert _now is not None  # noqa: S101 - set a line above
    return _now


def _open() -> Base:
    """The files that count, every byte checked; a reader may meet the moment they change."""
    last: FilesUnusable | None = None
    for _ in range(2):
        state = files.current(folder())
        try:
            arrays, facts = files.open_current(folder(), form=FORM)
        except FilesUnusable as error:
            last = error
            if files.current(folder()) == state:
                break
            continue
        read = _reader()
        people = People.opened(arrays, read if read and read.model_id == facts["model"] else None)
        known, texts = facts["read"], facts["read"] + facts["unread"]
        note = f" ({known} of {texts}{FOR_NOW}" if known < WHOLE * texts else ""
        return Base(state, people, dt.datetime.fromisoformat(facts["as_of"]), note)
    raise last or FilesUnusable("The files change all the time.")


def _look(base: Base, before: Now | None) -> Now:
    """Take in what changed since the last look, or since the files were built."""
    started, as_of, day = time.monotonic(), clock.now() - documents.OPEN, _today()
    changed = documents.changed_since(base.as_of)
    if before is None or before.base is not base:
        matcher = Matcher((), (), at=day, indexed=base.people, note=base.note)
        before = Now(base, {}, {}, {}, base.people, matcher, day, as_of, started, 0.0)
    matcher, settled, people, read = before.matcher, before.settled, before.people, before.read
    if changed != before.changed or day != before.day:
        late = [p for p, at in changed.items() if before.changed.get(p) != at]
        fresh = {int(each.id): read_person(each) for each in documents.people_among(late)}
        read = {p: known for p, known in read.items() if p not in late} | fresh
        new = [p for p, at in changed.items() if settled.get(p) != at]
        if len(new) > MOST_UNSETTLED + len(settled) // 10:
            people, settled = _followed(base.people, list(changed), read), changed
            new = []
        seen = _followed(people, new, read) if new else people
        matcher = Matcher((), (), at=day, indexed=seen, note=base.note)
    took = time.monotonic() - started
    return Now(base, changed, read, settled, people, matcher, day, as_of, started, took)


def _followed(people: People, changed: list[int], read: dict[int, PersonRead]) -> People:
    there = [read[party] for party in changed if party in read]
    return people.changed(there, [str(party) for party in changed], _reader())


def _reader() -> Reader | None:
    global _vectors  # noqa: PLW0603
    encoder = load_encoder()
    if encoder is None:
        return None
    known = _vectors.used if _vectors else None
    _vectors = Reader(encoder, known=known, shelf=Shelf(), most_new=AT_ONCE)
    return _vectors


def _today() -> dt.date:
    return clock.now().date()
