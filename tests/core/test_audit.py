"""The audit log is append-only, and its chain shows what was touched."""

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction

from marketplace.core import audit
from marketplace.core.models import AuditRow
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def three_acts():
    user = UserFactory()
    with transaction.atomic():
        return [audit.record(user, f"test.act{n}", user, n=n) for n in range(3)]


def test_sealing_chains_committed_rows_once():
    three_acts()
    link = audit.seal()
    assert link.rows == AuditRow.objects.count()
    assert audit.seal() is None
    three_acts()
    assert audit.seal().previous == link.digest
    assert audit.verify()[2] == []


def test_a_row_cannot_be_changed_or_removed():
    row = three_acts()[0]
    with pytest.raises(InternalError), transaction.atomic():
        AuditRow.objects.filter(pk=row.pk).update(action="test.other")
    with pytest.raises(InternalError), transaction.atomic():
        row.delete()


def test_a_change_behind_the_triggers_back_is_named():
    row = three_acts()[1]
    audit.seal()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditrow DISABLE TRIGGER USER")
        cursor.execute("UPDATE core_auditrow SET action = 'test.forged' WHERE id = %s", [row.pk])
        cursor.execute("ALTER TABLE core_auditrow ENABLE TRIGGER USER")
    with pytest.raises(CommandError, match="1 of 1 links"):
        call_command("verify_audit")


def test_a_removed_row_is_named_too():
    row = three_acts()[1]
    audit.seal()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditrow DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM core_auditrow WHERE id = %s", [row.pk])
        cursor.execute("ALTER TABLE core_auditrow ENABLE TRIGGER USER")
    assert "rows were sealed" in audit.verify()[2][0]
