"""Text as people typed it, minus what only confuses."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.core.errors import InvalidInput

is_web_address = URLValidator(schemes=["http", "https"])
LONGEST_ADDRESS = 200
# Marks that turn the direction of everything after them, and characters of no width.
HIDDEN = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF}
# Scripts stack two or three marks on a letter; more is vandalism.
MOST_MARKS = 4


def line(text: str) -> str:
    """One line: composed, single spaces, nothing hidden."""
    return " ".join(_visible(text.replace("\n", " ").replace("\r", " ").replace("\t", " ")).split())


def block(text: str) -> str:
    """Several lines: composed, at most one empty line in a row, nothing hidden."""
    rows = _visible(text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    kept: list[str] = []
    for row in (row.rstrip() for row in rows):
        if row or (kept and kept[-1]):
            kept.append(row)
    return "\n".join(kept).strip()


def fold(text: str) -> str:
    """For comparing: lower case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", line(text).casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def short_line(text: str, *, limit: int, field: str) -> str:
    """`line`, or InvalidInput for this field when it is too long."""
    return _limited(line(text), limit, field)


def short_block(text: str, *, limit: int, field: str) -> str:
    """`block`, or InvalidInput for this field when it is too long."""
    return _limited(block(text), limit, field)


def web_address(text: str, *, field: str) -> str:
    """An http(s) address or nothing; raises InvalidInput for this field otherwise."""
    address = _limited(line(text), LONGEST_ADDRESS, field)
    if address:
        try:
            is_web_address(address)
        except ValidationError as error:
            raise InvalidInput(
                _("Enter a web address, like https://example.org"), field=field
            ) from error
    return address


def _limited(text: str, limit: int, field: str) -> str:
    over = len(text) - limit
    if over > 0:
        raise InvalidInput(
            ngettext(
                "This text is %(over)s character too long. The limit is %(limit)s",
                "This text is %(over)s characters too long. The limit is %(limit)s",
                over,
            )
            % {"over": over, "limit": f"{limit:,}"},
            field=field,
        )
    return text


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for c in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.combining(c) else 0
        hidden = ord(c) in HIDDEN or (unicodedata.category(c) in {"Cc", "Cs"} and c != "\n")
        if not hidden and marks <= MOST_MARKS:
            kept.append(c)
    return "".join(kept)
