"""What has served its purpose is forgotten, and nothing else."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from marketplace.core import clock, retention
from marketplace.core.models import Draft, OutboxMessage
from matching.models import Match, MatchRun
from payments.models import StripeEvent
from tests.factories import ProjectFactory, UserFactory

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


def test_read_events_of_stripe_go_after_the_days_of_the_settings_and_unread_ones_never(settings):
    settings.STRIPE_EVENT_DAYS = 90
    now = clock.now()
    for name, state, days in [
        ("read", "done", 91),
        ("young", "done", 89),
        ("of no interest", "ignored", 91),
        ("waits", "pending", 900),
        ("parked", "parked", 900),
    ]:
        at = now - dt.timedelta(days=days)
        StripeEvent.objects.create(
            event_id=name,
            type="x",
            state=state,
            happened_at=at,
            received_at=at,
            due_at=at,
            done_at=at if state == "done" else None,
        )
    assert retention.forget_old()["stripe_events"] == 2
    left = set(StripeEvent.objects.values_list("event_id", flat=True))
    assert left == {"young", "waits", "parked"}


def test_rankings_go_after_the_days_of_the_settings_unless_they_are_shown(settings):
    settings.MATCH_RUN_DAYS = 400
    party = UserFactory().own_party
    runs = {}
    for name, days in (("old", 401), ("shown", 401), ("young", 399)):
        at = clock.now() - dt.timedelta(days=days)
        run = {"kind": "projects", "party": party, "why": "sweep", "engine": "1", "at": at}
        runs[name] = MatchRun.objects.create(**run, took_ms=1, considered=0, results=[])
    project = ProjectFactory()
    Match.objects.create(
        run=runs["shown"],
        kind="projects",
        project=project,
        party=party,
        rank=1,
        score=1.0,
        features={},
        reasons=[],
        engine="1",
        computed_at=clock.now(),
    )
    assert retention.forget_old()["rankings"] == 1
    assert set(MatchRun.objects.all()) == {runs["shown"], runs["young"]}


def test_no_ranking_goes_before_half_a_year_and_none_is_changed():
    party = UserFactory().own_party
    at = clock.now() - dt.timedelta(days=180)
    run = {"kind": "projects", "party": party, "why": "sweep", "engine": "1", "at": at}
    MatchRun.objects.create(**run, took_ms=1, considered=0, results=[])
    for change in (MatchRun.objects.all().delete, lambda: MatchRun.objects.update(took_ms=2)):
        with pytest.raises(IntegrityError, match="half a year"), transaction.atomic():
            change()


def test_so_many_at_once_and_the_rest_the_next_hour(monkeypatch):
    monkeypatch.setattr(retention, "MOST_AT_ONCE", 2)
    for number in range(3):
        Draft.objects.create(
            session_key=f"s{number}",
            kind="bid",
            updated_at=clock.now() - dt.timedelta(days=31),
        )
    assert [retention.forget_old()["drafts"] for _hour in range(3)] == [2, 1, 0]
