"""Proof that the ledger is whole: every sum computed again, every row of money held against it.

The guards make a wrong ledger impossible while they stand. This is for the day they did not: each
check names the row that does not fit.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marketplace.core import clock
from payments import ledger

# Money must not stay between two accounts for longer than this.
TRANSFER_TAKES = dt.timedelta(days=1)
REFUND_TAKES = dt.timedelta(days=30)


@dataclass(frozen=True)
class Check:
    """One rule: what is counted, and a query for the rows that break it, one line of text each."""

    title: str
    table: str
    broken: str


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    title: str
    counted: int
    broken: list[str]


# Every query may use these: what each inline account holds (a missing one holds nothing), and what
# banks have taken of each hold and not given back.
HELD_NOW = """
    WITH held_now AS (
        SELECT account.role, account.owner_key, account.currency, balance.posted
        FROM payments_account AS account JOIN payments_balance AS balance
             ON balance.account_id = account.id
    ),
    taken AS (
        SELECT part.hold_id, part.bearer,
               sum(CASE WHEN movement.amount_minor < 0 THEN part.amount_minor
                        ELSE -part.amount_minor END) AS amount
        FROM payments_chargebackpart AS part JOIN payments_chargebackmovement AS movement
             ON movement.id = part.movement_id
        GROUP BY 1, 2
    )
"""

CHECKS = [
    Check(
        "journals sum to zero in each currency",
        "payments_journal",
        """
        SELECT format('journal %s (%s) sums to %s %s', journal.id, journal.idempotency_key,
                      sum(entry.amount), entry.currency)
        FROM payments_entry AS entry JOIN payments_journal AS journal
             ON journal.id = entry.journal_id
        GROUP BY journal.id, entry.currency HAVING sum(entry.amount) <> 0
        """,
    ),
    Check(
        "journals have two entries or more, written with them",
        "payments_journal",
        """
        SELECT format('journal %s (%s) has %s entries, %s of them added later', journal.id,
                      journal.idempotency_key, count(entry.id),
                      count(entry.id) FILTER (WHERE entry.xid <> journal.xid))
        FROM payments_journal AS journal LEFT JOIN payments_entry AS entry
             ON entry.journal_id = journal.id
        GROUP BY journal.id
        HAVING count(entry.id) < 2 OR count(entry.id) FILTER (WHERE entry.xid <> journal.xid) > 0
        """,
    ),
    Check(
        "journals are as they were posted",
        "payments_journal",
        """
        SELECT format('journal %s (%s) was changed after it was posted', journal.id,
                      journal.idempotency_key)
        FROM payments_journal AS journal
        LEFT JOIN payments_journal AS undone ON undone.id = journal.reverses_id
        LEFT JOIN LATERAL (
            SELECT string_agg(line, E'\\n' ORDER BY line COLLATE "C") AS lines
            FROM (SELECT account.role || ':' || account.owner_key || ' ' || entry.currency || ' '
                         || entry.amount AS line
                  FROM payments_entry AS entry JOIN payments_account AS account
                       ON account.id = entry.account_id
                  WHERE entry.journal_id = journal.id) AS legs
        ) AS content ON true
        WHERE journal.fingerprint <> encode(sha256(convert_to(concat_ws(E'\\n', journal.kind,
              coalesce(undone.idempotency_key, ''), content.lines), 'UTF8')), 'hex')
        """,
    ),
    Check(
        "entries are in the currency of their account",
        "payments_entry",
        """
        SELECT format('entry %s is in %s, its account %s in %s', entry.id, entry.currency,
                      account.id, account.currency)
        FROM payments_entry AS entry JOIN payments_account AS account
             ON account.id = entry.account_id
        WHERE entry.currency <> account.currency
        """,
    ),
    Check(
        "balances are the sums of their entries",
        "payments_balance",
        """
        SELECT format('balance of account %s (%s:%s) is %s, its entries sum to %s', account.id,
                      account.role, account.owner_key, coalesce(balance.posted::text, 'missing'),
                      coalesce(sums.amount, 0))
        FROM payments_account AS account
        LEFT JOIN payments_balance AS balance ON balance.account_id = account.id
        LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM payments_entry GROUP BY 1) AS sums
             ON sums.account_id = account.id
        WHERE account.mode = 'i' AND balance.posted IS DISTINCT FROM coalesce(sums.amount, 0)
        """,
    ),
    Check(
        "balances keep their floor",
        "payments_balance",
        """
        SELECT format('balance of account %s (%s:%s) is %s, its floor %s', account.id,
                      account.role, account.owner_key, balance.posted, account.floor)
        FROM payments_balance AS balance JOIN payments_account AS account
             ON account.id = balance.account_id
        WHERE balance.floor IS DISTINCT FROM account.floor OR balance.posted < account.floor
        """,
    ),
    Check(
        "roll-ups are the sums of the entries below their mark",
        "payments_rollup",
        """
        SELECT format('roll-up of account %s (%s) is %s below %s, its entries sum to %s',
                      account.id, account.role, coalesce(rollup.posted::text, 'missing'),
                      rollup.upto, coalesce(sum(entry.amount), 0))
        FROM payments_account AS account
        LEFT JOIN payments_rollup AS rollup ON rollup.account_id = account.id
        LEFT JOIN payments_entry AS entry
             ON entry.account_id = account.id AND entry.xid < rollup.upto
        WHERE account.mode = 'd'
        GROUP BY account.id, rollup.account_id
        HAVING rollup.posted IS DISTINCT FROM coalesce(sum(entry.amount), 0)
        """,
    ),
    Check(
        "accounts are those of the chart",
        "payments_account",
        """
        SELECT format('account %s (%s) has mode %s and floor %s', id, role, mode, floor)
        FROM payments_account
        WHERE (role = ANY(%(deferred)s)) <> (mode = 'd')
           OR floor IS DISTINCT FROM CASE WHEN role = ANY(%(no_floor)s) THEN NULL ELSE 0 END
        """,
    ),
    Check(
        "holds have the fees of their policy",
        "payments_hold",
        """
        SELECT format('hold %s (%s) of %s has fees %s and %s, its policy says %s and %s', hold.id,
                      hold.ref, hold.amount_minor, hold.client_fee_minor,
                      hold.freelancer_fee_minor, agreed.client, agreed.freelancer)
        FROM payments_hold AS hold
        JOIN payments_platformpolicy AS policy ON policy.id = hold.policy_id
        CROSS JOIN LATERAL (
            SELECT round(hold.amount_minor::numeric * policy.client_fee_bps / 10000) AS client,
                   round(hold.amount_minor::numeric * policy.freelancer_fee_bps / 10000)
                       AS freelancer
            WHERE NOT hold.fee_free
            UNION ALL SELECT 0, 0 WHERE hold.fee_free
        ) AS agreed
        WHERE (hold.client_fee_minor, hold.freelancer_fee_minor)
              <> (agreed.client, agreed.freelancer)
        """,
    ),
    Check(
        "holds hold what their status says",
        "payments_hold",
        """
        SELECT format('hold %s (%s) is %s: %s held, %s paused, %s fee held', hold.id, hold.ref,
                      hold.status, coalesce(held.posted, 0), coalesce(paused.posted, 0),
                      coalesce(fee.posted, 0))
        FROM payments_hold AS hold
        LEFT JOIN held_now AS held ON held.role = 'held' AND held.owner_key = hold.ref
        LEFT JOIN held_now AS paused ON paused.role = 'dispute_hold'
             AND paused.owner_key = hold.ref
        LEFT JOIN held_now AS fee ON fee.role = 'client_fee_held' AND fee.owner_key = hold.ref
        LEFT JOIN taken AS gone ON gone.hold_id = hold.id AND gone.bearer
             = CASE hold.frozen_from WHEN 'paused' THEN 'dispute_hold' ELSE 'held' END
        LEFT JOIN taken AS fee_gone ON fee_gone.hold_id = hold.id
             AND fee_gone.bearer = 'client_fee_held'
        CROSS JOIN LATERAL (
            SELECT CASE hold.status WHEN 'frozen' THEN hold.frozen_from ELSE hold.status END
                       AS status
        ) AS stands
        WHERE (coalesce(held.posted, 0), coalesce(paused.posted, 0), coalesce(fee.posted, 0))
              <> (CASE stands.status WHEN 'held' THEN hold.amount_minor - coalesce(gone.amount, 0)
                       ELSE 0 END,
                  CASE stands.status WHEN 'paused' THEN hold.amount_minor - coalesce(gone.amount, 0)
                       ELSE 0 END,
                  CASE WHEN stands.status IN ('held', 'paused')
                       THEN hold.client_fee_minor - coalesce(fee_gone.amount, 0) ELSE 0 END)
        """,
    ),
    Check(
        "holds that ended gave away exactly what was paid in",
        "payments_hold",
        """
        SELECT format('hold %s (%s) ended with %s earned of %s: %s to the payee, %s back, %s fees, '
                      '%s was paid in', hold.id, hold.ref, hold.awarded_minor, hold.amount_minor,
                      ends.to_payee, ends.to_payer, ends.fees,
                      hold.amount_minor + hold.client_fee_minor)
        FROM payments_hold AS hold
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(entry.amount) FILTER (WHERE account.role = 'pending'), 0)
                       AS to_payee,
                   coalesce(sum(entry.amount) FILTER (WHERE account.role = 'refund_clearing'), 0)
                       AS to_payer,
                   coalesce(sum(entry.amount)
                            FILTER (WHERE account.role IN ('fee_revenue', 'vat_payable')), 0)
                       AS fees
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE journal.idempotency_key = 'end:' || hold.ref
        ) AS ends ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS amount FROM taken
            WHERE taken.hold_id = hold.id
              AND taken.bearer IN ('held', 'dispute_hold', 'client_fee_held')
        ) AS bank ON true
        WHERE hold.ended_at IS NOT NULL AND (
            ends.to_payee + ends.to_payer + ends.fees + bank.amount
                <> hold.amount_minor + hold.client_fee_minor
            OR ends.to_payee <> hold.awarded_minor - round(
                hold.freelancer_fee_minor::numeric * hold.awarded_minor / hold.amount_minor)
            OR ends.fees <> (
                round(hold.freelancer_fee_minor::numeric * hold.awarded_minor / hold.amount_minor)
                + round(hold.client_fee_minor::numeric * hold.awarded_minor / hold.amount_minor)))
        """,
    ),
    Check(
        "fundings that were paid are in the books with their amount, and filled their holds",
        "payments_funding",
        """
        SELECT format('funding %s (%s) is %s: %s asked for, %s in its parts, %s in the books',
                      funding.id, funding.ref, funding.status, funding.amount_minor, parts.amount,
                      books.amount)
        FROM payments_funding AS funding
        LEFT JOIN LATERAL (
            SELECT sum(part.amount_minor + part.client_fee_minor) AS amount,
                   bool_and(part.amount_minor = hold.amount_minor
                            AND part.client_fee_minor = hold.client_fee_minor) AS alike
            FROM payments_fundingpart AS part JOIN payments_hold AS hold ON hold.id = part.hold_id
            WHERE part.funding_id = funding.id
        ) AS parts ON true
        LEFT JOIN LATERAL (
            SELECT -sum(entry.amount) AS amount
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE journal.idempotency_key = 'charge:' || funding.charge_id
              AND account.role = 'stripe_balance'
        ) AS books ON true
        WHERE parts.amount IS DISTINCT FROM funding.amount_minor::numeric OR NOT parts.alike
           OR (funding.status IN ('paid', 'returned')
               AND books.amount IS DISTINCT FROM funding.amount_minor::numeric)
           OR (funding.status = 'quarantined' AND books.amount IS NULL)
        """,
    ),
    Check(
        "transfers under way are in clearing, and not for long",
        "payments_transfer",
        """
        SELECT format('transfer %s (%s) of %s is %s since %s: %s in clearing', transfer.id,
                      transfer.ref, transfer.amount_minor, transfer.status, transfer.created_at,
                      coalesce(clearing.posted, 0))
        FROM payments_transfer AS transfer
        LEFT JOIN held_now AS clearing
             ON clearing.role = 'transfer_clearing' AND clearing.owner_key = transfer.ref
        WHERE coalesce(clearing.posted, 0)
              <> CASE transfer.status WHEN 'sending'
                 THEN transfer.amount_minor - transfer.set_off_minor - transfer.given_back_minor
                 ELSE 0 END
           OR (transfer.status = 'sending' AND transfer.due_at < %(transfer_since)s)
        """,
    ),
    Check(
        "transfers are in the books with their amount",
        "payments_transfer",
        """
        SELECT format('transfer %s (%s) is of %s, in the books of %s', transfer.id, transfer.ref,
                      transfer.amount_minor, books.amount)
        FROM payments_transfer AS transfer
        LEFT JOIN LATERAL (
            SELECT sum(entry.amount) AS amount
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            JOIN payments_hold AS hold ON hold.id = transfer.hold_id
            WHERE (transfer.returns_id IS NULL AND journal.idempotency_key = 'end:' || hold.ref
                   AND account.role = 'pending')
               OR (transfer.returns_id IS NOT NULL
                   AND journal.idempotency_key = 'surplus:' || transfer.ref
                   AND account.role = 'payable')
        ) AS books ON true
        WHERE books.amount IS DISTINCT FROM transfer.amount_minor::numeric
        """,
    ),
    Check(
        "payees are owed what waits for them",
        "payments_transfer",
        """
        SELECT format('party %s (%s) waits for %s %s and %s owed, the books say %s and %s',
                      party.id, party.ref, waits.pending, waits.currency, waits.payable,
                      coalesce(pending.posted, 0), coalesce(payable.posted, 0))
        FROM (SELECT payee_id, currency,
                     coalesce(sum(amount_minor - given_back_minor)
                              FILTER (WHERE status = 'waiting'), 0) AS pending,
                     coalesce(sum(amount_minor - set_off_minor - given_back_minor)
                              FILTER (WHERE status IN ('blocked', 'failed')), 0) AS payable
              FROM payments_transfer GROUP BY 1, 2) AS waits
        JOIN accounts_party AS party ON party.id = waits.payee_id
        LEFT JOIN held_now AS pending ON pending.role = 'pending'
             AND pending.owner_key = party.ref AND pending.currency = waits.currency
        LEFT JOIN held_now AS payable ON payable.role = 'payable'
             AND payable.owner_key = party.ref AND payable.currency = waits.currency
        WHERE coalesce(pending.posted, 0) <> waits.pending
           OR coalesce(payable.posted, 0) <> waits.payable
        """,
    ),
    Check(
        "what payees gave back is in the books, with its fees, and off their earnings",
        "payments_giveback",
        """
        SELECT format('hold %s (%s): %s given back, the rows say %s of %s and %s, the books %s',
                      hold.id, hold.ref, hold.given_back_minor, rows.amount, rows.to_payer,
                      rows.fees, books.to_payer)
        FROM payments_hold AS hold
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS amount, coalesce(sum(fees_minor), 0) AS fees,
                   coalesce(sum(to_payer_minor), 0) AS to_payer
            FROM payments_giveback WHERE hold_id = hold.id AND status = 'done'
        ) AS rows ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(entry.amount) FILTER (WHERE account.role = 'refund_clearing'), 0)
                       AS to_payer,
                   coalesce(-sum(entry.amount)
                            FILTER (WHERE account.role IN ('fee_revenue', 'vat_payable')), 0)
                       AS fees
            FROM payments_giveback AS back
            JOIN payments_journal AS journal
                 ON journal.idempotency_key = 'give_back:' || back.ref
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE back.hold_id = hold.id
        ) AS books ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(hold.awarded_minor, 0) - hold.given_back_minor AS minor
        ) AS kept
        WHERE rows.amount <> hold.given_back_minor
           OR (books.to_payer, books.fees) <> (rows.to_payer, rows.fees)
           OR (hold.given_back_minor > 0 AND rows.fees <>
                 round(hold.freelancer_fee_minor::numeric * hold.awarded_minor / hold.amount_minor)
               + round(hold.client_fee_minor::numeric * hold.awarded_minor / hold.amount_minor)
               - round(hold.freelancer_fee_minor::numeric * kept.minor / hold.amount_minor)
               - round(hold.client_fee_minor::numeric * kept.minor / hold.amount_minor))
        """,
    ),
    Check(
        "refunds under way are in clearing, and not for long",
        "payments_refund",
        """
        SELECT format('refund %s (%s) of %s is %s since %s: %s in clearing', refund.id,
                      refund.ref, refund.amount_minor, refund.status, refund.created_at,
                      coalesce(clearing.posted, 0))
        FROM payments_refund AS refund
        LEFT JOIN held_now AS clearing
             ON clearing.role = 'refund_clearing' AND clearing.owner_key = refund.ref
        WHERE coalesce(clearing.posted, 0)
              <> CASE WHEN refund.status IN ('requested', 'pending') THEN refund.amount_minor
                      ELSE 0 END
           OR (refund.status IN ('requested', 'pending') AND refund.created_at < %(refund_since)s)
        """,
    ),
    Check(
        "refunds are in the books with their amount",
        "payments_refund",
        """
        SELECT format('refund %s (%s) is of %s, in the books of %s', refund.id, refund.ref,
                      refund.amount_minor, books.amount)
        FROM payments_refund AS refund
        LEFT JOIN LATERAL (
            SELECT sum(entry.amount) AS amount
            FROM payments_entry AS entry JOIN payments_account AS account
                 ON account.id = entry.account_id
            WHERE account.role = 'refund_clearing' AND account.owner_key = refund.ref
              AND entry.amount > 0
        ) AS books ON true
        WHERE books.amount IS DISTINCT FROM refund.amount_minor::numeric
        """,
    ),
    Check(
        "payers have credit for what could not be refunded",
        "payments_refund",
        """
        SELECT format('party %s (%s) should have credit of %s %s, the books say %s', party.id,
                      party.ref, failed.amount, failed.currency, coalesce(credit.posted, 0))
        FROM (SELECT payer_id, currency,
                     coalesce(sum(amount_minor) FILTER (WHERE status = 'failed'), 0) AS amount
              FROM payments_refund GROUP BY 1, 2) AS failed
        JOIN accounts_party AS party ON party.id = failed.payer_id
        LEFT JOIN held_now AS credit ON credit.role = 'client_credit'
             AND credit.owner_key = party.ref AND credit.currency = failed.currency
        WHERE coalesce(credit.posted, 0) <> failed.amount
        """,
    ),
    Check(
        "what banks took and gave back is in the books, and somebody bears it",
        "payments_chargebackmovement",
        """
        SELECT format('movement %s (%s) of %s with a fee of %s: %s in the books, borne by %s',
                      movement.id, movement.stripe_id, movement.amount_minor, movement.fee_minor,
                      books.amount, borne.amount)
        FROM payments_chargebackmovement AS movement
        LEFT JOIN LATERAL (
            SELECT sum(entry.amount) AS amount
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE journal.idempotency_key = 'dispute:' || movement.stripe_id
              AND account.role = 'stripe_balance'
        ) AS books ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS amount FROM payments_chargebackpart
            WHERE movement_id = movement.id
        ) AS borne ON true
        WHERE coalesce(books.amount, 0) <> movement.fee_minor - movement.amount_minor
           OR borne.amount <> abs(movement.amount_minor)
        """,
    ),
    Check(
        "payees owe what banks took of their earnings, less what was collected",
        "payments_chargebackpart",
        """
        SELECT format('party %s (%s) should owe %s %s, the books say %s', party.id, party.ref,
                      owes.amount, owes.currency, -coalesce(books.posted, 0))
        FROM (SELECT party_id, currency, sum(amount) AS amount FROM (
                  SELECT hold.payee_id AS party_id, hold.currency, taken.amount
                  FROM taken JOIN payments_hold AS hold ON hold.id = taken.hold_id
                  WHERE taken.bearer = 'payee'
                  UNION ALL
                  SELECT payee_id, currency, CASE WHEN returns_id IS NULL THEN -set_off_minor
                                                  ELSE amount_minor - set_off_minor END
                  FROM payments_transfer
                  UNION ALL
                  SELECT transfer.payee_id, transfer.currency, -reversal.amount_minor
                  FROM payments_transferreversal AS reversal
                  JOIN payments_transfer AS transfer ON transfer.id = reversal.transfer_id
                  LEFT JOIN payments_giveback AS back ON back.id = reversal.give_back_id
                  WHERE reversal.status = 'done'
                    AND (back.id IS NULL OR back.status = 'overtaken')) AS steps
              GROUP BY 1, 2) AS owes
        JOIN accounts_party AS party ON party.id = owes.party_id
        LEFT JOIN held_now AS books ON books.role = 'freelancer_receivable'
             AND books.owner_key = party.ref AND books.currency = owes.currency
        WHERE -coalesce(books.posted, 0) <> owes.amount
        """,
    ),
    Check(
        "invoices say what was earned",
        "payments_invoice",
        """
        SELECT format('invoice %s (%s) is of %s with %s VAT, its paper of %s with %s, the hold '
                      'says %s', invoice.id, invoice.number, invoice.total_minor, invoice.tax_minor,
                      invoice.document->>'total_minor', invoice.document->>'tax_minor',
                      right_one.amount)
        FROM payments_invoice AS invoice
        JOIN payments_hold AS hold ON hold.id = invoice.hold_id
        CROSS JOIN LATERAL (
            SELECT CASE invoice.kind WHEN 'work' THEN hold.awarded_minor ELSE round(
                CASE invoice.kind WHEN 'client_fee' THEN hold.client_fee_minor
                                  ELSE hold.freelancer_fee_minor END::numeric
                * hold.awarded_minor / hold.amount_minor) END AS amount
        ) AS right_one
        WHERE invoice.kind <> 'credit_note' AND (
            invoice.total_minor <> right_one.amount
            OR (invoice.document->>'total_minor')::bigint <> invoice.total_minor
            OR coalesce((invoice.document->>'tax_minor')::bigint, 0) <> invoice.tax_minor
            OR invoice.tax_minor <> round(invoice.total_minor::numeric * invoice.tax_rate_bps
                                          / (10000 + invoice.tax_rate_bps)))
        """,
    ),
    Check(
        "the VAT on our fee invoices is owed in the books",
        "payments_invoice",
        """
        SELECT format('hold %s (%s): %s VAT on its fee invoices less their credit notes, %s in '
                      'the books', hold.id, hold.ref, paper.tax, books.tax)
        FROM payments_hold AS hold
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(CASE WHEN kind = 'credit_note' THEN -tax_minor
                                     ELSE tax_minor END), 0) AS tax
            FROM payments_invoice AS invoice
            WHERE invoice.hold_id = hold.id AND invoice.seller_id IS NULL
        ) AS paper ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(entry.amount), 0) AS tax
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE account.role = 'vat_payable' AND journal.idempotency_key IN (
                SELECT 'end:' || hold.ref UNION ALL
                SELECT 'give_back:' || back.ref FROM payments_giveback AS back
                WHERE back.hold_id = hold.id)
        ) AS books ON true
        WHERE paper.tax <> books.tax
        """,
    ),
    Check(
        "credit notes say what they take back, and no more than there was",
        "payments_invoice",
        """
        SELECT format('invoice %s (%s) is of %s with %s VAT, credited %s with %s', corrected.id,
                      corrected.number, corrected.total_minor, corrected.tax_minor, notes.total,
                      notes.tax)
        FROM payments_invoice AS corrected
        JOIN LATERAL (
            SELECT sum(total_minor) AS total, sum(tax_minor) AS tax,
                   bool_and((document->>'total_minor')::bigint = total_minor
                            AND (document->>'tax_minor')::bigint = tax_minor) AS alike
            FROM payments_invoice WHERE corrects_id = corrected.id
        ) AS notes ON true
        WHERE notes.total > corrected.total_minor OR NOT notes.alike
           -- Whatever the order of the notes, together they took the VAT of their sum.
           OR notes.tax <> round(notes.total * corrected.tax_minor / corrected.total_minor)
        """,
    ),
    Check(
        "invoice numbers have no gaps",
        "payments_invoicecounter",
        """
        SELECT format('series %s %s of %s: the counter says %s, %s are issued', counter.kind,
                      counter.year, coalesce(counter.seller_id::text, 'the operator'),
                      counter.last, count(invoice.id))
        FROM payments_invoicecounter AS counter
        LEFT JOIN payments_invoice AS invoice ON invoice.kind = counter.kind
             AND invoice.year = counter.year
             AND invoice.seller_id IS NOT DISTINCT FROM counter.seller_id
        GROUP BY counter.id HAVING count(invoice.id) <> counter.last
        """,
    ),
]


def verify() -> Iterator[Finding]:
    """Run every check over one and the same moment, so that traffic is no false alarm.

    Call it outside transactions.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield from findings(cursor)


def findings(cursor: CursorWrapper) -> Iterator[Finding]:
    """What every check finds in the cursor's transaction."""
    now = clock.now()
    facts: dict[str, Any] = {
        "deferred": sorted(role.value for role in ledger.OVERDRAWABLE),
        "no_floor": sorted(role.value for role in ledger.WITHOUT_FLOOR),
        "transfer_since": now - TRANSFER_TAKES,
        "refund_since": now - REFUND_TAKES,
    }
    for check in CHECKS:
        cursor.execute(f"SELECT count(*) FROM {check.table}")  # noqa: S608 - our own names
        counted = int(cursor.fetchone()[0])
        # Without facts Python's placeholders are not looked for, and %s is PostgreSQL's own.
        query, used = HELD_NOW + check.broken, None
        if "%(" in query:
            query, used = query.replace("%s", "%%s"), facts
        cursor.execute(query, used)
        yield Finding(check.title, counted, [row[0] for row in cursor.fetchall()])
