"""A party's ledger and paper as files."""

import json
from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.tables import Cell, csv_text
from payments.models import Invoice
from payments.selectors.spending import Total
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


def invoices_csv(invoices: Sequence[Invoice]) -> str:
    """Every document with its VAT, for a spreadsheet; credit notes count against the others."""
    head = [
        _("Number"),
        _("Date"),
        _("What"),
        _("From"),
        _("VAT id of the seller"),
        _("To"),
        _("VAT id of the buyer"),
        _("For"),
        _("Purchase order"),
        _("Corrects"),
        _("Currency"),
        _("Net"),
        _("VAT rate in %"),
        _("VAT"),
        _("Total"),
        _("Kind of VAT"),
    ]
    return csv_text(head, [_invoice_row(invoice) for invoice in invoices])


def _invoice_row(invoice: Invoice) -> list[Cell]:
    document = invoice.document
    back = invoice.corrects is not None
    net, tax, total = (
        (-amount if back else amount).decimal
        for amount in (invoice.net, invoice.tax, invoice.total)
    )
    return [
        invoice.number,
        document["issued_on"],
        str(invoice.get_kind_display()),
        document["seller"]["name"],
        document["seller"]["vat_id"],
        document["buyer"]["name"],
        document["buyer"]["vat_id"],
        document["line"]["text"],
        document.get("order", ""),
        invoice.corrects.number if invoice.corrects else "",
        invoice.currency,
        net,
        Decimal(invoice.tax_rate_bps).scaleb(-2),
        tax,
        total,
        str(invoice.get_tax_kind_display()),
    ]


def spending_csv(by: str, totals: Sequence[Total]) -> str:
    """What was spent, for a spreadsheet."""
    named = {"order": _("Purchase order"), "contract": _("Contract"), "month": _("Month")}
    head = [
        named[by],
        _("Currency"),
        _("Payments"),
        _("Paid"),
        _("Came back"),
        _("Spent"),
        _("Of it our fee"),
    ]
    rows = [
        (
            one.key,
            one.currency,
            one.payments,
            one.paid.decimal,
            one.back.decimal,
            one.spent.decimal,
            one.fees.decimal,
        )
        for one in totals
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
