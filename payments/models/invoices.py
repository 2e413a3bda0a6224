"""Paper: what was sold, by whom, to whom, for how much. Frozen when issued."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core.guards import Guard, append_only
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from payments.models.holds import Hold
from payments.models.tax import TaxKind

# The lock makes notes of one invoice wait for each other, so that each sees what the others took.
CREDIT_WITHIN = """
    DECLARE
        corrected payments_invoice%ROWTYPE;
        credited record;
    BEGIN
        SELECT * INTO corrected FROM payments_invoice WHERE id = NEW.corrects_id FOR UPDATE;
        SELECT coalesce(sum(total_minor), 0) AS total, coalesce(sum(tax_minor), 0) AS tax
            INTO credited FROM payments_invoice WHERE corrects_id = NEW.corrects_id;
        IF corrected.corrects_id IS NOT NULL
           OR ROW(NEW.seller_id, NEW.buyer_id, NEW.hold_id, NEW.currency, NEW.tax_kind,
                  NEW.tax_rate_bps)
              IS DISTINCT FROM ROW(corrected.seller_id, corrected.buyer_id, corrected.hold_id,
                  corrected.currency, corrected.tax_kind, corrected.tax_rate_bps)
           OR credited.total + NEW.total_minor > corrected.total_minor
           OR credited.tax + NEW.tax_minor > corrected.tax_minor
           OR (credited.total + NEW.total_minor = corrected.total_minor
               AND credited.tax + NEW.tax_minor <> corrected.tax_minor)
        THEN
            RAISE EXCEPTION 'a credit note of % does not fit invoice %', NEW.total_minor,
                corrected.number
                USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_within_invoice';
        END IF;
        RETURN NEW;
    END;
"""


class Invoice(models.Model):
    """One document. Everything on it stands in `document`; nothing is looked up again."""

    class Kind(models.TextChoices):
        WORK = "work", _("Receipt for work")
        CLIENT_FEE = "client_fee", _("Invoice for the client fee")
        FREELANCER_FEE = "freelancer_fee", _("Invoice for the freelancer fee")
        CREDIT_NOTE = "credit_note", _("Credit note")

    ref = RefField()
    kind = models.CharField(max_length=16, choices=Kind)
    # Nobody means the operator of this marketplace.
    seller = models.ForeignKey(Party, models.PROTECT, null=True, related_name="invoices_issued")
    buyer = models.ForeignKey(Party, models.PROTECT, related_name="invoices_received")
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="invoices")
    year = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=40)
    # What the credit note takes back; nothing on every other document.
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="credit_notes")
    # Prices contain their VAT, so the total comes first and the net is what is left of it.
    total_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    net_minor = models.GeneratedField(
        expression=F("total_minor") - F("tax_minor"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    tax_rate_bps = models.PositiveIntegerField(default=0)
    # Nothing on documents from before we reckoned VAT.
    tax_kind = models.CharField(max_length=16, choices=TaxKind, blank=True)
    currency = models.CharField(max_length=3)
    issued_at = models.DateTimeField()
    document = models.JSONField()

    class Meta:
        verbose_name = _("invoice")
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "number"], name="invoice_number_once", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["hold", "kind"], condition=~Q(kind="credit_note"), name="invoice_once"
            ),
            models.CheckConstraint(condition=Q(total_minor__gt=0), name="invoice_positive"),
            models.CheckConstraint(
                condition=Q(kind="work", seller__isnull=False)
                | Q(kind__in=["client_fee", "freelancer_fee"], seller__isnull=True)
                | Q(kind="credit_note"),
                name="invoice_seller",
            ),
            models.CheckConstraint(
                condition=Q(kind="credit_note", corrects__isnull=False)
                | (~Q(kind="credit_note") & Q(corrects__isnull=True)),
                name="invoice_corrects",
            ),
            models.CheckConstraint(
                condition=Q(tax_minor__gte=0, tax_minor__lte=F("total_minor")),
                name="invoice_tax_within",
            ),
            models.CheckConstraint(
                condition=Q(tax_kind__in=["domestic", "destination"])
                | Q(tax_minor=0, tax_rate_bps=0),
                name="invoice_tax_has_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="invoice_of_seller"),
            models.Index(fields=["buyer", "-id"], name="invoice_of_buyer"),
        ]
        triggers = [
            *append_only(),
            Guard(
                name="credit_within",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__corrects__isnull=False),
                func=CREDIT_WITHIN,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def net(self) -> Money:
        return Money(self.total_minor - self.tax_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The VAT the total contains."""
        return Money(self.tax_minor, self.currency)


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
