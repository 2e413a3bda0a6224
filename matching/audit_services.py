"""Audits of the matcher, kept so that everybody can read the last one."""

import hashlib
import json
from typing import Any

from django.db import transaction

from marketplace.core import audit
from matching.models import BiasAudit


@transaction.atomic
def keep_audit(told: dict[str, Any], *, source: BiasAudit.Source, engine: str) -> BiasAudit:
    """Keep an audit as `report.as_json` tells it. Its digest goes into the sealed audit log."""
    figures = {"about": told["about"], "findings": told["findings"]}
    row = BiasAudit.objects.create(
        source=source,
        engine=engine,
        verdict=told["verdict"],
        sha256=hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest(),
        **figures,
    )
    audit.record(None, "matcher.audited", row, verdict=row.verdict, sha256=row.sha256)
    return row
