"""The pages of matches, as a person sees them."""

import pytest
from django.urls import reverse

from matching import services
from tests.look import inspect, sign_in
from tests.matching.conftest import a_client, a_freelancer, a_project, finished_work

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def address(name, project):
    return reverse(f"matching:{name}", kwargs={"slug": project.slug, "ref": project.ref})


@pytest.fixture
def market():
    mara, ines = a_client(), a_freelancer("Ines Duarte", languages="English, Portuguese")
    finished_work(
        ines,
        title="Booking checkout for a theatre",
        description="Django templates for a ticket checkout, tested with screen readers.",
        skills=["Django"],
    )
    for number in range(4):
        a_freelancer(f"Robin Number{number}")
    project = a_project(mara, skills=["Django", "Accessibility", "Stripe"])
    services.rank_projects(ines.own_party.pk, why="changed")
    services.rank_people(project.pk, why="changed")
    return mara, ines, project


def test_pages_of_matches_are_accessible_small_and_inside_the_screen(
    live_server, new_context, market
):
    mara, ines, project = market
    otto = a_freelancer("Otto Lind", headline="Gardener", bio="Roses.", skills={"Gardening": 3})

    inspect(
        live_server.url,
        new_context,
        [
            (address("project-people", project), mara),
            (address("project-reasons", project), ines),
            (reverse("matching:for-you"), ines),
            (address("project-reasons", project), otto),
            (reverse("matching:for-you"), otto),
        ],
    )


def test_a_freelancer_reads_the_reasons_on_the_project_itself(live_server, new_context, market):
    _mara, ines, project = market
    context = new_context()
    sign_in(context, live_server.url, ines)
    page = context.new_page()

    page.goto(live_server.url + reverse("matching:for-you"))
    page.get_by_role("link", name=project.title).click()

    card = page.get_by_role("region", name="Why you see this")
    card.get_by_text("2 of 3 skills").wait_for()
    card.get_by_text("Not on your profile: Stripe").wait_for()
