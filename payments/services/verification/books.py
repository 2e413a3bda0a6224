"""The books in themselves: journals, entries, balances, roll-ups."""

from payments.services.verification.check import Check

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
]
