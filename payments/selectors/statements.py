"""A party's own ledger: every entry that is about their money, with what it added up to."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Party, User
from marketplace.core.money import Money
from payments.models import Account
from payments.selectors.overviews import money_parties

Role = Account.Role

KINDS: dict[str, str | Promise] = {
    "funded": _("Paid in"),
    "returned": _("Paid too late, sent back"),
    "paused": _("Paused by a dispute"),
    "resumed": _("Held again"),
    "released": _("Released"),
    "refunded": _("Refunded"),
    "split": _("Split"),
    "security_hold_over": _("Security hold over"),
    "transfer_started": _("Payout started"),
    "transfer_sent": _("Paid out"),
    "transfer_refused": _("Payout refused"),
    "refund_sent": _("Refund sent"),
    "refund_failed": _("Refund failed"),
    "reversed": _("Reversed"),
    "charged_back": _("Taken back by the cardholder's bank"),
    "dispute_won": _("Card dispute won"),
    "taken_back": _("Ended by a card dispute"),
    "transfer_reversed": _("Payout taken back"),
    "set_off": _("Kept for what is owed"),
    "returned_in_part": _("Given back by the freelancer before its release"),
    "carried": _("Held for other work of the same contract"),
    "given_back": _("Given back by the freelancer"),
    "surplus_returned": _("Returned after a won card dispute"),
    "placed": _("Decided after a card dispute was won on appeal"),
    "written_off": _("Written off in our books, and still owed"),
    "recovered": _("Collected of what was written off"),
}
PLACES: dict[str, str | Promise] = {
    Role.HELD: _("Held"),
    Role.CLIENT_FEE_HELD: _("Client fee, held"),
    Role.DISPUTE_HOLD: _("Paused"),
    Role.PENDING: _("In the security hold"),
    Role.PAYABLE: _("Waiting for payout"),
    Role.TRANSFER_CLEARING: _("On its way to the bank"),
    Role.REFUND_CLEARING: _("On its way back"),
    Role.CLIENT_CREDIT: _("Credit"),
    Role.FREELANCER_RECEIVABLE: _("Owed to us"),
}

# The accounts a party's money is on. What the other side pays us is not the party's business, so
# a payee does not see the payer's fee.
MINE = """
    SELECT account.id, account.role, hold.ref AS payment, hold.label AS about
    FROM payments_hold AS hold JOIN payments_account AS account
         ON account.owner_key = hold.ref AND account.role IN ('held', 'dispute_hold')
    WHERE hold.payer_id = %(party)s OR hold.payee_id = %(party)s
    UNION ALL
    SELECT account.id, account.role, hold.ref, hold.label
    FROM payments_hold AS hold JOIN payments_account AS account
         ON account.owner_key = hold.ref AND account.role = 'client_fee_held'
    WHERE hold.payer_id = %(party)s
    UNION ALL
    SELECT account.id, account.role, hold.ref, hold.label
    FROM payments_transfer AS transfer JOIN payments_hold AS hold ON hold.id = transfer.hold_id
    JOIN payments_account AS account
         ON account.owner_key = transfer.ref AND account.role = 'transfer_clearing'
    WHERE transfer.payee_id = %(party)s
    UNION ALL
    SELECT account.id, account.role, hold.ref, hold.label
    FROM payments_refund AS refund JOIN payments_hold AS hold ON hold.id = refund.hold_id
    JOIN payments_account AS account
         ON account.owner_key = refund.ref AND account.role = 'refund_clearing'
    WHERE refund.payer_id = %(party)s
    UNION ALL
    SELECT account.id, account.role, NULL, NULL
    FROM payments_account AS account
    WHERE account.owner_key = %(ref)s
      AND account.role IN ('pending', 'payable', 'client_credit', 'freelancer_receivable')
"""
# Entries are only ever added, so the n-th stays the n-th and is a cursor that says nothing about
# the ledger of others.
NUMBERED = f"""
    WITH mine AS ({MINE}), numbered AS (
        SELECT row_number() OVER (ORDER BY entry.id) AS number, entry.currency, entry.amount,
               (sum(entry.amount) OVER (PARTITION BY entry.currency ORDER BY entry.id))::bigint
                   AS running,
               mine.role, mine.payment, mine.about, journal.kind, journal.created_at, journal.ref
        FROM mine JOIN payments_entry AS entry ON entry.account_id = mine.id
        JOIN payments_journal AS journal ON journal.id = entry.journal_id
    )
"""  # noqa: S608 - our own text


@dataclass(frozen=True)
class Wanted:
    """What to show of it; days are the reader's."""

    kind: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class Line:
    """One entry."""

    number: int
    at: dt.datetime
    kind: str
    place: str
    amount: Money
    # What of the party's money is with us after it, in this currency.
    running: Money
    payment: str
    about: str

    @property
    def kind_text(self) -> str:
        """What happened."""
        return kind_text(self.kind)

    @property
    def place_text(self) -> str:
        """Which pot it changed."""
        return str(PLACES.get(self.place, self.place))

    @property
    def currency(self) -> str:
        return self.amount.currency


@dataclass(frozen=True)
class Page:
    """One page, newest first; `after` is the cursor of the next one, empty at the end."""

    lines: list[Line]
    after: str


@dataclass(frozen=True)
class Overview:
    """What there is of a party's ledger: the kinds in it, and what is with us now."""

    kinds: list[str]
    here: list[Money]


def kind_text(kind: str) -> str:
    """What a kind of journal means to people."""
    return str(KINDS.get(kind) or kind.replace("_", " ").capitalize())


def ledgers_of(user: User) -> QuerySet[Party]:
    """The parties whose ledger the user may read, their own first."""
    parties: QuerySet[Party] = Party.objects.filter(pk__in=money_parties(user)).order_by("pk")
    return parties


def first_ledger_of(user: User) -> Party:
    """The ledger to open first: of whom the user hires for, or their own; otherwise 404."""
    parties = list(ledgers_of(user))
    if not parties:
        raise Http404
    return next((party for party in parties if party == user.hires_for), parties[0])


def ledger_to_read(user: User, ref: str) -> Party:
    """The party, if its money is the user's business; otherwise 404."""
    party = ledgers_of(user).filter(ref=ref).first()
    if party is None:
        raise Http404
    return party


def overview(party: Party) -> Overview:
    """Which kinds of happenings there are, and what is with us now; one query."""
    found = _ask("SELECT kind, currency, sum(amount)::bigint FROM numbered GROUP BY 1, 2", party)
    here: dict[str, int] = {}
    for _kind, currency, minor in found:
        here[currency] = here.get(currency, 0) + minor
    return Overview(
        kinds=sorted({kind for kind, _currency, _minor in found}, key=kind_text),
        here=[Money(here[currency], currency) for currency in sorted(here)],
    )


def page(party: Party, wanted: Wanted, *, after: str = "", limit: int = 50) -> Page:
    """One page of it, newest first; one query, however long the ledger."""
    before = int(after) if after.isdecimal() and len(after) < 18 else None
    found = _lines(party, wanted, before=before, limit=limit + 1)
    shown = found[:limit]
    return Page(shown, str(shown[-1].number) if len(found) > limit else "")


def everything(party: Party, wanted: Wanted) -> list[Line]:
    """All of it, oldest first, for a download; one query."""
    return _lines(party, wanted)[::-1]


def months_with_entries(party: Party) -> list[dt.date]:
    """First days of the months, by UTC, in which something happened; one query."""
    found = _ask(
        "SELECT DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC')::date FROM numbered",
        party,
    )
    return sorted(month for (month,) in found)


def changes(
    party: Party, since: dt.datetime, until: dt.datetime
) -> list[tuple[str, str, int, int]]:
    """(currency, kind, minor units before `since`, minor units from then until before `until`) of
    what changed the money that is with us; one query.
    """
    return _ask(
        """
        SELECT currency, kind,
               coalesce(sum(amount) FILTER (WHERE created_at < %(since)s), 0)::bigint,
               coalesce(sum(amount) FILTER (WHERE created_at >= %(since)s), 0)::bigint
        FROM numbered WHERE created_at < %(until)s GROUP BY 1, 2
        """,
        party,
        since=since,
        until=until,
    )


def _lines(
    party: Party, wanted: Wanted, *, before: int | None = None, limit: int | None = None
) -> list[Line]:
    found = _ask(
        """
        SELECT numbered.number, numbered.created_at, numbered.kind, numbered.role,
               numbered.currency, numbered.amount, numbered.running,
               coalesce(numbered.payment, hold.ref, hold_of_transfer.ref, ''),
               coalesce(numbered.about, hold.label, hold_of_transfer.label, '')
        FROM numbered
        LEFT JOIN payments_hold AS hold ON hold.ref = numbered.ref AND numbered.payment IS NULL
        LEFT JOIN payments_transfer AS transfer
             ON transfer.ref = numbered.ref AND numbered.payment IS NULL
        LEFT JOIN payments_hold AS hold_of_transfer ON hold_of_transfer.id = transfer.hold_id
        WHERE (%(kind)s = '' OR numbered.kind = %(kind)s)
          AND (%(since)s::timestamptz IS NULL OR numbered.created_at >= %(since)s)
          AND (%(until)s::timestamptz IS NULL OR numbered.created_at < %(until)s)
          AND (%(before)s::bigint IS NULL OR numbered.number < %(before)s)
        ORDER BY numbered.number DESC LIMIT %(limit)s
        """,
        party,
        kind=wanted.kind,
        since=_midnight(wanted.since),
        until=_midnight(wanted.until + dt.timedelta(days=1) if wanted.until else None),
        before=before,
        limit=limit,
    )
    return [
        Line(
            number=number,
            at=at,
            kind=kind,
            place=role,
            amount=Money(minor, currency),
            running=Money(running, currency),
            payment=payment,
            about=about,
        )
        for number, at, kind, role, currency, minor, running, payment, about in found
    ]


def _midnight(day: dt.date | None) -> dt.datetime | None:
    zone = timezone.get_current_timezone()
    return dt.datetime.combine(day, dt.time.min, tzinfo=zone) if day else None


def _ask(what: str, party: Party, **facts: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(NUMBERED + what, {"party": party.pk, "ref": party.ref, **facts})
        found: list[Any] = cursor.fetchall()
    return found
