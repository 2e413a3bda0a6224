"""The shape of VAT ids. Whether one is registered only the tax office knows."""

import re

from django.utils.translation import gettext as _

from accounts import countries
from marketplace.core.errors import InvalidInput

# Country → (prefix, what follows it, an example). Greece writes EL, Northern Ireland XI.
SHAPES = {
    "AT": ("AT", r"U\d{8}", "ATU12345678"),
    "BE": ("BE", r"[01]\d{9}", "BE0123456789"),
    "BG": ("BG", r"\d{9,10}", "BG123456789"),
    "CY": ("CY", r"\d{8}[A-Z]", "CY12345678X"),
    "CZ": ("CZ", r"\d{8,10}", "CZ12345678"),
    "DE": ("DE", r"\d{9}", "DE123456789"),
    "DK": ("DK", r"\d{8}", "DK12345678"),
    "EE": ("EE", r"\d{9}", "EE123456789"),
    "ES": ("ES", r"[A-Z]\d{7}[A-Z]|\d{8}[A-Z]|[A-Z]\d{8}", "ESX12345678"),
    "FI": ("FI", r"\d{8}", "FI12345678"),
    "FR": ("FR", r"[A-HJ-NP-Z0-9]{2}\d{9}", "FR12345678901"),
    "GR": ("EL", r"\d{9}", "EL123456789"),
    "HR": ("HR", r"\d{11}", "HR12345678901"),
    "HU": ("HU", r"\d{8}", "HU12345678"),
    "IE": ("IE", r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]", "IE1234567FA"),
    "IT": ("IT", r"\d{11}", "IT12345678901"),
    "LT": ("LT", r"\d{9}|\d{12}", "LT123456789"),
    "LU": ("LU", r"\d{8}", "LU12345678"),
    "LV": ("LV", r"\d{11}", "LV12345678901"),
    "MT": ("MT", r"\d{8}", "MT12345678"),
    "NL": ("NL", r"[A-Z0-9+*]{10}\d{2}", "NL123456789B01"),
    "PL": ("PL", r"\d{10}", "PL1234567890"),
    "PT": ("PT", r"\d{9}", "PT123456789"),
    "RO": ("RO", r"\d{2,10}", "RO1234567890"),
    "SE": ("SE", r"\d{12}", "SE123456789001"),
    "SI": ("SI", r"\d{8}", "SI12345678"),
    "SK": ("SK", r"\d{10}", "SK1234567890"),
    "GB": ("GB", r"\d{9}|\d{12}|GD\d{3}|HA\d{3}", "GB123456789"),
    "CH": ("CHE", r"\d{9}(?:MWST|TVA|IVA)?", "CHE123456789MWST"),
    "NO": ("NO", r"\d{9}(?:MVA)?", "NO123456789MVA"),
}
NORTHERN_IRELAND = re.compile(r"XI(?:\d{9}|\d{12})")


def clean_vat_id(vat_id: str, country: str) -> str:
    """The id without spaces and dots, in capitals; raises InvalidInput when it cannot be one."""
    bare = re.sub(r"[\s.\-/]", "", vat_id).upper()
    if not bare:
        return ""
    if not country:
        raise InvalidInput(_("Choose the country of the VAT id first"), field="country")
    if country == "GB" and NORTHERN_IRELAND.fullmatch(bare):
        return bare
    if country not in SHAPES:
        if not re.fullmatch(r"[A-Z0-9]{4,20}", bare):
            raise InvalidInput(
                _("A tax number has 4 to 20 letters and digits. Check it for typing errors"),
                field="vat_id",
            )
        return bare
    prefix, shape, example = SHAPES[country]
    if not re.fullmatch(f"{prefix}(?:{shape})", bare):
        words = {"country": countries.name_of(country), "example": example}
        if not bare.startswith(prefix):
            raise InvalidInput(
                _("A VAT id of %(country)s starts with %(prefix)s, like %(example)s")
                % (words | {"prefix": prefix}),
                field="vat_id",
            )
        raise InvalidInput(
            _("This is not how a VAT id of %(country)s looks. It looks like %(example)s") % words,
            field="vat_id",
        )
    return bare
