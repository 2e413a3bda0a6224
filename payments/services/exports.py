"""A party's ledger as a file."""

import json
from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.tables import csv_text
from payments.selectors.statements import Line


def ledger_csv(lines: Sequence[Line]) -> str:
    """For a spreadsheet: amounts are numbers, texts of people are never formulas."""
    head = [
        _("Number"),
        _("Time (UTC)"),
        _("What happened"),
        _("Account"),
        _("Work"),
        _("Payment"),
        _("Currency"),
        _("Amount"),
        _("With us afterwards"),
    ]
    rows = [
        (
            line.number,
            line.at.isoformat(timespec="seconds"),
            line.kind_text,
            line.place_text,
            line.about,
            line.payment,
            line.currency,
            line.amount.decimal,
            line.running.decimal,
        )
        for line in lines
    ]
    return csv_text(head, rows)


def ledger_json(party: Party, lines: Sequence[Line]) -> str:
    """For programs: canonical amounts as text, whose digits no reader rounds."""
    return json.dumps(
        {
            "party": {"ref": party.ref, "name": party.name},
            "made_at": clock.now().isoformat(timespec="seconds"),
            "entries": [
                {
                    "number": line.number,
                    "at": line.at.isoformat(),
                    "kind": line.kind,
                    "account": line.place,
                    "amount": line.amount.decimal_text,
                    "running": line.running.decimal_text,
                    "currency": line.currency,
                    "payment": line.payment,
                    "about": line.about,
                }
                for line in lines
            ],
        },
        ensure_ascii=False,
        indent=1,
    )
