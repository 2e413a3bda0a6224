"""What a tax office wants to know about a payee, beyond name, address and VAT id."""

import json
from dataclasses import asdict, dataclass

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.sealing import seal, unseal

PURPOSE = "seller-details"


@dataclass(frozen=True)
class Details:
    """A tax number, or a place of birth where the country gives none, and a birth date in ISO 8601
    (Directive (EU) 2021/514, Annex V, section II B).
    """

    tax_number: str = ""
    birth_date: str = ""
    birth_place: str = ""

    @property
    def end_of_number(self) -> str:
        """Enough of the tax number to know it again, and no more."""
        return self.tax_number[-3:] if len(self.tax_number) >= 8 else "…" * bool(self.tax_number)

    def sealed(self) -> str:
        """For the database."""
        return seal(json.dumps(asdict(self)), purpose=PURPOSE)

    @property
    def told(self) -> list[str]:
        """Names of what was told."""
        return sorted(name for name, value in asdict(self).items() if value)


class SellerDetails(models.Model):
    """Tax number and birth date of a payee: sealed, read for the yearly reports only."""

    party = models.OneToOneField(Party, models.PROTECT, related_name="seller_details")
    # Which country gave the tax number; stays readable, because it decides who is told.
    tax_country = models.CharField(max_length=2)
    sealed = models.TextField()
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("seller’s tax details")
        verbose_name_plural = _("sellers’ tax details")
        permissions = [("export_tax_report", _("Can export what tax offices are told"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(tax_country__regex="^[A-Z]{2}$"), name="seller_tax_country"
            ),
            # A Fernet token; nobody writes the number beside it.
            models.CheckConstraint(
                condition=Q(sealed__startswith="gAAAA"), name="seller_details_sealed"
            ),
        ]

    def __str__(self) -> str:
        return f"tax details of {self.party_id}"

    @property
    def details(self) -> Details:
        """What the payee said."""
        return Details(**json.loads(unseal(self.sealed, purpose=PURPOSE)))
