"""What the core forgets, and when."""

from datetime import timedelta

from marketplace.core import clock
from marketplace.core.models import Draft, IdempotentCall, OutboxMessage

DRAFTS_LIVE = timedelta(days=30)
# Longer than anyone retries a call; Stripe forgets its own keys after a day.
ANSWERS_LIVE = timedelta(days=7)
# Mails have lost their text already; the row only keeps its key from being used twice.
MAIL_ROWS_LIVE = timedelta(days=90)


def forget_old() -> dict[str, int]:
    """Remove what has served its purpose; returns how many rows of each. Safe to repeat."""
    now = clock.now()
    old = {
        "drafts": Draft.objects.filter(updated_at__lt=now - DRAFTS_LIVE),
        "answers": IdempotentCall.objects.filter(created_at__lt=now - ANSWERS_LIVE),
        "mail": OutboxMessage.objects.filter(
            topic="mail", state=OutboxMessage.State.DONE, done_at__lt=now - MAIL_ROWS_LIVE
        ),
    }
    return {name: rows.delete()[0] for name, rows in old.items()}
