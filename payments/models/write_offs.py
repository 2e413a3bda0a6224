"""Debts of payees we do not expect to collect any more."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core.money import Money
from payments.models.two_people import TwoPeople


class WriteOff(TwoPeople):
    """What a payee owes us becomes our loss, in the books. They still owe it.

    What comes of it later, kept from new earnings or returned by a bank, is income again.
    """

    payee = models.ForeignKey(Party, models.PROTECT, related_name="write_offs")
    # What came of it since.
    recovered_minor = models.BigIntegerField(default=0)

    class Meta(TwoPeople.Meta):
        abstract = False
        verbose_name = _("write-off")
        permissions = [("act_on_writeoff", _("Can write off what payees owe, and approve that"))]
        constraints = [
            *TwoPeople.Meta.constraints,
            # Of one debt one question is open.
            models.UniqueConstraint(
                fields=["payee", "currency"], condition=Q(status="asked"), name="writeoff_one_open"
            ),
            models.CheckConstraint(
                condition=Q(recovered_minor=0)
                | Q(status="posted", recovered_minor__gt=0, recovered_minor__lte=F("amount_minor")),
                name="writeoff_recovered_within",
            ),
        ]
        indexes = [
            *TwoPeople.Meta.indexes,
            models.Index(
                fields=["payee", "currency"],
                condition=Q(status="posted", recovered_minor__lt=F("amount_minor")),
                name="writeoff_outstanding",
            ),
        ]

    def __str__(self) -> str:
        return f"write-off {self.ref}"

    @property
    def recovered(self) -> Money:
        return Money(self.recovered_minor, self.currency)

    @property
    def outstanding(self) -> Money:
        """What of it has not come back."""
        return self.amount - self.recovered
