"""The log of rankings: whether one can be made again, and whether it is as it was sealed."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from marketplace.core import clock
from marketplace.core.models import AuditRow
from matching.engine import record
from matching.models import MatchRun

SEALED = "rankings.sealed"


def ranking_to_replay(pk: int) -> MatchRun | None:
    """One row of the log, or None."""
    return MatchRun.objects.filter(pk=pk).first()


def differences(run: MatchRun) -> list[str]:
    """What comes out otherwise when a ranking is made again from its own record.

    Raises ValueError where it cannot be made again.
    """
    if run.record is None:
        raise ValueError("It was made before records were kept.")
    found = []
    if record.digest(run.record) != run.method:
        found.append("method: weights and policy are not those of its digest")
    again = record.replayed(run.record, seed=run.seed, count=len(run.results))
    for place, (logged, made) in enumerate(zip_longest(run.results, again), start=1):
        if logged != made:
            found.append(f"place {place}: logged {_row(logged)}, made again {_row(made)}")
    return found


def _row(row: list[Any] | None) -> str:
    if row is None:
        return "nobody"
    pk, before, _kept, after, flag, chance = row
    return f"{pk} ({before} → {after}, {flag}, chance {chance})"


# --- Seals ----------------------------------------------------------------------------------


def last_sealed() -> int:
    """Up to which ranking the log is sealed."""
    row = _seals().order_by("-subject_id").first()
    return row.subject_id if row else 0


def seal_of(run: MatchRun) -> AuditRow | None:
    """The audit row that seals a ranking, or None while there is none."""
    return _seals().filter(subject_id__gte=run.pk).order_by("subject_id").first()


def holds(seal: AuditRow) -> bool:
    """Whether the rankings of a seal are what they were; the audit chain holds the seal itself."""
    rows = MatchRun.objects.filter(pk__gte=seal.facts["first"], pk__lte=seal.facts["last"])
    return digest_of(rows.order_by("pk").iterator(chunk_size=100)) == (
        seal.facts["rows"],
        seal.facts["sha256"],
    )


def is_past(seal: AuditRow) -> bool:
    """Whether rankings of a seal may be forgotten by now, so that it cannot be checked."""
    return seal.at < clock.now() - dt.timedelta(days=settings.MATCH_RUN_DAYS)


def digest_of(runs: Iterable[MatchRun]) -> tuple[int, str]:
    """How many rankings these are, and one digest of all they say."""
    chain, count = hashlib.sha256(), 0
    for run in runs:
        fields = [
            run.pk,
            run.kind,
            run.project_id,
            run.party_id,
            run.why,
            run.engine,
            run.at.isoformat(),
            run.as_of.isoformat(),
            run.took_ms,
            run.considered,
            run.results,
            run.seed,
            run.record,
            run.method,
        ]
        said = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        chain.update(hashlib.sha256(said.encode()).digest())
        count += 1
    return count, chain.hexdigest()


def _seals() -> QuerySet[AuditRow]:
    return AuditRow.objects.filter(subject_type=MatchRun._meta.label_lower, action=SEALED)
