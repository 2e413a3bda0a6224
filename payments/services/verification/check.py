"""What a check is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One rule: what is counted, and a query for the rows that break it, one line of text each."""

    title: str
    table: str
    broken: str
