"""Credit notes: what takes an issued document back, in part or all of it (rule I2).

A document is never changed; a note refers to it, in a series of its own.
"""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.core import audit
from marketplace.core.display import money_text
from marketplace.core.errors import InvalidInput
from marketplace.core.money import Money
from payments.models import Invoice
from payments.services import invoices
from payments.services import wording as words

Kind = Invoice.Kind


@transaction.atomic
def issue(invoice: Invoice, *, amount: Money, reason: str, at: dt.datetime) -> Invoice:
    """A note that takes `amount` of the document back; its VAT is split off exactly.

    `at` is when that was decided, `reason` what people read. However an invoice is cut into notes,
    their VAT adds up to the invoice's: each note takes the VAT of the sum so far, less what the
    notes before it took. Raises InvalidInput for more than is left.
    """
    # Notes of one invoice wait here for each other; the database would refuse the second anyway.
    rows = Invoice.objects.select_for_update(of=("self",))
    invoice = rows.select_related("hold", "seller", "buyer").get(pk=invoice.pk)
    taken, tax_taken = _taken(invoice)
    left = invoice.total - taken
    if invoice.corrects_id or not Money.zero(invoice.currency) < amount <= left:
        raise InvalidInput(
            _("At most %(left)s of %(number)s can be credited")
            % {"left": money_text(left), "number": invoice.number},
            field="amount",
        )
    after = taken + amount
    tax = invoice.tax.portion(after.minor, invoice.total_minor) - tax_taken
    old = invoice.document
    with translation.override(settings.LANGUAGE_CODE):
        note = invoices.number_and_keep(
            hold=invoice.hold,
            kind=Kind.CREDIT_NOTE,
            seller=invoice.seller,
            buyer=invoice.buyer,
            total=amount,
            tax=tax,
            tax_kind=invoice.tax_kind,
            rate_bps=invoice.tax_rate_bps,
            corrects=invoice,
            content={
                "title": words.title(Kind.CREDIT_NOTE),
                # What corrects a receipt is no more an invoice than the receipt.
                "type": invoices.CREDIT_NOTE if old.get("type") else "",
                "language": settings.LANGUAGE_CODE,
                "paid_on": "",
                # Both sides as they stood on the document: it is that one we correct.
                "seller": old["seller"],
                "buyer": old["buyer"],
                "order": old.get("order", ""),
                "corrects": {"number": invoice.number, "issued_on": old["issued_on"]},
                "line": {"text": reason, "detail": old["line"]["text"]},
                "tax_country": old.get("tax_country", ""),
                "vat_check": old.get("vat_check", {}),
                "notes": words.credit_notes(invoice, at),
            },
        )
    audit.record(
        None, "credit_note.issued", note, rule="I2", invoice=invoice.number, amount=amount.minor
    )
    return note


def _taken(invoice: Invoice) -> tuple[Money, Money]:
    """What earlier notes took: the total, and the VAT in it."""
    sums = invoice.credit_notes.aggregate(
        total=Sum("total_minor", default=0), tax=Sum("tax_minor", default=0)
    )
    return (
        Money(int(sums["total"]), invoice.currency),
        Money(int(sums["tax"]), invoice.currency),
    )


def left_of(invoice: Invoice) -> Money:
    """What of the document has not been taken back yet."""
    return invoice.total - _taken(invoice)[0]
