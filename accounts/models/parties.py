"""Who a contract is with: a person or an organisation."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField


class Party(models.Model):
    """A person or an organisation that posts, bids, pays and is paid.

    Projects, bids, contracts, holds, invoices and ledger owners point here; the acting user is
    recorded beside it.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        ORGANISATION = "organisation", _("Organisation")

    ref = RefField()
    kind = models.CharField(max_length=12, choices=Kind)
    # What others see; the legal name stands on invoices.
    name = models.CharField(_("name"), max_length=120)
    legal_name = models.CharField(_("legal name"), max_length=160, blank=True)
    address = models.TextField(_("address"), max_length=400, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    about = models.TextField(_("about"), max_length=2000, blank=True)
    website = models.URLField(_("website"), blank=True)
    created_at = models.DateTimeField(default=clock.now)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="accounts.Membership", related_name="parties"
    )

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["person", "organisation"]), name="party_kind"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex="^[A-Z]{2}$"), name="party_country"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="party_currency"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        """First name of a person, full name of an organisation."""
        return self.name.split(" ")[0] if self.kind == self.Kind.PERSON else self.name


class Membership(models.Model):
    """What a user may do for a party."""

    party = models.ForeignKey(Party, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    can_post = models.BooleanField(_("post projects"), default=False)
    can_hire = models.BooleanField(_("choose bids and sign"), default=False)
    can_pay = models.BooleanField(_("pay and approve"), default=False)
    can_manage = models.BooleanField(_("manage members and details"), default=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["party", "user"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.party}"
