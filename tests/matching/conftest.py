"""A small market: projects through the services, finished work as rows."""

import datetime as dt

import pytest
from django.db import transaction

from accounts.models import Skill, User
from marketplace.core import clock
from matching import memory, people_files
from payments.services import policies
from projects.models import Bid, Contract, Milestone, Project
from projects.services import posting
from projects.services.wanted import Wanted
from tests.factories import ProfileFactory, UserFactory

CHECKOUT = (
    "We want our ticket checkout rebuilt so that it works with screen readers. Three pages in "
    "Django templates: choosing a date, the number of visitors, and payment."
)


@pytest.fixture(autouse=True)
def fresh_memory():
    """Tests roll back, so what the process remembers of one is wrong in the next."""
    forget_everything()
    yield
    forget_everything()


@pytest.fixture(scope="module")
def _crowd_of_module(django_db_setup, django_db_blocker):
    """Five clients and five freelancers, joined once for all tests of a module."""
    with django_db_blocker.unblock(), transaction.atomic():
        people = [UserFactory(side=side) for side in ("hire", "work") for _each in range(5)]
        yield [user.pk for user in people]
        transaction.set_rollback(True)


@pytest.fixture
def crowd(_crowd_of_module, db):
    """(clients, freelancers), five of each, as if nobody had touched them."""
    people = list(
        User.objects.filter(pk__in=_crowd_of_module).select_related("party__profile").order_by("pk")
    )
    return people[:5], people[5:]


def forget_everything():
    """What starting a worker anew does."""
    memory._kept.clear()
    memory._vectors.clear()
    memory._reported.clear()
    people_files.forget()


def a_client(name="Mara Voss"):
    return UserFactory(side="hire", name=name)


def a_project(client, *, title="Accessible ticket checkout for a museum", **wanted):
    """An open project."""
    draft = posting.save_draft(
        client.own_party,
        by=client,
        wanted=Wanted(
            title=title,
            description=wanted.pop("description", CHECKOUT),
            currency="EUR",
            skills=wanted.pop("skills", ["Django", "Accessibility"]),
            **wanted,
        ),
    )
    return posting.publish(draft, by=client)


def a_freelancer(name="Ines Duarte", **profile):
    """A freelancer with a filled-in profile."""
    user = UserFactory(name=name)
    profile.setdefault("headline", "Front-end developer")
    profile.setdefault("skills", {"Django": 3, "Accessibility": 2})
    ProfileFactory(user=user, **profile)
    return user


@transaction.atomic
def finished_work(freelancer, *, title, description, skills=(), days_ago=30):
    """A completed contract of the freelancer with somebody."""
    client = a_client(name="Old Client")
    ended = clock.now() - dt.timedelta(days=days_ago)
    project = Project.objects.create(
        client=client.own_party,
        posted_by=client,
        title=title,
        description=description,
        currency="EUR",
        status=Project.Status.COMPLETED,
        published_at=ended - dt.timedelta(days=60),
        expires_at=ended,
        closed_at=ended,
    )
    project.skills.set(Skill.objects.filter(name__in=skills))
    bid = Bid.objects.create(
        project=project,
        freelancer=freelancer.own_party,
        sent_by=freelancer,
        status=Bid.Status.ACCEPTED,
        price_minor=900_00,
        currency="EUR",
        days=10,
        message="I would start tomorrow.",
        ai_use="no",
        closed_at=ended,
    )
    contract = Contract.objects.create(
        status=Contract.Status.COMPLETED,
        project=project,
        bid=bid,
        client=client.own_party,
        freelancer=freelancer.own_party,
        policy=policies.current(),
        title=title,
        price_minor=900_00,
        currency="EUR",
        review_days=14,
        change_rounds=2,
        ai_policy="ask",
        ai_use="no",
        terms="Agreed.",
        terms_sha256="0" * 64,
        freelancer_agreed_by=freelancer,
        freelancer_agreed_at=ended,
        client_agreed_by=client,
        client_agreed_at=ended,
        ended_at=ended,
    )
    Milestone.objects.create(contract=contract, position=1, title=title, amount_minor=900_00)
    return contract
