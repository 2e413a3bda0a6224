"""Invoices, their VAT and their numbers, against what was earned."""

from payments.services.verification.check import Check

CHECKS = [
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
