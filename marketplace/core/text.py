"""Text as people typed it, minus what only confuses."""

import unicodedata

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


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for c in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.combining(c) else 0
        hidden = ord(c) in HIDDEN or (unicodedata.category(c) in {"Cc", "Cs"} and c != "\n")
        if not hidden and marks <= MOST_MARKS:
            kept.append(c)
    return "".join(kept)
