"""Celery doors of matching, all on the queue "matching"; and where the outbox enters."""

from celery import shared_task
from django.db import transaction

from marketplace.core import outbox
from marketplace.core.models import OutboxMessage
from matching import (
    appeal_services,
    log_services,
    services,
    skill_services,
    whynot_services,
)
from matching.insight.services import nightly
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


@shared_task(acks_late=True)
def seal_rankings() -> None:
    """Seal what is not sealed yet. Safe to run twice."""
    while log_services.seal_rankings():
        pass


@shared_task(acks_late=True, soft_time_limit=6 * 3600, time_limit=6 * 3600 + 60)
def build_files() -> None:
    """Build the files of a big market. A second one at the same time finds the lock taken."""
    services.build_files()


@shared_task(acks_late=True, soft_time_limit=6 * 3600, time_limit=6 * 3600 + 60)
def keep_files() -> None:
    """The same where it is time for it. Safe to repeat."""
    services.keep_files()


@outbox.handles("matching")
def pass_on(message: OutboxMessage) -> None:
    """Hand a change to the matching queue; whatever is lost there the sweep finds."""
    rank = rank_people if message.payload["changed"] == "project" else rank_projects
    with transaction.atomic():
        outbox.nudge(rank, message.payload["id"], MatchRun.Why.CHANGED.value)
        outbox.done(message)


@shared_task(acks_late=True)
def read_skills(reading_id: int) -> None:
    """Read which skills a text asks for. Safe to run twice."""
    skill_services.read(reading_id)


@shared_task(acks_late=True, soft_time_limit=800, time_limit=850)
def learn_tags() -> None:
    """Learn from clients' choices. Twice is twice the work and the same lesson."""
    skill_services.learn_tags()


@shared_task(acks_late=True)
def forget_skill_readings() -> None:
    """Drop what was read yesterday. Safe to repeat."""
    skill_services.forget_readings()


@shared_task(acks_late=True, soft_time_limit=120, time_limit=150)
def find_out_why_not(why_not_id: int) -> None:
    """Tell a freelancer where they stand for a project, and why. Safe to run twice."""
    whynot_services.find_out(why_not_id)


@shared_task(acks_late=True)
def remind_of_appeals() -> None:
    """Tell staff of appeals that wait too long. Safe beside itself: rows are locked."""
    appeal_services.remind_due()


@shared_task(acks_late=True, soft_time_limit=1500, time_limit=1550)
def count_night() -> None:
    """Count prices, demand, supply and pairs of skills. Twice is the same as once."""
    nightly.count_night()
