"""Celery doors of matching, all on the queue "matching"; and where the outbox enters."""

from celery import shared_task
from django.db import transaction

from marketplace.core import outbox
from marketplace.core.models import OutboxMessage
from matching import services
from matching.models import MatchRun


@shared_task(acks_late=True)
def rank_people(project_id: int, why: str) -> None:
    """Find people for a project. Safe to run twice."""
    parties = services.rank_people(project_id, why=why)
    if why == MatchRun.Why.CHANGED:
        for party_id in parties:
            outbox.nudge(rank_projects, party_id, MatchRun.Why.OTHER_SIDE.value)


@shared_task(acks_late=True)
def rank_projects(party_id: int, why: str) -> None:
    """Find projects for a freelancer. Safe to run twice."""
    projects = services.rank_projects(party_id, why=why)
    if why == MatchRun.Why.CHANGED:
        for project_id in projects:
            outbox.nudge(rank_people, project_id, MatchRun.Why.OTHER_SIDE.value)


@shared_task(acks_late=True)
def rank_stale() -> None:
    """Rank what no nudge reached. Safe beside itself: a list written twice is the same list."""
    services.rank_stale()


@outbox.handles("matching")
def pass_on(message: OutboxMessage) -> None:
    """Hand a change to the matching queue; whatever is lost there the sweep finds."""
    rank = rank_people if message.payload["changed"] == "project" else rank_projects
    with transaction.atomic():
        outbox.nudge(rank, message.payload["id"], MatchRun.Why.CHANGED.value)
        outbox.done(message)
