"""Who did what: append-only rows, sealed in batches into a hash chain."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Func

from marketplace.core.fields import Xid8Field


def no_truncate() -> pgtrigger.Trigger:
    """Keeps a table from being emptied; row triggers do not see TRUNCATE."""
    return pgtrigger.Trigger(
        name="no_truncate",
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
    )


class AuditRow(models.Model):
    """One act, written in the act's own transaction.

    Holds ids and facts of the act, no names or texts of people, so that a person can be erased
    without touching it. `xid` lets the sealer take committed rows only.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=True
    )
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    facts = models.JSONField(default=dict)
    xid = Xid8Field(db_default=Func(function="pg_current_xact_id"), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "id"], name="audit_subject"),
            models.Index(fields=["at"], name="audit_at"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"


class AuditSeal(models.Model):
    """One link of the chain: the digest of a batch of rows and of the link before it."""

    sealed_at = models.DateTimeField()
    first_row = models.BigIntegerField()
    last_row = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    # Rows whose transaction id is below this were all committed or gone when we looked.
    below_xid = Xid8Field()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["previous"], name="audit_seal_one_chain"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return f"seal {self.pk}: {self.rows} rows"
