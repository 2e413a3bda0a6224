"""The audit log: who did what, in the same transaction as the act, sealed into a chain."""

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction

from marketplace.core import clock
from marketplace.core.models import AuditRow, AuditSeal

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

GENESIS = "0" * 64
# Two sealers at once would fork the chain; the second waits for the first.
SEALER_LOCK = 727_001


def record(
    by: "AbstractBaseUser | None", action: str, subject: models.Model, **facts: Any
) -> AuditRow:
    """Note that `by` did `action` (like "milestone.approved") to `subject`.

    `by=None` is the platform acting by rule; then `facts` should name the rule. Facts are ids,
    amounts and codes, never names or texts of people.
    """
    return AuditRow.objects.create(
        at=clock.now(),
        actor_id=None if by is None else by.pk,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        facts=facts,
    )


@transaction.atomic
def seal() -> AuditSeal | None:
    """Chain every committed, unsealed row; returns the new link, or None if there was nothing.

    Rows are taken by transaction id below the oldest transaction still running, so a row that
    commits late is sealed by a later link instead of being skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        below = int(cursor.fetchone()[0])
    last = AuditSeal.objects.order_by("-id").first()
    rows = list(_rows(last.below_xid if last else 0, below))
    if not rows:
        return None
    previous = last.digest if last else GENESIS
    return AuditSeal.objects.create(
        sealed_at=clock.now(),
        first_row=rows[0].pk,
        last_row=rows[-1].pk,
        rows=len(rows),
        below_xid=below,
        previous=previous,
        digest=_digest(previous, rows),
    )


def verify() -> tuple[int, int, list[str]]:
    """Recompute the chain: (links, rows, problems). No problem means nothing sealed was touched."""
    problems: list[str] = []
    previous, floor, links, total = GENESIS, 0, 0, 0
    for link in AuditSeal.objects.order_by("id").iterator(chunk_size=500):
        rows = list(_rows(floor, link.below_xid))
        if link.previous != previous:
            problems.append(f"seal {link.pk}: does not follow the link before it")
        if len(rows) != link.rows:
            problems.append(f"seal {link.pk}: {link.rows} rows were sealed, {len(rows)} are there")
        elif _digest(link.previous, rows) != link.digest:
            problems.append(
                f"seal {link.pk}: a row between {link.first_row} and {link.last_row} was changed"
            )
        previous, floor, links, total = link.digest, link.below_xid, links + 1, total + len(rows)
    return links, total, problems


def _rows(from_xid: int, below_xid: int) -> "models.QuerySet[AuditRow]":
    return AuditRow.objects.extra(
        where=["xid >= %s::xid8", "xid < %s::xid8"], params=[str(from_xid), str(below_xid)]
    ).order_by("id")


def _digest(previous: str, rows: Iterable[AuditRow]) -> str:
    chain = hashlib.sha256(previous.encode())
    for row in rows:
        fields = [
            row.pk,
            row.at.isoformat(),
            row.actor_id,
            row.action,
            row.subject_type,
            row.subject_id,
            row.facts,
        ]
        chain.update(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
    return chain.hexdigest()
