"""Company and billing details: what stands on invoices, and what others see of a company."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import countries, selectors, vat
from accounts.models import Party, User
from accounts.names import clean_name
from accounts.signals import tax_details_changed
from marketplace.core import audit, text
from marketplace.core.errors import InvalidInput


@transaction.atomic
def update_details(
    party: Party,
    *,
    by: User,
    legal_name: str,
    address: str,
    country: str,
    vat_id: str,
    name: str = "",
    website: str = "",
    about: str = "",
) -> None:
    """Change the details; invoices already issued keep the old ones.

    `name` is that of a company; a person's party is called like the person, always. Raises
    NotAllowed without the right to manage, InvalidInput naming the field that is wrong.
    """
    selectors.require_right(by, party, "manage")
    party = Party.objects.select_for_update().get(pk=party.pk)
    details = clean_details(
        legal_name=legal_name,
        address=address,
        country=country,
        vat_id=vat_id,
        website=website,
        about=about,
    )
    if party.kind == Party.Kind.ORGANISATION and name:
        details["name"] = clean_name(name)
    changed = [field for field, value in details.items() if getattr(party, field) != value]
    for field in changed:
        setattr(party, field, details[field])
    if changed:
        party.save(update_fields=changed)
        audit.record(by, "party.details_changed", party, fields=changed)
    if {"country", "vat_id", "legal_name", "name"} & set(changed):
        tax_details_changed.send(sender=Party, party=party, by=by)


def clean_details(
    *, legal_name: str, address: str, country: str, vat_id: str, website: str, about: str
) -> dict[str, Any]:
    """The values to keep; raises InvalidInput for the first that is wrong."""
    country = country.strip().upper()
    if country and not countries.is_country(country):
        raise InvalidInput(_("Choose a country from the list"), field="country")
    return {
        "legal_name": text.short_line(legal_name, limit=160, field="legal_name"),
        "address": text.short_block(address, limit=400, field="address"),
        "country": country,
        "vat_id": vat.clean_vat_id(vat_id, country),
        "website": text.web_address(website, field="website"),
        "about": text.short_block(about, limit=2000, field="about"),
    }
