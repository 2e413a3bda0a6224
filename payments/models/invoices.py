"""Paper: what was sold, by whom, to whom, for how much. Frozen when issued."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core.guards import append_only
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from payments.models.holds import Hold


class Invoice(models.Model):
    """One document. Everything on it stands in `document`; nothing is looked up again."""

    class Kind(models.TextChoices):
        WORK = "work", _("Receipt for work")
        CLIENT_FEE = "client_fee", _("Invoice for the client fee")
        FREELANCER_FEE = "freelancer_fee", _("Invoice for the freelancer fee")

    ref = RefField()
    kind = models.CharField(max_length=16, choices=Kind)
    # Nobody means the operator of this marketplace.
    seller = models.ForeignKey(Party, models.PROTECT, null=True, related_name="invoices_issued")
    buyer = models.ForeignKey(Party, models.PROTECT, related_name="invoices_received")
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="invoices")
    year = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=40)
    total_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    issued_at = models.DateTimeField()
    document = models.JSONField()

    class Meta:
        verbose_name = _("invoice")
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "number"], name="invoice_number_once", nulls_distinct=False
            ),
            models.UniqueConstraint(fields=["hold", "kind"], name="invoice_once"),
            models.CheckConstraint(condition=Q(total_minor__gt=0), name="invoice_positive"),
            models.CheckConstraint(
                condition=Q(kind="work", seller__isnull=False)
                | Q(kind__in=["client_fee", "freelancer_fee"], seller__isnull=True),
                name="invoice_seller",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="invoice_of_seller"),
            models.Index(fields=["buyer", "-id"], name="invoice_of_buyer"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)


class InvoiceCounter(models.Model):
    """The last number of a series. Raised in the issuing transaction, so there are no gaps."""

    seller = models.ForeignKey(Party, models.PROTECT, null=True, related_name="+")
    year = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=Invoice.Kind)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "year", "kind"],
                name="invoice_series_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}: {self.last}"
