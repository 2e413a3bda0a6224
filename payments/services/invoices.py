"""Paper for released money: who sold what to whom. Issued once, frozen, numbered without gaps."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import translation

from accounts import countries
from accounts.models import Party
from marketplace.core import clock
from marketplace.core.display import money_text
from marketplace.core.money import Money
from payments.models import Hold, Invoice, TaxKind, VatCheck
from payments.selectors import tax as tax_facts
from payments.services import vat
from payments.services import wording as words

Kind = Invoice.Kind
PREFIX = {
    Kind.WORK: "W",
    Kind.CLIENT_FEE: "C",
    Kind.FREELANCER_FEE: "F",
    Kind.CREDIT_NOTE: "N",
}
# The codes of EN 16931. A receipt is no invoice, so it has none.
INVOICE, CREDIT_NOTE = "380", "381"


@dataclass(frozen=True)
class Draft:
    """A document before it has a number; `seller` None is the operator."""

    kind: Kind
    seller: Party | None
    buyer: Party
    total: Money
    tax: vat.Tax
    # The stored answer about the buyer's VAT id, if it made a difference.
    proof: VatCheck | None = None

    @property
    def vat(self) -> Money:
        """What of the total is VAT."""
        return vat.contained(self.total, self.tax)


def draw_up(hold: Hold) -> list[Draft]:
    """The papers of a hold that ended with something earned, with today's VAT.

    A receipt for the work from the payee to the payer, and our fee invoices to both.
    """
    day = clock.now().date()
    parts = hold.shares(hold.awarded)
    rates = vat.Rates(
        vat.Rate(row.country, row.starts_on, row.rate_bps) for row in tax_facts.rate_rows()
    )
    payer, payee = tax_facts.proof_of(hold.payer), tax_facts.proof_of(hold.payee)
    operator = vat.Trader(
        settings.OPERATOR_COUNTRY,
        registered=bool(settings.OPERATOR_VAT_ID),
        one_stop=settings.OPERATOR_ONE_STOP_SHOP,
    )
    client = vat.Trader(hold.payer.country, proven=payer is not None)
    freelancer = vat.Trader(
        hold.payee.country, registered=_names_vat(hold.payee, payee), proven=payee is not None
    )
    work, platform = vat.Supply.WORK, vat.Supply.PLATFORM
    drafts = [
        Draft(
            Kind.WORK,
            hold.payee,
            hold.payer,
            hold.awarded,
            vat.decide(work, freelancer, client, day, rates),
            payer,
        ),
        Draft(
            Kind.CLIENT_FEE,
            None,
            hold.payer,
            parts.client_fee,
            vat.decide(platform, operator, client, day, rates),
            payer,
        ),
        Draft(
            Kind.FREELANCER_FEE,
            None,
            hold.payee,
            parts.freelancer_fee,
            vat.decide(platform, operator, freelancer, day, rates),
            payee,
        ),
    ]
    return [draft for draft in drafts if draft.total]


def vat_of_fees(drafts: list[Draft], currency: str) -> Money:
    """What of our own fees on these papers we owe to tax offices."""
    ours = (draft.vat for draft in drafts if draft.seller is None)
    return sum(ours, Money.zero(currency))


def issue(hold: Hold, drafts: list[Draft] | None = None) -> list[Invoice]:
    """Number and freeze the papers of a hold; call it in the transaction that ended it.

    Series are locked in this order by everybody.
    """
    # Paper is written in the operator's language, whoever pressed the button.
    with translation.override(settings.LANGUAGE_CODE):
        return [_issue(hold, draft) for draft in (draw_up(hold) if drafts is None else drafts)]


def _issue(hold: Hold, draft: Draft) -> Invoice:
    buys = draft.buyer == hold.payer
    return number_and_keep(
        hold=hold,
        kind=draft.kind,
        seller=draft.seller,
        buyer=draft.buyer,
        total=draft.total,
        tax=draft.vat,
        tax_kind=draft.tax.kind,
        rate_bps=draft.tax.rate_bps,
        content={
            "title": words.title(draft.kind),
            "type": "" if draft.kind == Kind.WORK else INVOICE,
            "language": settings.LANGUAGE_CODE,
            "paid_on": hold.held_at.date().isoformat() if hold.held_at else "",
            "seller": _party(draft.seller) if draft.seller else _operator(),
            "buyer": _party(draft.buyer),
            # A purchase order is the client's; the freelancer has nothing to do with it.
            "order": tax_facts.order_number(hold.work) if buys else "",
            "line": {
                "text": words.line(draft.kind, hold),
                "detail": words.detail(draft.kind, hold),
            },
            "tax_country": draft.tax.country,
            "vat_check": _consulted(draft),
            "notes": words.notes(draft.kind, hold, draft.tax.kind),
        },
    )


def number_and_keep(
    *,
    hold: Hold,
    kind: Kind,
    seller: Party | None,
    buyer: Party,
    total: Money,
    tax: Money,
    tax_kind: str,
    rate_bps: int,
    content: dict[str, Any],
    corrects: Invoice | None = None,
) -> Invoice:
    """The document under the next number of its series, frozen with its figures.

    `content` is what stands on it besides. The series stays locked until the transaction ends.
    """
    year = clock.now().year
    sequence = _next_in_series(seller, year, kind)
    # Only now, behind the counter's lock: dates follow the order of numbers.
    now = clock.now()
    number = f"{PREFIX[kind]}-{year}-{sequence:05d}"
    net = total - tax
    return Invoice.objects.create(
        kind=kind,
        seller=seller,
        buyer=buyer,
        hold=hold,
        corrects=corrects,
        year=year,
        number=number,
        total_minor=total.minor,
        tax_minor=tax.minor,
        tax_kind=tax_kind,
        tax_rate_bps=rate_bps,
        currency=total.currency,
        issued_at=now,
        document=content
        | {
            "number": number,
            "issued_on": now.date().isoformat(),
            "currency": total.currency,
            "total": money_text(total),
            "total_minor": total.minor,
            "net_minor": net.minor,
            "tax_minor": tax.minor,
            "tax_kind": tax_kind,
            "tax_rate_bps": rate_bps,
            "tax_sentence": words.tax_sentence(tax_kind, ours=seller is None),
            "sums": words.sums(net, tax, tax_kind, rate_bps, content["tax_country"]),
            "words": words.labels(),
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


def _names_vat(seller: Party, proof: VatCheck | None) -> bool:
    """Whether a freelancer's receipt may show VAT: their id is proven, or no register we can ask
    knows ids of their country.
    """
    return proof is not None or (bool(seller.vat_id) and not tax_facts.is_checkable(seller))


def _consulted(draft: Draft) -> dict[str, str]:
    """The check that a reverse charge rests on."""
    check = draft.proof
    if check is None or draft.tax.kind != TaxKind.REVERSE_CHARGE:
        return {}
    answered: dt.datetime | None = check.ended_at
    return {
        "vat_id": check.vat_id,
        "source": check.source,
        "checked_on": answered.date().isoformat() if answered else "",
        "consultation": check.consultation,
        "text": words.consulted(check),
    }


def _party(party: Party) -> dict[str, Any]:
    lines = [*party.address.splitlines(), countries.name_of(party.country)]
    return {
        "id": party.ref,
        "name": words.name(party),
        "address": [line for line in lines if line.strip()],
        "street": [line for line in party.address.splitlines() if line.strip()],
        "country": party.country,
        "vat_id": party.vat_id,
    }


def _operator() -> dict[str, Any]:
    street = [line for line in settings.OPERATOR_ADDRESS.splitlines() if line.strip()]
    country = countries.name_of(settings.OPERATOR_COUNTRY)
    return {
        "id": urlsplit(settings.SITE_URL).hostname or settings.SITE_NAME,
        "name": settings.OPERATOR_NAME or settings.SITE_NAME,
        "address": [*street, country] if country and country not in street else street,
        "street": street,
        "country": settings.OPERATOR_COUNTRY,
        "vat_id": settings.OPERATOR_VAT_ID,
    }
