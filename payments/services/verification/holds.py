"""Holds against the books: what is held, what was paid in, what was given away."""

from payments.services.verification.check import Check

CHECKS = [
    Check(
        "what was carried to other work left one hold and came to another by the same charge",
        "payments_hold",
        """
        SELECT format('hold %s (%s): %s and a fee of %s carried on, the holds it went to have %s '
                      'and %s, the books %s and %s', hold.id, hold.ref, hold.carried_minor,
                      hold.carried_fee_minor, rows.amount, rows.fee, books.amount, books.fee)
        FROM payments_hold AS hold
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(part.amount_minor), 0) AS amount,
                   coalesce(sum(part.client_fee_minor), 0) AS fee,
                   coalesce(bool_and(part.carried AND part.taken AND EXISTS (
                       SELECT 1 FROM payments_fundingpart AS first
                       WHERE first.hold_id = hold.id AND first.taken
                         AND first.funding_id = part.funding_id)
                       AND other.held_at = hold.held_at), true) AS alike
            FROM payments_hold AS other
            JOIN payments_fundingpart AS part ON part.hold_id = other.id
            WHERE other.carried_from_id = hold.id
        ) AS rows ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(-sum(entry.amount) FILTER (WHERE account.role = 'held'), 0) AS amount,
                   coalesce(-sum(entry.amount) FILTER (WHERE account.role = 'client_fee_held'), 0)
                       AS fee
            FROM payments_hold AS other
            JOIN payments_journal AS journal ON journal.idempotency_key = 'carry:' || other.ref
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE other.carried_from_id = hold.id AND account.owner_key = hold.ref
        ) AS books ON true
        WHERE (rows.amount, rows.fee) <> (hold.carried_minor, hold.carried_fee_minor)
           OR (books.amount, books.fee) <> (rows.amount, rows.fee) OR NOT rows.alike
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
        WHERE hold.freelancer_fee_minor <> agreed.freelancer
           -- What was carried brings its part of a fee that was rounded once for both.
           OR abs(hold.client_fee_minor - agreed.client)
              > CASE WHEN hold.carried_from_id IS NULL THEN 0 ELSE 1 END
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
        "what is set aside for card disputes is in the books",
        "payments_hold",
        """
        SELECT format('hold %s (%s) has %s set aside, the books say %s', hold.id, hold.ref,
                      hold.reserved_minor, books.reserved)
        FROM payments_hold AS hold
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(entry.amount), 0) AS reserved
            FROM payments_journal AS journal
            JOIN payments_entry AS entry ON entry.journal_id = journal.id
            JOIN payments_account AS account ON account.id = entry.account_id
            WHERE account.role = 'chargeback_reserve' AND journal.idempotency_key IN (
                SELECT 'end:' || hold.ref UNION ALL
                SELECT 'give_back:' || back.ref FROM payments_giveback AS back
                WHERE back.hold_id = hold.id)
        ) AS books ON true
        WHERE books.reserved <> hold.reserved_minor
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
            SELECT sum(part.amount_minor + part.client_fee_minor)
                       FILTER (WHERE NOT part.carried) AS amount,
                   bool_and(part.amount_minor
                                = hold.amount_minor + hold.returned_minor + hold.carried_minor
                            AND part.client_fee_minor
                                = hold.client_fee_minor + hold.returned_fee_minor
                                + hold.carried_fee_minor) AS alike
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
]
