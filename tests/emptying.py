"""Empty the tables after a test that really committed.

Django's flush is a TRUNCATE of everything, which our append-only guards refuse and which would
take the rows that migrations ship (policy, skills) with it.
"""

from django.db import connection
from django.test import TransactionTestCase

SHIPPED = {
    "accounts_skill",
    "accounts_skillalias",
    "accounts_skilllink",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "matching_matchmodel",
    "payments_platformpolicy",
    "payments_vatrate",
}


def empty_tables(_test_case):
    tables = set(connection.introspection.table_names()) - SHIPPED
    names = ", ".join(f'"{table}"' for table in sorted(tables))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgtype & 32 > 0"  # fires on TRUNCATE
        )
        guarded = [row[0] for row in cursor.fetchall()]
        statements = [
            *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in guarded),
            f"TRUNCATE {names}",
            # The first policy is shipped; later ones were a test's own.
            "DELETE FROM payments_platformpolicy WHERE starts_at > '2020-01-01 12:00Z'",
            "DELETE FROM payments_vatrate WHERE set_by_id IS NOT NULL",
            # The weights that came with the software stay, and rank.
            "UPDATE matching_matchmodel SET replaced_id = NULL, status = 'retired'",
            "DELETE FROM matching_matchmodel WHERE id > (SELECT min(id) FROM matching_matchmodel)",
            "UPDATE matching_matchmodel SET status = 'active', active_since = NULL",
            "SET CONSTRAINTS ALL IMMEDIATE",
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in guarded),
        ]
        cursor.execute("BEGIN; " + "; ".join(statements) + "; COMMIT")


TransactionTestCase._fixture_teardown = empty_tables
