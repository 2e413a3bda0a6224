"""News from below: a party's VAT id, country or name has changed."""

from typing import Any

from django.dispatch import receiver

from accounts.models import Party, User
from accounts.signals import tax_details_changed
from payments.services import vat_checks


@receiver(tax_details_changed)
def check_the_vat_id(sender: type[Party], *, party: Party, by: User, **_kwargs: Any) -> None:
    """Have the id checked, if there is one: it proves something about one name only."""
    vat_checks.ask(party, by=by)
