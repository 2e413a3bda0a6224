"""The ledger's only door. Whoever moves money calls `post`; nobody else writes these tables.

Credit is +, debit is −. Accounts are named here, so that a posting reads like the sentence it is:

    post(f"charge:{charge.id}", "funded", [
        (STRIPE_BALANCE, -paid), (held(hold), hold.amount), (client_fee_held(hold), hold.client_fee)
    ])
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.errors import DomainError
from marketplace.core.money import Money
from payments.models import Account, Balance, Entry, Hold, Journal, Refund, Rollup, Transfer

if TYPE_CHECKING:
    from accounts.models import User

Role = Account.Role


class Overdrawn(DomainError):
    """The money is not there: somebody was first, or it never was."""

    code = "overdrawn"
    default_message = _("This money has just been moved. Here is the current version.")


class KeyReused(Exception):
    """One idempotency key with two contents: a bug of ours, never to be papered over."""


# --- The chart ------------------------------------------------------------------------------

# Accounts that must not go below zero are kept inline, so that moving them locks them. Shared ones
# (ours) are only added to and rolled up now and then, or every posting would wait for every other.
OVERDRAWABLE = {
    Role.STRIPE_BALANCE,
    Role.BANK,
    Role.SUSPENSE,
    Role.VAT_PAYABLE,
    Role.FEE_REVENUE,
    Role.STRIPE_FEES,
    Role.DISPUTE_FEES,
    Role.CHARGEBACK_LOSS,
    Role.CHARGEBACK_RESERVE,
    Role.RESERVE_COST,
    Role.BAD_DEBT,
    Role.ROUNDING,
    Role.FX_CLEARING,
}
# What a freelancer owes us is theirs alone, but it is an asset: below zero is its nature.
WITHOUT_FLOOR = OVERDRAWABLE | {Role.FREELANCER_RECEIVABLE}


@dataclass(frozen=True, slots=True)
class Name:
    """An account in whatever currency it is used with."""

    role: Account.Role
    owner: str = ""


Leg = tuple[Name, Money]

STRIPE_BALANCE = Name(Role.STRIPE_BALANCE)
BANK = Name(Role.BANK)
SUSPENSE = Name(Role.SUSPENSE)
FEE_REVENUE = Name(Role.FEE_REVENUE)
VAT_PAYABLE = Name(Role.VAT_PAYABLE)
STRIPE_FEES = Name(Role.STRIPE_FEES)
DISPUTE_FEES = Name(Role.DISPUTE_FEES)
CHARGEBACK_LOSS = Name(Role.CHARGEBACK_LOSS)
CHARGEBACK_RESERVE = Name(Role.CHARGEBACK_RESERVE)
RESERVE_COST = Name(Role.RESERVE_COST)
BAD_DEBT = Name(Role.BAD_DEBT)


def held(hold: Hold) -> Name:
    """What is held for a piece of work."""
    return Name(Role.HELD, hold.ref)


def client_fee_held(hold: Hold) -> Name:
    """The payer's fee, not ours before the work is approved."""
    return Name(Role.CLIENT_FEE_HELD, hold.ref)


def dispute_hold(hold: Hold) -> Name:
    """Held money while the two disagree: a release looks for it elsewhere and fails."""
    return Name(Role.DISPUTE_HOLD, hold.ref)


def pending(payee: Party) -> Name:
    """Released, but the security hold still runs."""
    return Name(Role.PENDING, payee.ref)


def payable(payee: Party) -> Name:
    """Owed to the payee now."""
    return Name(Role.PAYABLE, payee.ref)


def freelancer_receivable(payee: Party) -> Name:
    """Owed to us by the payee, for a payment that was charged back; a debit."""
    return Name(Role.FREELANCER_RECEIVABLE, payee.ref)


def client_credit(payer: Party) -> Name:
    """Owed to the payer, because a refund came back to us."""
    return Name(Role.CLIENT_CREDIT, payer.ref)


def transfer_clearing(transfer: Transfer) -> Name:
    """Decided, on its way to the payee."""
    return Name(Role.TRANSFER_CLEARING, transfer.ref)


def refund_clearing(refund: Refund) -> Name:
    """Decided, on its way back to the payer."""
    return Name(Role.REFUND_CLEARING, refund.ref)


# --- Posting --------------------------------------------------------------------------------

# One round trip; the function is in the migrations.
POST = """
    SELECT * FROM payments_post(
        %(key)s, %(fingerprint)s, %(kind)s, %(ref)s, %(actor)s, %(reverses)s, %(at)s,
        %(roles)s::text[], %(owners)s::text[], %(currencies)s::text[], %(amounts)s::bigint[]
    )
"""


@transaction.atomic(savepoint=False)
def post(
    key: str,
    kind: str,
    legs: Sequence[Leg],
    *,
    by: "User | None" = None,
    ref: str = "",
    reverses: Journal | None = None,
) -> Journal:
    """Write one journal, once per key; legs of nothing are left out.

    The same key with the same content gets the first journal and moves nothing; with other content
    it raises KeyReused. Raises Overdrawn when an account would fall below its floor. Either error
    ends the caller's transaction too: half a happening in money must not be kept.
    """
    legs = [(name, amount) for name, amount in legs if amount]
    _require_balance(key, legs)
    fingerprint = _fingerprint(kind, legs, reverses)
    posting = {
        "key": key,
        "fingerprint": fingerprint,
        "kind": kind,
        "ref": ref,
        "actor": by.pk if by else None,
        "reverses": reverses.pk if reverses else None,
        "at": clock.now(),
        "roles": [name.role for name, _amount in legs],
        "owners": [name.owner for name, _amount in legs],
        "currencies": [amount.currency for _name, amount in legs],
        "amounts": [amount.minor for _name, amount in legs],
    }
    journal = _write(posting)
    if journal is None:
        _open_accounts({(name, amount.currency) for name, amount in legs})
        journal = _write(posting)
        if journal is None:
            raise LookupError(f"the accounts of {key} could not be opened")
    if journal.fingerprint != fingerprint:
        raise KeyReused(f"{key} was posted with other content")
    return journal


def reverse(journal: Journal, *, by: "User") -> Journal:
    """Undo a journal by another one with every leg turned round, once.

    Raises Overdrawn when the money has moved on, so that it cannot be taken back.
    """
    return post(
        f"reverse:{journal.pk}",
        "reversed",
        [(name, -amount) for name, amount in legs_of(journal)],
        by=by,
        ref=journal.ref,
        reverses=journal,
    )


def legs_of(journal: Journal) -> list[Leg]:
    """What a journal moved, in the order it was written."""
    return [
        (
            Name(Role(entry.account.role), entry.account.owner_key),
            Money(entry.amount, entry.currency),
        )
        for entry in journal.entries.select_related("account").order_by("pk")
    ]


def _require_balance(key: str, legs: Sequence[Leg]) -> None:
    """The database checks this at COMMIT; here the culprit is still on the stack."""
    sums: dict[str, int] = {}
    for _name, amount in legs:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    if not legs or any(sums.values()):
        raise ValueError(f"{key} does not sum to zero: {sums}")


def _fingerprint(kind: str, legs: Sequence[Leg], reverses: Journal | None) -> str:
    """A digest of the content. `verify_ledger` computes it again in SQL, so keep them alike."""
    lines = sorted(
        f"{name.role}:{name.owner} {amount.currency} {amount.minor}" for name, amount in legs
    )
    undone = reverses.idempotency_key if reverses else ""
    return hashlib.sha256("\n".join([kind, undone, *lines]).encode()).hexdigest()


def _write(posting: dict[str, Any]) -> Journal | None:
    """The journal of this key, now or already in the books; None while an account is missing."""
    try:
        return next(iter(Journal.objects.raw(POST, posting)), None)
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name == "balance_not_below_floor":  # type: ignore[union-attr]
            raise Overdrawn from error
        raise


def _open_accounts(wanted: set[tuple[Name, str]]) -> None:
    """Make those of these accounts that are missing."""
    missing = sorted(
        wanted - set(_find(wanted)), key=lambda pair: (pair[0].role, pair[0].owner, pair[1])
    )
    # In one order, so that two who make the same accounts wait instead of deadlocking.
    Account.objects.bulk_create(
        [
            Account(
                role=name.role,
                owner_key=name.owner,
                currency=currency,
                mode=Account.Mode.DEFERRED if name.role in OVERDRAWABLE else Account.Mode.INLINE,
                floor=None if name.role in WITHOUT_FLOOR else 0,
            )
            for name, currency in missing
        ],
        ignore_conflicts=True,
    )


def _find(wanted: set[tuple[Name, str]]) -> dict[tuple[Name, str], Account]:
    which = Q()
    for name, currency in wanted:
        which |= Q(role=name.role, owner_key=name.owner, currency=currency)
    return {
        (Name(Role(account.role), account.owner_key), account.currency): account
        for account in Account.objects.filter(which)
    }


# --- Balances -------------------------------------------------------------------------------


def balance(name: Name, currency: str) -> Money:
    """What the account holds: credit +, debit −; nothing where it was never used."""
    account = _find({(name, currency)}).get((name, currency))
    return Money(_posted(account) if account else 0, currency)


def _posted(account: Account) -> int:
    if account.mode == Account.Mode.INLINE:
        return Balance.objects.get(account=account).posted
    rollup = Rollup.objects.get(account=account)
    later = Entry.objects.filter(account=account).extra(
        where=["xid >= %s::xid8"], params=[str(rollup.upto)]
    )
    return rollup.posted + (later.aggregate(sum=Sum("amount"))["sum"] or 0)


@transaction.atomic
def roll_up() -> int:
    """Bring the sums of shared accounts up to date; returns how many moved.

    Counts entries of transactions below the oldest one still running. An entry's id would not do
    as the mark: ids are given out before COMMIT, so a late one could be skipped for ever.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id FROM payments_rollup ORDER BY account_id FOR UPDATE")
        cursor.execute(
            """
            UPDATE payments_rollup AS rollup
            SET posted = rollup.posted + COALESCE(fresh.amount, 0), upto = mark.xid
            FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid) AS mark,
                 payments_rollup AS old
                 LEFT JOIN LATERAL (
                     SELECT sum(entry.amount)::bigint AS amount FROM payments_entry AS entry
                     WHERE entry.account_id = old.account_id AND entry.xid >= old.upto
                       AND entry.xid < pg_snapshot_xmin(pg_current_snapshot())
                 ) AS fresh ON true
            WHERE rollup.account_id = old.account_id AND fresh.amount IS NOT NULL
            """
        )
        return int(cursor.rowcount)
