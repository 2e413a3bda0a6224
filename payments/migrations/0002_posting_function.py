"""The ledger's door in the database: one journal with its entries in one round trip."""

from django.db import migrations

CREATE = """
CREATE FUNCTION payments_post(
    in_key text, in_fingerprint text, in_kind text, in_ref text, in_actor bigint,
    in_reverses bigint, in_at timestamptz,
    in_roles text[], in_owners text[], in_currencies text[], in_amounts bigint[]
) RETURNS SETOF payments_journal LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    accounts bigint[];
    written payments_journal;
BEGIN
    SELECT array_agg(account.id ORDER BY leg.number) INTO accounts
    FROM unnest(in_roles, in_owners, in_currencies) WITH ORDINALITY
         AS leg (role, owner_key, currency, number)
    JOIN payments_account AS account USING (role, owner_key, currency);
    -- An account is missing: the caller opens it and comes back.
    IF coalesce(cardinality(accounts), 0) < cardinality(in_amounts) THEN
        RETURN;
    END IF;

    INSERT INTO payments_journal
        (idempotency_key, fingerprint, kind, ref, actor_id, reverses_id, created_at)
    VALUES (in_key, in_fingerprint, in_kind, in_ref, in_actor, in_reverses, in_at)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING * INTO written;
    -- Posted before: nothing moves. The caller compares the fingerprints.
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM payments_journal WHERE idempotency_key = in_key;
        RETURN;
    END IF;

    -- One statement: its trigger moves all balances together, in one order for everybody.
    INSERT INTO payments_entry (journal_id, account_id, currency, amount)
    SELECT written.id, leg.account_id, leg.currency, leg.amount
    FROM unnest(accounts, in_currencies, in_amounts) AS leg (account_id, currency, amount);
    RETURN NEXT written;
END
$$;
"""
DROP = """
DROP FUNCTION payments_post(
    text, text, text, text, bigint, bigint, timestamptz, text[], text[], text[], bigint[]
)
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
