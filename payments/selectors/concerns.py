"""Whose money is whose: from the keys of ledger accounts to parties and back."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import Party
from payments.models import Account, Hold, Journal, Refund, Transfer

Role = Account.Role

# What the owner key of an account is the ref of.
OF_HOLDS = {Role.HELD, Role.CLIENT_FEE_HELD, Role.DISPUTE_HOLD}
OF_PARTIES = {Role.PENDING, Role.PAYABLE, Role.CLIENT_CREDIT, Role.FREELANCER_RECEIVABLE}


@dataclass(frozen=True)
class Owner:
    """Whose the money of an account is, and what it is about."""

    parties: tuple[Party, ...] = ()
    about: str = ""


def owners(accounts: Collection[tuple[str, str]]) -> dict[tuple[str, str], Owner]:
    """The owners of accounts named by role and key; four queries, however many."""
    keys: dict[str, set[str]] = {}
    for role, key in accounts:
        keys.setdefault(_kind(role), set()).add(key)
    holds = {
        hold.ref: Owner((hold.payer, hold.payee), hold.label)
        for hold in Hold.objects.filter(ref__in=keys.get("hold", ())).select_related(
            "payer", "payee"
        )
    }
    transfers = {
        one.ref: Owner((one.payee,), one.hold.label)
        for one in Transfer.objects.filter(ref__in=keys.get("transfer", ())).select_related(
            "payee", "hold"
        )
    }
    refunds = {
        one.ref: Owner((one.payer,), one.hold.label)
        for one in Refund.objects.filter(ref__in=keys.get("refund", ())).select_related(
            "payer", "hold"
        )
    }
    parties = {
        party.ref: Owner((party,)) for party in Party.objects.filter(ref__in=keys.get("party", ()))
    }
    found = {"hold": holds, "transfer": transfers, "refund": refunds, "party": parties}
    return {(role, key): found.get(_kind(role), {}).get(key, Owner()) for role, key in accounts}


def _kind(role: str) -> str:
    if role in OF_HOLDS:
        return "hold"
    if role in OF_PARTIES:
        return "party"
    return {Role.TRANSFER_CLEARING: "transfer", Role.REFUND_CLEARING: "refund"}.get(
        Role(role), "ours"
    )


def parties_of(journal: Journal) -> QuerySet[Party]:
    """Everybody whose money the journal is about, by its accounts and by its reference."""
    accounts = list(
        Account.objects.filter(entries__journal=journal).values_list("role", "owner_key")
    )
    of_accounts = {party.pk for owner in owners(accounts).values() for party in owner.parties}
    holds = Hold.objects.filter(
        Q(ref=journal.ref)
        | Q(funding_parts__funding__charge_id=journal.ref)
        | Q(transfers__stripe_id=journal.ref)
        | Q(transfers__ref=journal.ref)
        | Q(refunds__stripe_id=journal.ref)
        | Q(refunds__ref=journal.ref)
    )
    by_ref = holds if journal.ref else Hold.objects.none()
    return Party.objects.filter(
        Q(pk__in=of_accounts) | Q(pk__in=by_ref.values("payer")) | Q(pk__in=by_ref.values("payee"))
    )
