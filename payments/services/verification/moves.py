"""Money that leaves or comes back: transfers, refunds, give-backs, and what banks took."""

from payments.services.verification.check import Check

CHECKS = [
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
               OR (transfer.placement_id IS NOT NULL AND account.role = 'payable'
                   AND journal.idempotency_key = (
                       SELECT 'placed:' || placement.ref FROM payments_placement AS placement
                       WHERE placement.id = transfer.placement_id))
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
            FROM payments_giveback
            WHERE hold_id = hold.id AND status = 'done' AND NOT while_held
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
        "what payees gave back of held money is in the books, and made the agreement smaller",
        "payments_giveback",
        """
        SELECT format('hold %s (%s): %s and a fee of %s given back while held, the rows say %s and '
                      '%s, the books %s and %s', hold.id, hold.ref, hold.returned_minor,
                      hold.returned_fee_minor, rows.amount, rows.fee, books.amount, books.fee)
        FROM payments_hold AS hold
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS amount, coalesce(sum(fees_minor), 0) AS fee
            FROM payments_giveback WHERE hold_id = hold.id AND while_held
        ) AS rows ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(-sum(entry.amount) FILTER (WHERE account.role = 'held'), 0) AS amount,
                   coalesce(-sum(entry.amount) FILTER (WHERE account.role = 'client_fee_held'), 0)
                       AS fee
            FROM payments_giveback AS back
            JOIN payments_journal AS journal ON journal.idempotency_key = 'return:' || back.ref
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE back.hold_id = hold.id
        ) AS books ON true
        WHERE (rows.amount, rows.fee) <> (hold.returned_minor, hold.returned_fee_minor)
           OR (books.amount, books.fee) <> (rows.amount, rows.fee)
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
                  SELECT payee_id, currency, CASE WHEN returns_id IS NULL
                                                       OR placement_id IS NOT NULL
                                                  THEN -set_off_minor
                                                  ELSE amount_minor - set_off_minor END
                  FROM payments_transfer
                  UNION ALL
                  SELECT transfer.payee_id, transfer.currency, -reversal.amount_minor
                  FROM payments_transferreversal AS reversal
                  JOIN payments_transfer AS transfer ON transfer.id = reversal.transfer_id
                  LEFT JOIN payments_giveback AS back ON back.id = reversal.give_back_id
                  WHERE reversal.status = 'done'
                    AND (back.id IS NULL OR back.status = 'overtaken')
                  UNION ALL
                  SELECT payee_id, currency, recovered_minor - amount_minor
                  FROM payments_writeoff WHERE status = 'posted') AS steps
              GROUP BY 1, 2) AS owes
        JOIN accounts_party AS party ON party.id = owes.party_id
        LEFT JOIN held_now AS books ON books.role = 'freelancer_receivable'
             AND books.owner_key = party.ref AND books.currency = owes.currency
        WHERE -coalesce(books.posted, 0) <> owes.amount
        """,
    ),
    Check(
        "debts written off, and what came of them, are in the books",
        "payments_writeoff",
        """
        SELECT format('write-off %s (%s) is %s of %s with %s recovered, the books say %s and %s',
                      write_off.id, write_off.ref, write_off.status, write_off.amount_minor,
                      write_off.recovered_minor, books.lost, books.recovered)
        FROM payments_writeoff AS write_off
        LEFT JOIN LATERAL (
            SELECT coalesce(-sum(entry.amount) FILTER (WHERE journal.kind = 'written_off'), 0)
                       AS lost,
                   coalesce(sum(entry.amount) FILTER (WHERE journal.kind = 'recovered'), 0)
                       AS recovered
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE journal.ref = write_off.ref AND account.role = 'bad_debt'
        ) AS books ON true
        WHERE (books.lost, books.recovered)
              <> (CASE write_off.status WHEN 'posted' THEN write_off.amount_minor ELSE 0 END,
                  write_off.recovered_minor)
        """,
    ),
    Check(
        "what banks gave back too late waits for a person, or went where one said",
        "payments_placement",
        """
        SELECT format('part %s of %s: %s placed, the books say %s to the payee, %s to the payer, '
                      '%s ours', part.id, part.amount_minor, placed.amount_minor, books.to_payee,
                      books.to_payer, books.ours)
        FROM payments_placement AS placed
        JOIN payments_chargebackpart AS part ON part.id = placed.part_id
        LEFT JOIN LATERAL (
            SELECT -coalesce(sum(entry.amount) FILTER (WHERE account.role = 'suspense'), 0)
                       AS amount,
                   coalesce(sum(entry.amount) FILTER (WHERE account.role = 'payable'), 0)
                       AS to_payee,
                   coalesce(sum(entry.amount) FILTER (WHERE account.role = 'refund_clearing'), 0)
                       AS to_payer,
                   coalesce(sum(entry.amount) FILTER (WHERE account.role = 'chargeback_loss'), 0)
                       AS ours
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE journal.idempotency_key = 'placed:' || placed.ref
        ) AS books ON true
        WHERE placed.amount_minor <> part.amount_minor
           OR (books.amount, books.to_payee, books.to_payer, books.ours)
              <> (CASE placed.status WHEN 'posted' THEN placed.amount_minor ELSE 0 END,
                  CASE placed.status WHEN 'posted' THEN placed.to_payee_minor ELSE 0 END,
                  CASE placed.status WHEN 'posted' THEN placed.to_payer_minor ELSE 0 END,
                  CASE placed.status WHEN 'posted' THEN placed.amount_minor
                       - placed.to_payee_minor - placed.to_payer_minor ELSE 0 END)
        """,
    ),
]
