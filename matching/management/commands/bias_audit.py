"""Audit the matcher: on the lists people were shown, and on a market whose truth is known."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.core import clock
from matching.audit_services import keep_audit
from matching.models import BiasAudit

WINDOW = dt.timedelta(days=30)


class Command(BaseCommand):
    """`manage.py bias_audit [--from DAY --to DAY --out DIR --searches N]`; exit code 1 on red."""

    help = (
        "Judge the matcher by M1 to M15 on a simulated market, and on the logged lists of a "
        "period where there are enough of them. Exits with 1 when anything is red."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="since", type=dt.date.fromisoformat)
        parser.add_argument("--to", dest="until", type=dt.date.fromisoformat)
        parser.add_argument("--out", type=Path, help="write CSV, HTML, JSON and SHA256SUMS there")
        parser.add_argument("--people", type=int, default=400, help="of the simulated market")
        parser.add_argument("--searches", type=int, default=3000, help="of the simulated market")

    def handle(self, *args: Any, **options: Any) -> None:
        # The engine loads numpy and scipy, which listing the commands should not.
        from matching.audit import benchmark, live, report  # noqa: PLC0415
        from matching.audit.season import Size  # noqa: PLC0415
        from matching.engine.weights import VERSION  # noqa: PLC0415
        from matching.selectors.logged import ENOUGH_LISTS, ENOUGH_PEOPLE, logged  # noqa: PLC0415

        until = options["until"] or clock.now().date()
        since = options["since"] or until - WINDOW
        if since > until:
            raise CommandError("--from is after --to. Give the earlier day first.")
        audits = []
        lists = logged(since, until)
        if lists.is_enough:
            audits.append(("logged lists", live.audit(lists, since=since, until=until)))
        else:
            self.stdout.write(
                f"{len(lists.lists)} logged lists from {since} to {until}: too few to judge "
                f"({ENOUGH_LISTS} lists of {ENOUGH_PEOPLE} people are needed). "
                "The simulated market is judged alone."
            )
        size = Size(people=options["people"], searches=options["searches"])
        audits.append(("simulated market", benchmark.audit(size=size)))
        for (_, audit), told in zip(audits, report.as_json(audits), strict=True):
            source = "lists" if "lists" in audit.about else "market"
            keep_audit(told, source=BiasAudit.Source(source), engine=f"{VERSION}, words only")
        self._tell(report.as_json(audits))
        if options["out"]:
            for name, digest in report.write(audits, options["out"]).items():
                self.stdout.write(f"{digest}  {name}")
        if any(audit.reds for _, audit in audits):
            raise CommandError("Red: the figures above stop a release.", returncode=1)

    def _tell(self, audits: list[dict[str, Any]]) -> None:
        for told in audits:
            self.stdout.write(f"\n{told['source']}: {told['verdict']}")
            for each in told["findings"]:
                value = "-" if each["value"] is None else f"{each['value']:.4f}"
                note = f" ({each['note']})" if each["note"] else ""
                line = (
                    f"  {each['verdict']:10} {each['metric']:4} {value:>8}  {each['about']}{note}"
                )
                self.stdout.write(line)
