"""What is forgotten, and when. The core's own rows are here; apps register theirs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from marketplace.core import clock
from marketplace.core.models import Draft, IdempotentCall, OutboxMessage

DRAFTS_LIVE = timedelta(days=30)
# Longer than anyone retries a call; Stripe forgets its own keys after a day.
ANSWERS_LIVE = timedelta(days=7)
# Mails have lost their text already; the row only keeps its key from being used twice.
MAIL_ROWS_LIVE = timedelta(days=90)
# One statement must not outlast its time limit; what is left goes the next hour.
MOST_AT_ONCE = 5_000

Old = Callable[[], "QuerySet[Any]"]
RULES: dict[str, Old] = {}


def forgets(name: str) -> Callable[[Old], Old]:
    """Register the rows that have served their purpose by now, under a name for the log."""

    def register(old: Old) -> Old:
        RULES[name] = old
        return old

    return register


@forgets("drafts")
def _drafts() -> "QuerySet[Draft]":
    return Draft.objects.filter(updated_at__lt=clock.now() - DRAFTS_LIVE)


@forgets("answers")
def _answers() -> "QuerySet[IdempotentCall]":
    return IdempotentCall.objects.filter(created_at__lt=clock.now() - ANSWERS_LIVE)


@forgets("mail")
def _mail() -> "QuerySet[OutboxMessage]":
    return OutboxMessage.objects.filter(
        topic="mail",
        state=OutboxMessage.State.DONE,
        done_at__lt=clock.now() - MAIL_ROWS_LIVE,
    )


def forget_old() -> dict[str, int]:
    """Remove what has served its purpose; returns how many rows of each. Safe to repeat."""
    return {name: _forget(old()) for name, old in RULES.items()}


def _forget(rows: "QuerySet[Any]") -> int:
    oldest = rows.order_by("pk").values("pk")[:MOST_AT_ONCE]
    removed, _of_each = rows.model._default_manager.filter(pk__in=oldest).delete()
    return int(removed)
