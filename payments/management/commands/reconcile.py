"""Compare our books with Stripe's."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.core import clock
from payments import gateway
from payments.services import reconciliation


class Command(BaseCommand):
    help = "Match every movement of our Stripe balance with the ledger; non-zero on a difference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="only the last days, without the balance")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        since = clock.now() - dt.timedelta(days=days) if days else None
        try:
            report = reconciliation.reconcile(since=since)
        except gateway.Unavailable as error:
            raise CommandError(f"Stripe is away: {error}") from error
        self.stdout.write(f"{report.movements:>9}  movements at Stripe")
        self.stdout.write(f"{report.sources:>9}  charges, transfers, refunds and payouts in them")
        self.stdout.write(f"{report.caught_up:>9}  of these were new to the books")
        self.stdout.write(f"{len(report.under_way):>9}  under way")
        for line in report.under_way:
            self.stdout.write(f"           {line}")
        self.stdout.write(f"{len(report.explained):>9}  explained by a person")
        for line in report.explained:
            self.stdout.write(f"           {line}")
        for currency, (there, here) in report.balances.items():
            self.stdout.write(f"  balance  {there} {currency} at Stripe, {here} in the books")
        for line in report.differences:
            self.stderr.write(f"           {line}")
        if report.differences:
            raise CommandError(f"{len(report.differences)} differences.")
        self.stdout.write("reconcile: nothing differs")
