"""Tables that know no word of the marketplace."""

from marketplace.core.models.audit import AuditRow, AuditSeal
from marketplace.core.models.drafts import Draft
from marketplace.core.models.files import StoredFile
from marketplace.core.models.idempotency import IdempotentCall
from marketplace.core.models.outbox import OutboxMessage

__all__ = ["AuditRow", "AuditSeal", "Draft", "IdempotentCall", "OutboxMessage", "StoredFile"]
