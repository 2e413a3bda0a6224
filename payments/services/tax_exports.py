"""Yearly reports for tax offices as files."""

import json
from decimal import Decimal
from typing import Any

from accounts.models import Party, User
from marketplace.core import audit
from marketplace.core.tables import Cell, csv_text
from payments.selectors import tax_reports
from payments.selectors.tax_reports import DAC7, Part, Seller

# Headings do not change with the reader's language: programs read them.
SELLER = [
    "seller", "kind", "name", "address", "country", "tax_country", "tax_number", "vat_id",
    "birth_date", "birth_place", "account", "currency", "forms", "missing",
]  # fmt: skip
PERIOD = ["period", "consideration", "fees", "payments"]
AMOUNTS = {"consideration", "fees"}


def csv_report(kind: str, year: int, *, by: User) -> str:
    """One row per payee, currency and period: quarters for DAC7, months for the American report."""
    rows = _rows(kind, year, by=by)
    return csv_text(
        [*SELLER, *PERIOD],
        [
            [*(_cell(row[name]) for name in SELLER), *(_number(period, name) for name in PERIOD)]
            for row in rows
            for period in row["periods"]
        ],
    )


def json_report(kind: str, year: int, *, by: User) -> str:
    """One object per payee and currency, with its periods; amounts as canonical text."""
    rows = _rows(kind, year, by=by)
    return json.dumps({"report": kind, "year": year, "sellers": rows}, ensure_ascii=False, indent=1)


def _rows(kind: str, year: int, *, by: User) -> list[dict[str, Any]]:
    """The report; who took it and how many it is about stays in the audit log."""
    sellers = tax_reports.sellers(kind, year)
    audit.record(by, "tax_report.exported", by, report=kind, year=year, sellers=len(sellers))
    return [_row(seller, kind, year) for seller in sellers]


def _row(seller: Seller, kind: str, year: int) -> dict[str, Any]:
    party, details = seller.party, seller.details
    parts, letter = (seller.quarters, "Q") if kind == DAC7 else (seller.months, "M")
    return {
        "seller": party.ref,
        "kind": party.kind,
        "name": party.legal_name or party.name,
        "address": ", ".join(_lines(party)),
        "country": party.country,
        "tax_country": seller.tax_country,
        "tax_number": details.tax_number,
        "vat_id": party.vat_id,
        "birth_date": details.birth_date,
        "birth_place": details.birth_place,
        "account": seller.account,
        "currency": seller.currency,
        "forms": [] if kind == DAC7 else tax_reports.forms_due(seller, year),
        "missing": seller.missing,
        "periods": [
            _period(f"{letter}{number}", part, seller, kind)
            for number, part in enumerate(parts, start=1)
        ],
    }


def _period(name: str, part: Part, seller: Seller, kind: str) -> dict[str, Any]:
    """DAC7 wants the consideration without our fee and the fee beside it, form 1099-K the whole."""
    consideration = part.gross - part.fees if kind == DAC7 else part.gross
    return {
        "period": name,
        "consideration": seller.money(consideration).decimal_text,
        "fees": seller.money(part.fees).decimal_text,
        "payments": part.payments,
    }


def _lines(party: Party) -> list[str]:
    return [line.strip() for line in party.address.splitlines() if line.strip()]


def _cell(value: str | list[str]) -> str:
    return " ".join(value) if isinstance(value, list) else value


def _number(period: dict[str, Any], name: str) -> Cell:
    """Amounts as numbers: a text that begins with a minus would be taken for a formula."""
    value: Cell = period[name]
    return Decimal(value) if name in AMOUNTS else value
