"""Audits of the matcher: kept so that everybody can read the last one, and answered when red."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.core import audit
from marketplace.core.errors import DomainError
from matching import model_services
from matching.models import BiasAudit, MatchModel
from matching.selectors import audits, registry


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


def go_back(red: BiasAudit) -> MatchModel:
    """Put the weights before those of a red audit back to use; returns them.

    Only where the weights are the difference: the audit is of the active ones alone, and the same
    audit of those before was not red. Raises DomainError with why not.
    """
    now = registry.active()
    if now is None or red.about.get("weights") != now.version:
        raise DomainError(_("It is not of the active weights alone."))
    if now.replaced:
        earlier = audits.newest_of(now.replaced, like=red)
        if earlier is None:
            raise DomainError(_("The weights before were never judged in the same way."))
        if earlier.verdict == BiasAudit.Verdict.RED:
            raise DomainError(_("The weights before were red too."))
    metrics = sorted({row["metric"] for row in red.findings if row["verdict"] == "red"})
    why = _("Audit %(number)d is red: %(metrics)s.") % {
        "number": red.pk,
        "metrics": ", ".join(metrics),
    }
    return model_services.roll_back(why=why, of=now.pk)
