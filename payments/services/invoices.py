"""Paper for released money: who sold what to whom. Issued once, frozen, numbered without gaps."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import countries
from accounts.models import Party
from marketplace.core import clock
from marketplace.core.display import money_text, percent_text
from marketplace.core.money import Money
from payments.models import Hold, Invoice

Kind = Invoice.Kind
PREFIX = {Kind.WORK: "W", Kind.CLIENT_FEE: "C", Kind.FREELANCER_FEE: "F"}


def issue(hold: Hold) -> list[Invoice]:
    """The papers of a hold that ended with something earned; call it in that transaction.

    A receipt for the work from the payee to the payer, and our fee invoices to both. Series are
    locked in this order by everybody.
    """
    parts = hold.shares(hold.awarded)
    papers = [
        (Kind.WORK, hold.payee, hold.payer, hold.awarded),
        (Kind.CLIENT_FEE, None, hold.payer, parts.client_fee),
        (Kind.FREELANCER_FEE, None, hold.payee, parts.freelancer_fee),
    ]
    # Paper is written in the operator's language, whoever pressed the button.
    with translation.override(settings.LANGUAGE_CODE):
        return [_issue(hold, *paper) for paper in papers if paper[3]]


def _issue(hold: Hold, kind: Kind, seller: Party | None, buyer: Party, total: Money) -> Invoice:
    year = clock.now().year
    sequence = _next_in_series(seller, year, kind)
    # Only now, behind the counter's lock: dates follow the order of numbers.
    now = clock.now()
    number = f"{PREFIX[kind]}-{year}-{sequence:05d}"
    return Invoice.objects.create(
        kind=kind,
        seller=seller,
        buyer=buyer,
        hold=hold,
        year=year,
        number=number,
        total_minor=total.minor,
        currency=total.currency,
        issued_at=now,
        document={
            "number": number,
            "title": _title(kind),
            "language": settings.LANGUAGE_CODE,
            "issued_on": now.date().isoformat(),
            "paid_on": hold.held_at.date().isoformat() if hold.held_at else "",
            "seller": _party(seller) if seller else _operator(),
            "buyer": _party(buyer),
            "line": {"text": _line(kind, hold), "detail": _detail(kind, hold)},
            "currency": total.currency,
            "total": money_text(total),
            "total_minor": total.minor,
            "words": _words(),
            "notes": _notes(kind, hold),
        },
    )


def _next_in_series(seller: Party | None, year: int, kind: Kind) -> int:
    """The next number. The counter stays locked until the transaction ends, and goes back with it:
    so there are no gaps.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO payments_invoicecounter AS counter (seller_id, year, kind, last)
            VALUES (%s, %s, %s, 1)
            ON CONFLICT (seller_id, year, kind) DO UPDATE SET last = counter.last + 1
            RETURNING last
            """,
            [seller.pk if seller else None, year, kind.value],
        )
        return int(cursor.fetchone()[0])


def _title(kind: Kind) -> str:
    return {
        Kind.WORK: _("Receipt for work"),
        Kind.CLIENT_FEE: _("Invoice"),
        Kind.FREELANCER_FEE: _("Invoice"),
    }[kind]


def _line(kind: Kind, hold: Hold) -> str:
    return {
        Kind.WORK: hold.label,
        Kind.CLIENT_FEE: _("%(site)s client fee") % {"site": settings.SITE_NAME},
        Kind.FREELANCER_FEE: _("%(site)s freelancer fee") % {"site": settings.SITE_NAME},
    }[kind]


def _detail(kind: Kind, hold: Hold) -> str:
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


def _notes(kind: Kind, hold: Hold) -> list[str]:
    paid = _("Paid through %(site)s. Nothing is left to pay.") % {"site": settings.SITE_NAME}
    if kind == Kind.WORK:
        return [
            paid,
            # Nobody has agreed to invoices in their name, so this does not claim to be one.
            _(
                "%(site)s made this receipt from its payment records. It is not a VAT invoice; "
                "%(seller)s can issue one to you directly."
            )
            % {"site": settings.SITE_NAME, "seller": _name(hold.payee)},
        ]
    return [paid, settings.INVOICE_NOTE] if settings.INVOICE_NOTE else [paid]


def _words() -> dict[str, str]:
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
    }


def _party(party: Party) -> dict[str, Any]:
    lines = [*party.address.splitlines(), countries.name_of(party.country)]
    return {
        "name": _name(party),
        "address": [line for line in lines if line.strip()],
        "vat_id": party.vat_id,
    }


def _name(party: Party) -> str:
    return party.legal_name or party.name


def _operator() -> dict[str, Any]:
    return {
        "name": settings.OPERATOR_NAME or settings.SITE_NAME,
        "address": [line for line in settings.OPERATOR_ADDRESS.splitlines() if line.strip()],
        "vat_id": settings.OPERATOR_VAT_ID,
    }
