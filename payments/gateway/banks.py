"""Where a connected account's payouts go; of the number only its end and a fingerprint."""

from dataclasses import dataclass

import stripe

from payments.gateway import connection


@dataclass(frozen=True)
class Bank:
    """A bank account or a debit card payouts of one currency go to.

    `errored` once a payout came back: then Stripe sends nothing there until it is replaced.
    """

    id: str
    name: str
    last4: str
    fingerprint: str
    country: str
    currency: str
    in_use: bool
    errored: bool


def list_banks(account_id: str) -> list[Bank]:
    """Every bank account and debit card of a connected account."""
    with connection.our_errors():
        page = connection.client().v1.accounts.external_accounts.list(
            account_id, {"limit": connection.PAGE}
        )
        return [_bank(found) for found in page.auto_paging_iter()]


def _bank(found: "stripe.BankAccount | stripe.Card") -> Bank:
    named = found.bank_name if isinstance(found, stripe.BankAccount) else found.brand
    return Bank(
        id=found.id,
        name=named or "",
        last4=found.last4 or "",
        fingerprint=found.fingerprint or "",
        country=found.country or "",
        currency=(found.currency or "").upper(),
        in_use=bool(found.default_for_currency),
        errored=found.status == "errored",
    )
