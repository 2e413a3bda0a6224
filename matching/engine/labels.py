"""What a reader of skills looks for, and what it finds. Plain Python."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """A skill to look for, under all its spellings."""

    id: str
    spellings: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A skill, how likely the text speaks of it, and the place in the text that says so."""

    id: str
    likely: float
    start: int
    end: int
