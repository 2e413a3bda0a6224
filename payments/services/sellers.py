"""What a payee tells us for the tax office."""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.services import parties
from marketplace.core import audit, clock
from marketplace.core.errors import InvalidInput
from payments.models import SellerDetails
from payments.models.sellers import Details
from payments.services import tax_requests

if TYPE_CHECKING:
    from accounts.models import User

YOUNGEST = 14  # years; nobody younger can have an account at Stripe either


def save(
    party: Party,
    *,
    by: "User",
    legal_name: str,
    address: str,
    country: str,
    tax_country: str,
    details: Details,
) -> SellerDetails:
    """Keep what the payee said, the tax number sealed; saying it again replaces it.

    Without a tax number the one we have of the same country stays: pages never show it, so nobody
    can send it again. Name and address also stand on receipts from now on. Raises NotAllowed, and
    InvalidInput beside the field for what cannot be.
    """
    with transaction.atomic():
        party = Party.objects.select_for_update().get(pk=party.pk)
        before = SellerDetails.objects.filter(party=party, tax_country=tax_country).first()
        if before and not details.tax_number:
            details = replace(details, tax_number=before.details.tax_number)
        _refuse_impossible(details)
        _move(party, by=by, legal_name=legal_name, address=address, country=country)
        saved, _created = SellerDetails.objects.update_or_create(
            party=party,
            defaults={
                "tax_country": tax_country,
                "sealed": details.sealed(),
                "changed_at": clock.now(),
                "changed_by": by,
            },
        )
        # Which, never what: the log is not sealed.
        audit.record(by, "seller_details.saved", party, tax_country=tax_country, told=details.told)
        tax_requests.look_for_answer(party)
    return saved


def _move(party: Party, *, by: "User", legal_name: str, address: str, country: str) -> None:
    """The same door as the page of details: a VAT id stays one of the party's country."""
    try:
        parties.update_details(
            party,
            by=by,
            legal_name=legal_name,
            address=address,
            country=country,
            vat_id=party.vat_id,
            website=party.website,
            about=party.about,
        )
    except InvalidInput as error:
        if error.field != "vat_id":
            raise
        raise InvalidInput(
            _("Your VAT id is of another country. Change it in your details first."),
            field="country",
        ) from error


def _refuse_impossible(details: Details) -> None:
    if not details.tax_number and not details.birth_place:
        raise InvalidInput(
            _("Enter your tax number, or your place of birth if your country gives none"),
            field="tax_number",
        )
    born, today = dt.date.fromisoformat(details.birth_date), clock.now().date()
    if not 1900 <= born.year <= today.year - YOUNGEST:
        raise InvalidInput(_("This cannot be your date of birth"), field="birth_date")
