"""A past to count: finished contracts and postings as rows, many at once."""

import datetime as dt
from itertools import cycle, islice

from django.db import transaction

from accounts.models import Skill
from marketplace.core import clock
from payments.services import policies
from projects.models import Bid, Contract, Milestone, Project


def euros(*amounts):
    return [amount * 100 for amount in amounts]


@transaction.atomic
def posted(by, n, *, skills=("Django",), title="Ticket checkout", days_ago=40, currency="EUR"):
    """`n` published projects of these clients in turn."""
    at = clock.now() - dt.timedelta(days=days_ago)
    projects = Project.objects.bulk_create(
        Project(
            client=user.own_party,
            posted_by=user,
            title=title,
            description="Three pages.",
            currency=currency,
            status=Project.Status.OPEN,
            published_at=at,
            expires_at=at + dt.timedelta(days=365),
        )
        for user in islice(cycle(by), n)
    )
    link = Project.skills.through
    wanted = [Skill.objects.get(name=name) for name in skills]
    link.objects.bulk_create(
        link(project=project, skill=skill) for project in projects for skill in wanted
    )
    return projects


@transaction.atomic
def bids(projects, by, *, price=900_00, status="sent"):
    """A bid of each of these freelancers on each project."""
    closed = None if status == "sent" else clock.now()
    return Bid.objects.bulk_create(
        Bid(
            project=project,
            freelancer=user.own_party,
            sent_by=user,
            status=status,
            price_minor=price,
            currency=project.currency,
            days=10,
            message="I would start tomorrow.",
            ai_use="no",
            closed_at=closed,
        )
        for project in projects
        for user in by
    )


@transaction.atomic
def finished(by, freelancers, prices, *, days_ago=30, status="completed", **posting):
    """A contract for each price, of these clients and freelancers in turn."""
    ended = clock.now() - dt.timedelta(days=days_ago)
    projects = posted(by, len(prices), days_ago=days_ago + 60, **posting)
    policy, made = policies.current(), []
    for project, user, price in zip(projects, cycle(freelancers), prices, strict=False):
        [bid] = bids([project], [user], price=price, status="accepted")
        made.append(
            Contract(
                status=status,
                project=project,
                bid=bid,
                client=project.client,
                freelancer=user.own_party,
                policy=policy,
                title=project.title,
                price_minor=price,
                currency=project.currency,
                review_days=14,
                change_rounds=2,
                ai_policy="ask",
                ai_use="no",
                terms="Agreed.",
                terms_sha256="0" * 64,
                freelancer_agreed_by=user,
                freelancer_agreed_at=ended,
                client_agreed_by=project.posted_by,
                client_agreed_at=ended,
                ended_at=ended,
            )
        )
    contracts = Contract.objects.bulk_create(made)
    Milestone.objects.bulk_create(
        Milestone(contract=each, position=1, title="All of it", amount_minor=each.price_minor)
        for each in contracts
    )
    return contracts
