"""What goes into the matcher and what comes out. The allow-list of inputs is these fields."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What a fit counts while one side has not said: neither for nor against.
UNKNOWN_FIT = 0.5


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One piece of finished work. It votes for its owner, less as it grows old.

    `weight` is 1 for work finished here and less for a sample the person entered themselves.
    An item that is not `public` counts, but its title is never shown as a reason. `client` tells
    works for one client from works for several; it is an id and compared with nothing else.
    `shown_as` is what people read where `title` had to lose a name.
    """

    title: str
    text: str = ""
    skills: tuple[str, ...] = ()
    date: dt.date | None = None
    weight: float = 1.0
    public: bool = True
    client: str = ""
    shown_as: str = ""

    @property
    def is_sample(self) -> bool:
        """Entered by its owner; nobody here has seen it done."""
        return self.weight < 1


@dataclass(frozen=True, slots=True)
class PersonDoc:
    """What the matcher may know about a freelancer.

    There is no name, place, photo, age, gender, nationality or payment here, so none of them
    can reach a score. `skills` pairs a skill with the number of works that show it; 0 means
    the person claims it and nothing shows it yet. `unused_works` counts finished works that
    are not in `history` because the person does not want them used: whoever has many is not new.
    """

    id: str
    title: str = ""
    bio: str = ""
    skills: tuple[tuple[str, int], ...] = ()
    history: tuple[HistoryItem, ...] = ()
    unused_works: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What the matcher may know about a project. `client` is the id that must not be ranked."""

    id: str
    title: str
    description: str = ""
    skills: tuple[str, ...] = ()
    posted_at: dt.date | None = None
    client: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One summand of a score with the facts behind it, or a gap, which adds nothing.

    `facts` is JSON; `explain.words()` turns it into a sentence in the reader's language.
    """

    kind: str
    contribution: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place in a ranking. The contributions of `reasons` add up to `score`."""

    id: str
    score: float
    features: Mapping[str, float]
    reasons: tuple[Reason, ...]
