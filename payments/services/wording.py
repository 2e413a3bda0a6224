"""What documents say. Every word is frozen with the figures, so old paper never changes."""

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import countries
from accounts.models import Party
from marketplace.core.display import money_text, percent_text
from marketplace.core.money import Money
from payments.models import Hold, Invoice, TaxKind, VatCheck

Kind = Invoice.Kind
# The rate has to be named, even where it is nothing.
SHOWS_RATE = {TaxKind.DOMESTIC, TaxKind.DESTINATION, TaxKind.REVERSE_CHARGE}


def title(kind: Kind) -> str:
    """The heading."""
    return {
        Kind.WORK: _("Receipt for work"),
        Kind.CLIENT_FEE: _("Invoice"),
        Kind.FREELANCER_FEE: _("Invoice"),
        Kind.CREDIT_NOTE: _("Credit note"),
    }[kind]


def line(kind: Kind, hold: Hold) -> str:
    """What was sold."""
    return {
        Kind.WORK: hold.label,
        Kind.CLIENT_FEE: _("%(site)s client fee") % {"site": settings.SITE_NAME},
        Kind.FREELANCER_FEE: _("%(site)s freelancer fee") % {"site": settings.SITE_NAME},
    }[kind]


def detail(kind: Kind, hold: Hold) -> str:
    """What it was for."""
    if kind == Kind.WORK:
        return _("Payment %(ref)s") % {"ref": hold.ref}
    policy = hold.policy
    bps = policy.client_fee_bps if kind == Kind.CLIENT_FEE else policy.freelancer_fee_bps
    return _("%(percent)s of %(amount)s for “%(label)s”, payment %(ref)s") % {
        "percent": percent_text(bps),
        "amount": money_text(hold.awarded),
        "label": hold.label,
        "ref": hold.ref,
    }


def notes(kind: Kind, hold: Hold, tax_kind: TaxKind) -> list[str]:
    """Sentences under the sums."""
    paid = _("Paid through %(site)s. Nothing is left to pay.") % {"site": settings.SITE_NAME}
    if kind == Kind.WORK:
        said = [
            paid,
            # Nobody has agreed to invoices in their name, so this does not claim to be one.
            _(
                "%(site)s made this receipt from its payment records. It is not a VAT invoice; "
                "%(seller)s can issue one to you directly."
            )
            % {"site": settings.SITE_NAME, "seller": name(hold.payee)},
        ]
        if tax_kind == TaxKind.NOT_REGISTERED:
            said.append(_("The amount contains any VAT the freelancer has to charge."))
        return said
    return [paid, settings.INVOICE_NOTE] if settings.INVOICE_NOTE else [paid]


def credit_notes(invoice: Invoice, at: dt.datetime) -> list[str]:
    """Sentences under the sums of a credit note."""
    return [
        _("This takes back %(what)s %(number)s of %(day)s, as decided on %(decided)s.")
        % {
            "what": invoice.document["title"].lower(),
            "number": invoice.number,
            "day": invoice.document["issued_on"],
            "decided": at.date().isoformat(),
        }
    ]


def tax_sentence(kind: str, *, ours: bool) -> str:
    """Why there is no VAT on it; nothing where there is some, or nobody reckoned it."""
    sentences: dict[str, str] = {
        TaxKind.REVERSE_CHARGE: _(
            "Reverse charge: the customer is liable for the VAT "
            "(Articles 44 and 196 of Directive 2006/112/EC)."
        ),
        TaxKind.OUTSIDE: _(
            "Supplied where the customer is, and so outside the VAT of the seller’s country."
        ),
        TaxKind.NOT_REGISTERED: (
            _("No VAT is charged: the seller is not registered for VAT.")
            if ours
            else _("No VAT is shown: the seller has no confirmed VAT id with us.")
        ),
    }
    return sentences.get(kind, "")


def sums(net: Money, tax: Money, kind: str, rate_bps: int, country: str) -> list[dict[str, str]]:
    """The lines above the total, where VAT has to be shown."""
    if kind not in SHOWS_RATE:
        return []
    rate = {"rate": percent_text(rate_bps), "country": countries.name_of(country)}
    label = _("VAT %(rate)s") if kind == TaxKind.REVERSE_CHARGE else _("VAT %(rate)s, %(country)s")
    return [
        {"label": _("Net amount"), "amount": money_text(net)},
        {"label": label % rate, "amount": money_text(tax)},
    ]


def consulted(check: VatCheck) -> str:
    """How we know that the customer's VAT id is valid."""
    if check.source == VatCheck.Source.TEST:
        return _("Test only: no register was asked about VAT id %(id)s.") % {"id": check.vat_id}
    return _("VAT id %(id)s was valid in VIES on %(day)s. Consultation number: %(number)s.") % {
        "id": check.vat_id,
        "day": check.ended_at.date().isoformat() if check.ended_at else "",
        "number": check.consultation or _("none"),
    }


def labels() -> dict[str, str]:
    """The labels, frozen too: a better translation must not change old paper."""
    return {
        "issued": _("Date"),
        "paid": _("Paid on"),
        "from": _("From"),
        "to": _("To"),
        "description": _("Description"),
        "amount": _("Amount"),
        "total": _("Total"),
        "vat_id": _("VAT id"),
        "order": _("Purchase order"),
        "corrects": _("Corrects"),
    }


def name(party: Party) -> str:
    """How a party is called on paper."""
    return party.legal_name or party.name
