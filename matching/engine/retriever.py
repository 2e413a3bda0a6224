"""What may stand behind a list of people: the matcher of this process, a search, or an engine."""

from collections.abc import Collection
from typing import Protocol

from matching.engine.documents import Need, Ranked


class Retriever(Protocol):
    """Finds people for a project.

    `engine` goes into the log of every ranking. It ends with `models.FOR_NOW` where the list
    has to be made again as soon as something better answers.
    """

    @property
    def engine(self) -> str:
        """Name and version of what answers."""

    @property
    def considered(self) -> int:
        """How many people could have been found."""

    def people_for(
        self, need: Need, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k people who fit a project best, with reasons that add up to their scores.

        Neither its client nor anybody of `exclude` is among them. The same question about the
        same people has the same answer.
        """
