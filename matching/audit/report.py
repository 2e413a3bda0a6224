"""An audit as files: CSV tables, one page of HTML, JSON, and the SHA-256 of each of them."""

import csv
import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from matching.audit.benchmark import Audit
from matching.audit.metrics import GroupRow
from matching.audit.verdicts import NAMES

SUMS = "SHA256SUMS"


def write(audits: Sequence[tuple[str, Audit]], folder: Path) -> dict[str, str]:
    """Write the files of these audits into a folder; returns the SHA-256 by file name.

    SHA256SUMS is in the form that `sha256sum --check` reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "findings.csv": _csv(_findings(audits)),
        "groups.csv": _csv(_groups(audits)),
        "audit.json": json.dumps(as_json(audits), indent=1, sort_keys=True) + "\n",
        "audit.html": render_to_string("matching/audit.html", {"audits": _pages(audits)}),
    }
    sums = {}
    for name, text in files.items():
        content = text.encode()
        (folder / name).write_bytes(content)
        sums[name] = hashlib.sha256(content).hexdigest()
    lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
    (folder / SUMS).write_text("".join(lines), "utf-8")
    return sums


def as_json(audits: Sequence[tuple[str, Audit]]) -> list[dict[str, Any]]:
    """The whole of these audits; what has no value is null."""
    return [
        {
            "source": source,
            "verdict": audit.verdict.value,
            "about": dict(audit.about),
            "findings": [_plain(dataclasses.asdict(finding)) for finding in audit.findings],
            "groups": {
                name: [_plain(dataclasses.asdict(row)) for row in rows]
                for name, rows in audit.tables.items()
            },
        }
        for source, audit in audits
    ]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def _findings(audits: Sequence[tuple[str, Audit]]) -> Iterable[Sequence[object]]:
    yield "source", "metric", "name", "about", "value", "low95", "high95", "verdict", "note"
    for source, audit in audits:
        for each in audit.findings:
            values = map(_figure, (each.value, each.low, each.high))
            yield (
                source,
                each.metric,
                str(NAMES[each.metric]),
                each.about,
                *values,
                each.verdict.value,
                each.note,
            )


def _groups(audits: Sequence[tuple[str, Audit]]) -> Iterable[Sequence[object]]:
    """The table New York's Local Law 144 asks for, a line per category."""
    yield (
        "source", "metric", "category", "group", "people", "number", "rate", "impact_ratio",
        "low95", "high95", "p_holm", "judged",
    )  # fmt: skip
    for source, audit in audits:
        for name, rows in audit.tables.items():
            metric, category = name.split(" ", 1)
            for row in rows:
                figures = (row.number, row.rate, row.ratio, row.low, row.high, row.p)
                judged = "yes" if row.is_judged else "no"
                yield (
                    source,
                    metric,
                    category,
                    row.group,
                    row.people,
                    *map(_figure, figures),
                    judged,
                )


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _pages(audits: Sequence[tuple[str, Audit]]) -> list[dict[str, Any]]:
    return [
        {
            "source": source,
            "verdict": audit.verdict.value,
            "about": list(audit.about.items()),
            "findings": [
                {
                    "metric": each.metric,
                    "name": NAMES[each.metric],
                    "about": each.about,
                    "value": _shown(each.value),
                    "interval": _interval(each.low, each.high),
                    "verdict": each.verdict.value,
                    "note": each.note,
                }
                for each in audit.findings
            ],
            "tables": [
                {"name": name, "rows": [_row(row) for row in rows]}
                for name, rows in audit.tables.items()
            ],
        }
        for source, audit in audits
    ]


def _row(row: GroupRow) -> dict[str, object]:
    return {
        "group": row.group,
        "people": row.people,
        "number": _shown(row.number),
        "rate": _shown(row.rate),
        "ratio": _shown(row.ratio),
        "interval": _interval(row.low, row.high),
        "judged": row.is_judged,
    }


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"


def _interval(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return _("%(low)s to %(high)s") % {"low": _shown(low), "high": _shown(high)}
