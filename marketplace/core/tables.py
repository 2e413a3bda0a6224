"""Tables for spreadsheets: comma-separated, and nothing in them is run by the spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

# With one of these in front a spreadsheet takes a text for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Cell = str | int | Decimal


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table as CSV (RFC 4180). Texts that look like a formula get an apostrophe in front;
    numbers stay numbers, negative ones too.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_safe(cell) for cell in head])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> str:
    if not isinstance(cell, str):
        return str(cell)
    # Some spreadsheets skip spaces before they look for a formula, and full-width marks count.
    start = cell.lstrip(" \u00a0\ufeff")
    dangerous = start.startswith((*FORMULA, "＝", "＋", "－", "＠")) or cell.startswith(FORMULA)
    return f"'{cell}" if dangerous else cell
