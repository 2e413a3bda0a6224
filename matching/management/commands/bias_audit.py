"""Audit the matcher: on the lists people were shown, and on a market whose truth is known."""

import dataclasses
import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.core import clock
from marketplace.core.errors import DomainError
from matching.audit_services import go_back, keep_audit
from matching.engine.weights import BadWeights
from matching.models import BiasAudit
from matching.selectors import registry

WINDOW = dt.timedelta(days=30)


class Command(BaseCommand):
    """`manage.py bias_audit [--from DAY --to DAY --out DIR --searches N]`; exit code 1 on red."""

    help = (
        "Judge the matcher with the active weights by M1 to M15 on a simulated market, and on the "
        "logged lists of a period where there are enough of them. Exits with 1 when anything is "
        "red, and goes back to the weights before where those were not. Audits of a market that is "
        "smaller than usual are not kept."
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
        from matching.audit.season import DAY, Size, weighing  # noqa: PLC0415
        from matching.engine.rank import build_index  # noqa: PLC0415
        from matching.selectors.logged import ENOUGH_LISTS, ENOUGH_PEOPLE, logged  # noqa: PLC0415

        until = options["until"] or clock.now().date()
        since = options["since"] or until - WINDOW
        if since > until:
            raise CommandError("--from is after --to. Give the earlier day first.")
        try:
            model = registry.deployed()
        except BadWeights as error:
            raise CommandError(
                f"Nothing ranks here, so there is nothing to audit. {error}"
            ) from error
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
        audit = benchmark.audit(weighing(model.weights), size=size)
        of = {
            "engine": build_index((), (), at=DAY).engine,
            "weights": model.version,
            "sha256": model.sha256,
        }
        audits.append(("simulated market", dataclasses.replace(audit, about={**audit.about, **of})))
        self._tell(report.as_json(audits))
        if options["out"]:
            for name, digest in report.write(audits, options["out"]).items():
                self.stdout.write(f"{digest}  {name}")
        usual = Size()
        if size.people < usual.people or size.searches < usual.searches:
            self.stdout.write("Not kept: the market was smaller than usual.")
        else:
            self._keep(report.as_json(audits))
        if any(audit.reds for _, audit in audits):
            raise CommandError("Red: the figures above stop a release.", returncode=1)

    def _keep(self, audits: list[dict[str, Any]]) -> None:
        """Keep these audits, and go back to the weights before where a red one asks for it."""
        for told in audits:
            source = BiasAudit.Source.LISTS if "lists" in told["about"] else BiasAudit.Source.MARKET
            kept = keep_audit(told, source=source, engine=told["about"]["engine"][:80])
            if kept.verdict == BiasAudit.Verdict.RED:
                try:
                    self.stdout.write(f"Back to the weights before: {go_back(kept).version}.")
                except DomainError as why:
                    self.stdout.write(f"The weights stay, {told['source']}: {why}")

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
