"""What may stand behind a list of people: the matcher of this process, a search, or an engine."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from matching.engine.documents import Need, Ranked
from matching.engine.placing import Turn
from matching.engine.record import Ranking


class Retriever(Protocol):
    """Finds people for a project.

    `engine` goes into the log of every ranking. It ends with `models.FOR_NOW` where the list
    has to be made again as soon as something better answers.
    """

    @property
    def engine(self) -> str:
        """Name and version of what answers."""

    @property
    def weights(self) -> Mapping[str, float]:
        """What each feature weighs."""

    @property
    def reads(self) -> bool:
        """Whether meanings are compared."""

    @property
    def considered(self) -> int:
        """How many people could have been found."""

    def weighing(self, weights: Mapping[str, float]) -> "Retriever":
        """The same people, ranked with other weights."""

    def newcomers(self, among: Iterable[str]) -> frozenset[str]:
        """Those of these people who are new here."""

    def people_for(
        self, need: Need, k: int, *, exclude: Collection[str] = frozenset()
    ) -> list[Ranked]:
        """The k people of `ranking_of_people`, as if for the first time and without lots."""

    def ranking_of_people(
        self, need: Need, k: int, *, turn: Turn, exclude: Collection[str] = frozenset()
    ) -> Ranking:
        """The k people who fit a project best, with reasons that add up to their scores.

        In the places that `placing` gives them in this turn, with everything these are made
        from. Neither the project's client nor anybody of `exclude` competes for a place. The
        same question about the same people has the same answer.
        """
