"""Sealing the log of rankings into the audit chain."""

import datetime as dt

from django.db import transaction

from marketplace.core import audit, clock
from marketplace.core.models import AuditRow
from matching.models import MatchRun
from matching.selectors import log

# A ranking gets its number before it is committed; after so long it is there or never will be.
SETTLED = dt.timedelta(hours=1)
# Rankings under one seal: whoever checks one of them reads them all.
MOST = 250


@transaction.atomic
def seal_rankings() -> AuditRow | None:
    """Write digests of the next settled rankings into the audit log, or None if there are none.

    Two at once write the same digests twice, which is harmless.
    """
    rows = MatchRun.objects.filter(pk__gt=log.last_sealed()).order_by("pk")
    # A seal covers every number from its first to its last, so it ends before who may be missing.
    young = rows.filter(at__gte=clock.now() - SETTLED).values_list("pk", flat=True).first()
    runs = list((rows.filter(pk__lt=young) if young else rows)[:MOST])
    if not runs:
        return None
    return audit.record(
        None,
        log.SEALED,
        runs[-1],
        rule="matching.seal_rankings",
        first=runs[0].pk,
        last=runs[-1].pk,
        rankings=[log.sealed(run) for run in runs],
    )
