"""A statement on paper and as a table."""

import json
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import countries
from accounts.models import Party
from marketplace.core import clock
from marketplace.core.display import money_text
from marketplace.core.tables import csv_text
from payments.selectors.periods import Section, Statement, Sums
from payments.services.paper import Unprintable

TEMPLATE = Path(__file__).resolve().parent.parent / "paper" / "statement.typ"


def pdf(statement: Statement) -> bytes:
    """The statement on A4, in the reader's language.

    Of a period that is over the same bytes each time, as long as the party keeps its name and
    address. Raises Unprintable for a character without a glyph.
    """
    try:
        made = typst.compile(
            TEMPLATE,
            sys_inputs={"document": json.dumps(_document(statement))},
            # Fonts of the machine would make the bytes differ from machine to machine.
            ignore_system_fonts=True,
            pdf_standards="a-3a",
        )
    except typst.TypstError as error:
        raise Unprintable from error
    return bytes(made)


def csv(statement: Statement) -> str:
    """One row per payment; amounts are numbers, texts of people are never formulas."""
    head = [
        _("Day (UTC)"),
        _("What"),
        _("Work"),
        _("Other side"),
        _("Currency"),
        _("Amount"),
        _("Fee"),
        _("Total"),
    ]
    kinds = [(_("Earned"), statement.earned), (_("Paid in"), statement.paid_in)]
    rows = [
        (
            work.on.isoformat(),
            kind,
            work.about,
            work.other_side,
            work.amount.currency,
            work.amount.decimal,
            work.fee.decimal,
            work.total.decimal,
        )
        for kind, sections in kinds
        for section in sections
        for work in section.works
    ]
    return csv_text(head, rows)


def _document(statement: Statement) -> dict[str, Any]:
    period = statement.period
    last = min(clock.now(), period.ends_at).date()
    notes = [_("Made from the entries of the ledger. Days are those of UTC.")]
    if not period.is_over:
        notes.insert(0, _("The period is not over: this is how it stands today."))
    return {
        "title": _("Statement"),
        "period": period.text,
        "language": (get_language() or settings.LANGUAGE_CODE).split("-")[0],
        "operator": settings.SITE_NAME,
        "as_of": last.isoformat(),
        "party": _party(statement.party),
        "words": {"vat_id": _("VAT id")},
        "notes": notes,
        "sums": [_sums(sums) for sums in statement.sums],
        "lists": [
            *(_list(_("Earned"), _("You receive"), section) for section in statement.earned),
            *(_list(_("Paid in"), _("You paid"), section) for section in statement.paid_in),
        ],
    }


def _sums(sums: Sums) -> dict[str, Any]:
    return {
        "title": _("Money with us, %(currency)s") % {"currency": sums.currency},
        "rows": [
            [_("At the beginning"), money_text(sums.opening)],
            *([move.kind_text, money_text(move.amount)] for move in sums.moves),
        ],
        "last": [_("At the end"), money_text(sums.closing)],
    }


def _list(title: str, total: str, section: Section) -> dict[str, Any]:
    return {
        "title": f"{title}, {section.total.currency}",
        "head": [_("Day"), _("Work"), _("Amount"), _("Fee"), total],
        "rows": [
            {
                "on": work.on.isoformat(),
                "about": work.about,
                "other_side": work.other_side,
                "amount": money_text(work.amount),
                "fee": money_text(work.fee),
                "total": money_text(work.total),
            }
            for work in section.works
        ],
        "last": [
            _("Sum"),
            money_text(section.amount),
            money_text(section.fee),
            money_text(section.total),
        ],
    }


def _party(party: Party) -> dict[str, Any]:
    lines = [*party.address.splitlines(), countries.name_of(party.country)]
    return {
        "name": party.legal_name or party.name,
        "address": [line for line in lines if line.strip()],
        "vat_id": party.vat_id,
    }
