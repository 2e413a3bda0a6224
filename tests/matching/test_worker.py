"""A real worker ranks what was published, through the outbox and the queue of its own."""

import time

import pytest

from matching.models import Match
from matching.selectors import matches
from tests.matching.conftest import a_client, a_freelancer, a_project

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_published_project_finds_people_within_seconds(celery_worker):
    noor = a_freelancer("Noor Said")

    project = a_project(a_client())

    until = time.monotonic() + 120
    while Match.objects.filter(project=project).count() < 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert [match.party.name for match in matches.people_for(project)] == ["Noor Said"]
    assert [match.project for match in matches.projects_for(noor.own_party).rows] == [project]
