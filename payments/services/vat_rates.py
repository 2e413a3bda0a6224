"""The table of VAT rates grows by rows; staff add them."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import countries
from marketplace.core import audit
from marketplace.core.errors import InvalidInput
from payments.models import VatRate

if TYPE_CHECKING:
    from accounts.models import User


def clean_country(code: str) -> str:
    """The code in capitals; raises InvalidInput when no country has it."""
    code = code.strip().upper()
    if not countries.is_country(code):
        raise InvalidInput(_("Choose a country by its two letters, like DE"), field="country")
    return code


@transaction.atomic
def add(rate: VatRate, *, by: "User") -> None:
    """Keep a rate from its day on; of two rows for one day the later one counts.

    Raises InvalidInput for a country nobody knows.
    """
    rate.country = clean_country(rate.country)
    rate.set_by = by
    rate.save(force_insert=True)
    audit.record(
        by,
        "vat_rate.added",
        rate,
        country=rate.country,
        bps=rate.rate_bps,
        starts_on=rate.starts_on.isoformat(),
    )
