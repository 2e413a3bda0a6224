"""What has served its purpose is forgotten, and nothing else."""

import datetime as dt

import pytest

from marketplace.core import clock, retention
from marketplace.core.models import Draft, OutboxMessage

pytestmark = pytest.mark.django_db


def test_drafts_are_forgotten_after_thirty_days_without_a_change():
    now = clock.now()
    for days in (29, 31):
        Draft.objects.create(
            session_key=f"s{days}", kind="bid", updated_at=now - dt.timedelta(days=days)
        )
    assert retention.forget_old()["drafts"] == 1
    assert Draft.objects.get().session_key == "s29"


def test_only_finished_old_mail_rows_go():
    long_ago = clock.now() - dt.timedelta(days=100)
    for key, topic, state in [
        ("a", "mail", "done"),
        ("b", "mail", "parked"),
        ("c", "stripe", "done"),
    ]:
        OutboxMessage.objects.create(
            key=key,
            topic=topic,
            state=state,
            due_at=long_ago,
            created_at=long_ago,
            done_at=long_ago if state == "done" else None,
        )
    assert retention.forget_old()["mail"] == 1
    assert set(OutboxMessage.objects.values_list("key", flat=True)) == {"b", "c"}
