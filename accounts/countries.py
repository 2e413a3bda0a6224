"""Countries by their ISO 3166 codes, in the reader's language."""

from marketplace.core.display import reader_locale

# Codes that Babel knows and that name no country: unions, zones, test values, parts of others.
NO_COUNTRY = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
EUROPEAN_UNION = {
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
}  # fmt: skip


def choices() -> list[tuple[str, str]]:
    """(code, name) of every country, by name."""
    names = reader_locale().territories
    found = [
        (code, str(name))
        for code, name in names.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    ]
    return sorted(found, key=lambda pair: pair[1].casefold())


def name_of(code: str) -> str:
    """`Germany`; nothing for no code."""
    return str(reader_locale().territories.get(code, code)) if code else ""


def is_country(code: str) -> bool:
    """Whether this is the code of a country."""
    return len(code) == 2 and code not in NO_COUNTRY and code in reader_locale().territories
