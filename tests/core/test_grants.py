"""What the role that serves the product may do: S(elect), I(nsert), U(pdate), D(elete).

A new table fails here until somebody has thought about it.
"""

import pytest
from django.db import connection

from marketplace.core.grants import APP_ROLE

VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE", "T": "TRUNCATE"}

MAY = """
RIGHTS
"""


def rights():
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        found = {}
        for table in sorted(tables):
            may = ""
            for letter, verb in VERBS.items():
                cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [APP_ROLE, table, verb])
                may += letter if cursor.fetchone()[0] else ""
            found[table] = may
    return found


@pytest.mark.django_db(transaction=True)
def test_mo_04_the_serving_role_may_do_with_each_table_what_is_written_here(app_role):
    expected = dict(line.split() for line in MAY.strip().splitlines())
    assert rights() == expected


def test_nothing_about_money_can_be_deleted_by_the_serving_role():
    expected = dict(line.split() for line in MAY.strip().splitlines())
    deletable = {t for t, may in expected.items() if t.startswith("payments_") and "D" in may}
    assert deletable == {
        # What a payee told the tax office goes when they are erased.
        "payments_sellerdetails",
        # Read events are forgotten.
        "payments_stripeevent",
        "payments_eventpoll",
    }
