"""An operator who charges VAT, and parties with VAT ids, for tests of paper."""

from accounts.models import Party
from payments.models import VatCheck
from payments.services import vat_checks


def charge_vat(settings, country="DE", vat_id="DE123456789"):
    """From now on the operator is registered there."""
    settings.OPERATOR_COUNTRY = country
    settings.OPERATOR_VAT_ID = vat_id
    settings.OPERATOR_NAME = "Bidwell GmbH"
    settings.OPERATOR_ADDRESS = "Torstraße 1\n10119 Berlin"


def settle_in(party, country, vat_id="", address="Main Street 1"):
    """The party lives there; nothing is asked of any register."""
    Party.objects.filter(pk=party.pk).update(country=country, vat_id=vat_id, address=address)
    party.refresh_from_db()


def prove(party, by=None):
    """Have the party's VAT id checked, as the change of its details does."""
    check = vat_checks.ask(party, by=by)
    return VatCheck.objects.get(pk=check.pk)
