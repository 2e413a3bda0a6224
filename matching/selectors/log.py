"""The log of rankings: whether one can be made again, and whether it is as it was sealed."""

import datetime as dt
import hashlib
import json
from itertools import zip_longest
from typing import Any

from django.db.models import QuerySet

from marketplace.core import clock
from marketplace.core.models import AuditRow
from matching.engine import record
from matching.models import MatchRun

SEALED = "rankings.sealed"
# Nothing in the log goes before it is so old; a person may have the rest of theirs deleted.
LOG_STAYS = dt.timedelta(days=184)


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


def competitors(run: MatchRun) -> int:
    """How many could have got a place in it; 0 where nobody wrote that down."""
    return len(run.record["candidates"]) if run.record else 0


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
    """Whether the rankings of a seal are what they were; the audit chain holds the seal itself.

    Old ones may be gone: they are forgotten in time, and their people may have them deleted.
    """
    rows = MatchRun.objects.filter(pk__gte=seal.facts["first"], pk__lte=seal.facts["last"])
    missing = {pk: (at, sha256) for pk, at, sha256 in seal.facts["rankings"]}
    for run in rows.order_by("pk").iterator(chunk_size=100):
        if missing.pop(run.pk, None) != (run.at.isoformat(), digest_of(run)):
            return False
    forgotten = clock.now() - LOG_STAYS
    return all(dt.datetime.fromisoformat(at) < forgotten for at, _sha256 in missing.values())


def sealed(run: MatchRun) -> list[Any]:
    """A ranking as its seal has it: which one, of when, and the digest of all it says."""
    return [run.pk, run.at.isoformat(), digest_of(run)]


def digest_of(run: MatchRun) -> str:
    """The SHA-256 of all a ranking says."""
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
        run.wishes,
    ]
    said = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _seals() -> QuerySet[AuditRow]:
    return AuditRow.objects.filter(subject_type=MatchRun._meta.label_lower, action=SEALED)
