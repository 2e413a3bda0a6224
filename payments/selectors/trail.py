"""The trail of the money on one account: whose it is, since when, why, and what happens next."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Party
from marketplace.core.display import money_text
from marketplace.core.money import Money
from payments import signals
from payments.models import Account, Hold, Journal, PayoutAccount, Refund, Transfer
from payments.selectors.concerns import OF_HOLDS, Owner, owners
from payments.selectors.liabilities import as_people_count
from payments.selectors.statements import kind_text

Role = Account.Role
SHOWN = 50

# What an account holds after each of its entries, and since when it has held anything at all.
STEPS = """
    SELECT entry.journal_id, entry.amount,
           sum(entry.amount) OVER (ORDER BY entry.id)::bigint AS after
    FROM payments_entry AS entry WHERE entry.account_id = %s ORDER BY entry.id
"""


@dataclass(frozen=True)
class Prospect:
    """One thing that can happen next to money; `at` is when it does by itself, UTC."""

    text: str
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Step:
    """One entry, and what was on the account after it; amounts as people count."""

    journal: Journal
    kind_text: str
    amount: Money
    after: Money


@dataclass(frozen=True)
class Trail:
    """An account of somebody's money. `steps` are the newest 50, newest first."""

    account: Account
    owner: Owner
    amount: Money
    since: dt.datetime | None
    why: str
    steps: list[Step]
    prospects: list[Prospect]


def trail(account: Account) -> Trail | None:
    """The trail of an account; None for shared ones, which belong to the platform as a whole."""
    if account.mode != Account.Mode.INLINE:
        return None
    with connection.cursor() as cursor:
        cursor.execute(STEPS, [account.pk])
        rows = cursor.fetchall()
    # The first entry since it was empty last.
    began = 1 + max((n for n, row in enumerate(rows) if row[2] == 0), default=-1)
    journals = Journal.objects.select_related("actor").in_bulk(
        [row[0] for row in (*rows[-SHOWN:], *rows[began : began + 1])]
    )
    steps = [
        Step(
            journals[journal],
            kind_text(journals[journal].kind),
            as_people_count(account.role, amount, account.currency),
            as_people_count(account.role, after, account.currency),
        )
        for journal, amount, after in reversed(rows[-SHOWN:])
    ]
    first = journals[rows[began][0]] if began < len(rows) else None
    return Trail(
        account=account,
        owner=owners([(account.role, account.owner_key)])[account.role, account.owner_key],
        amount=steps[0].after if steps else Money.zero(account.currency),
        since=first.created_at if first else None,
        why=kind_text(first.kind) if first else "",
        steps=steps,
        prospects=_prospects(account) if first else [],
    )


def accounts_of(hold: Hold) -> list[tuple[Account, Money]]:
    """The accounts that the money of a hold went through, and what is on each; three queries."""
    refs = [
        hold.ref,
        *hold.transfers.values_list("ref", flat=True),
        *hold.refunds.values_list("ref", flat=True),
    ]
    found = Account.objects.filter(owner_key__in=refs).select_related("balance").order_by("pk")
    return [
        (account, as_people_count(account.role, account.balance.posted, account.currency))
        for account in found
    ]


# --- What happens next ------------------------------------------------------------------------


def _prospects(account: Account) -> list[Prospect]:
    if account.role in OF_HOLDS:
        return _of_hold(Hold.objects.get(ref=account.owner_key))
    tell = TELLERS.get(account.role)
    return tell(account.owner_key) if tell else []


def _of_hold(hold: Hold) -> list[Prospect]:
    """The market knows what must happen before the money moves."""
    answers: list[object] = [
        answer for _who, answer in signals.prospects_wanted.send(sender=Hold, hold=hold)
    ]
    found = [
        prospect
        for answer in answers
        if isinstance(answer, list)
        for prospect in answer
        if isinstance(prospect, Prospect)
    ]
    return found or [Prospect(_("No work claims this money: run verify_state."))]


def _of_pending(ref: str) -> list[Prospect]:
    waiting = Transfer.objects.filter(payee__ref=ref, status=Transfer.Status.WAITING)
    return [
        Prospect(
            _("%(amount)s for “%(work)s” goes to the freelancer’s account (%(why)s)")
            % {
                "amount": money_text(one.amount),
                "work": one.hold.label,
                "why": one.get_wait_display(),
            },
            one.due_at,
        )
        for one in waiting.select_related("hold").order_by("due_at")
    ]


def _of_payable(ref: str) -> list[Prospect]:
    party = Party.objects.get(ref=ref)
    account = PayoutAccount.objects.filter(party=party).first()
    if account is None or not account.can_receive:
        return [
            Prospect(
                _("It is sent as soon as %(name)s has finished the payout details")
                % {"name": party.name}
            )
        ]
    stuck = Transfer.objects.filter(payee=party, status=Transfer.Status.FAILED).count()
    if stuck:
        return [Prospect(_("Stripe refused to send it: a person sends it again under Transfers"))]
    return [Prospect(_("It is sent within minutes, as soon as Stripe answers"))]


def _of_transfer(ref: str) -> list[Prospect]:
    one = Transfer.objects.get(ref=ref)
    if one.status == Transfer.Status.FAILED:
        return [Prospect(_("Stripe refused to send it: a person sends it again under Transfers"))]
    return [Prospect(_("Stripe was asked to send it; we ask again until it has answered"))]


def _of_refund(ref: str) -> list[Prospect]:
    one = Refund.objects.get(ref=ref)
    if one.status == Refund.Status.FAILED:
        return [Prospect(_("The bank sent it back: a person agrees another way with the client"))]
    return [
        Prospect(_("Stripe gives it back to the card it came from; we ask until that has ended"))
    ]


TELLERS: dict[str, Callable[[str], list[Prospect]]] = {
    Role.PENDING: _of_pending,
    Role.PAYABLE: _of_payable,
    Role.TRANSFER_CLEARING: _of_transfer,
    Role.REFUND_CLEARING: _of_refund,
    Role.CLIENT_CREDIT: lambda _ref: [
        Prospect(_("It could not be returned to the card: a person agrees another way"))
    ],
    Role.FREELANCER_RECEIVABLE: lambda _ref: [
        Prospect(_("It is kept back from what the freelancer earns next"))
    ],
}
