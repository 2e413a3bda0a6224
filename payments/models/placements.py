"""Money a bank gave back when the milestone it had been taken from was over: who gets it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core.money import Money
from payments.models.chargebacks import ChargebackPart
from payments.models.two_people import TwoPeople


class Placement(TwoPeople):
    """A member of staff says who gets what waits in `suspense`; the rest makes up for our losses.

    Nobody pays a fee on it: the sale it was for has ended.
    """

    part = models.ForeignKey(ChargebackPart, models.PROTECT, related_name="placements")
    to_payee_minor = models.BigIntegerField()
    to_payer_minor = models.BigIntegerField()

    class Meta(TwoPeople.Meta):
        abstract = False
        verbose_name = _("decision on unplaced money")
        verbose_name_plural = _("decisions on unplaced money")
        permissions = [("act_on_placement", _("Can place money nobody owns, and approve that"))]
        constraints = [
            *TwoPeople.Meta.constraints,
            models.UniqueConstraint(
                fields=["part"],
                condition=Q(status__in=["asked", "posted"]),
                name="placement_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    to_payee_minor__gte=0,
                    to_payer_minor__gte=0,
                    amount_minor__gte=F("to_payee_minor") + F("to_payer_minor"),
                ),
                name="placement_within",
            ),
        ]

    def __str__(self) -> str:
        return f"placement {self.ref}"

    @property
    def to_payee(self) -> Money:
        return Money(self.to_payee_minor, self.currency)

    @property
    def to_payer(self) -> Money:
        return Money(self.to_payer_minor, self.currency)

    @property
    def ours(self) -> Money:
        """What makes up for our losses."""
        return self.amount - self.to_payee - self.to_payer
