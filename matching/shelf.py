"""Vectors of texts in PostgreSQL, so that no worker reads again what another one has read."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from marketplace.core import clock
from matching.engine.meaning import Bytes
from matching.models import TextVector

if TYPE_CHECKING:
    from django.db.models import QuerySet

# So many rows a statement.
AT_ONCE = 1000
# A vector in use is written to once in so many days, not at every question.
USED_AGAIN = dt.timedelta(days=7)


class Shelf:
    """Where a `Reader` looks before it reads a text, and puts what it has read."""

    def find(self, model: str, digests: Collection[bytes]) -> Mapping[bytes, Bytes]:
        """The vectors that lie here, by digest."""
        found: dict[bytes, Bytes] = {}
        for rows in _rows(model, digests):
            found.update(
                (bytes(digest), np.frombuffer(vector, dtype=np.int8))
                for digest, vector in rows.values_list("digest", "vector")
            )
        return found

    def keep(self, model: str, vectors: Mapping[bytes, Bytes]) -> None:
        """Put vectors here. Two workers may bring the same one: it is the same vector."""
        today = clock.now().date()
        TextVector.objects.bulk_create(
            [
                TextVector(digest=digest, model=model, vector=vector.tobytes(), used_on=today)
                for digest, vector in vectors.items()
            ],
            batch_size=AT_ONCE,
            ignore_conflicts=True,
        )

    def still_used(self, model: str, digests: Collection[bytes]) -> None:
        """Forget none of these for now."""
        today = clock.now().date()
        for rows in _rows(model, digests):
            rows.filter(used_on__lt=today - USED_AGAIN).update(used_on=today)


def _rows(model: str, digests: Collection[bytes]) -> "Iterator[QuerySet[TextVector]]":
    wanted = list(digests)
    for start in range(0, len(wanted), AT_ONCE):
        yield TextVector.objects.filter(digest__in=wanted[start : start + AT_ONCE], model=model)
