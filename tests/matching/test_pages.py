"""Matches as people meet them: pages, parts and API."""

import pytest
from django.test import Client
from django.urls import reverse

from matching import services
from matching.models import Match, MatchRun
from projects.services import posting
from tests.matching.conftest import a_client, a_freelancer, a_project, finished_work

pytestmark = pytest.mark.django_db


def signed_in(user, **headers):
    client = Client(headers=headers)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def address(name, project):
    return reverse(f"matching:{name}", kwargs={"slug": project.slug, "ref": project.ref})


def text_of(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.fixture
def mara():
    return a_client()


@pytest.fixture
def ines():
    user = a_freelancer("Ines Duarte")
    finished_work(
        user,
        title="Booking checkout for a theatre",
        description="Django templates for a ticket checkout, tested with screen readers.",
        skills=["Django"],
    )
    return user


@pytest.fixture
def project(mara, ines):
    found = a_project(mara, skills=["Django", "Accessibility", "Stripe"])
    services.rank_people(found.pk, why="changed")
    services.rank_projects(ines.own_party.pk, why="changed")
    return found


# --- The client -----------------------------------------------------------------------------


def test_a_client_sees_who_fits_why_and_what_is_missing(mara, project):
    page = text_of(signed_in(mara).get(address("project-people", project)))

    assert "Ines Duarte" in page
    assert "2 of 3 skills" in page
    assert "Django (shown in work for 1 client)" in page
    assert "1 similar past project" in page
    assert "Not on the profile: Stripe" in page
    assert "We do not use anybody’s photo" in page


def test_beside_the_bids_the_same_address_gives_three_people_and_a_link(mara, project):
    for number in range(4):
        a_freelancer(f"Robin Number{number}")
    services.rank_people(project.pk, why="changed")
    url = address("project-people", project)

    part = text_of(signed_in(mara, hx_request="true").get(url))
    page = text_of(signed_in(mara).get(url))

    assert "<html" not in part
    assert part.count("<article") == 3
    assert f'href="{url}"' in part
    assert page.count("<article") == 5


def test_until_the_first_ranking_the_page_says_so_and_looks_again(mara, project):
    fresh = a_project(a_client("Other Client"))
    owner = fresh.posted_by
    url = address("project-people", fresh)

    page = text_of(signed_in(owner).get(url))

    assert "This takes a few seconds" in page
    assert f'hx-get="{url}?all=1"' in page
    assert f'href="{url}"' in page


def test_a_ranking_that_found_nobody_says_so(mara):
    lonely = a_project(mara)
    services.rank_people(lonely.pk, why="changed")

    assert "Nobody fits yet" in text_of(signed_in(mara).get(address("project-people", lonely)))


def test_a_closed_project_suggests_nobody(mara, project):
    posting.close(project, by=mara)

    page = text_of(signed_in(mara).get(address("project-people", project)))

    assert "no longer takes bids" in page
    assert "Ines Duarte" not in page


# --- The freelancer -------------------------------------------------------------------------


def test_a_freelancer_finds_projects_with_the_reasons(ines, project):
    page = text_of(signed_in(ines).get(reverse("matching:for-you")))

    assert project.title in page
    assert "1 of your past projects is similar" in page
    assert "Booking checkout for a theatre" in page
    assert "Not on your profile: Stripe" in page


def test_a_freelancer_reads_why_they_see_a_project(ines, project):
    url = address("project-reasons", project)

    assert "2 of 3 skills" in text_of(signed_in(ines).get(url))
    part = text_of(signed_in(ines, hx_request="true").get(url))
    assert "2 of 3 skills" in part
    assert "<html" not in part


def test_a_freelancer_without_a_match_is_told_that_they_may_bid_all_the_same(project):
    otto = a_freelancer("Otto Lind", headline="Gardener", bio="Roses.", skills={"Gardening": 3})
    url = address("project-reasons", project)

    assert "not compared this project with your profile yet" in text_of(signed_in(otto).get(url))
    services.rank_projects(otto.own_party.pk, why="changed")
    assert "You can bid all the same" in text_of(signed_in(otto).get(url))
    assert "No open project fits your profile yet" in text_of(
        signed_in(otto).get(reverse("matching:for-you"))
    )


def test_before_the_first_ranking_the_newest_projects_are_shown(project):
    noor = a_freelancer("Noor Said")

    page = text_of(signed_in(noor).get(reverse("matching:for-you")))

    assert "Until then, here are the newest projects" in page
    assert project.title in page


def test_a_long_list_has_pages(ines, mara):
    for number in range(23):
        a_project(mara, title=f"Accessible checkout number {number}")
    services.rank_projects(ines.own_party.pk, why="changed")
    client = signed_in(ines)

    first = client.get(reverse("matching:for-you"))
    second = client.get(reverse("matching:for-you"), {"after": "20"})

    assert text_of(first).count("<article") == 20
    assert "?after=20" in text_of(first)
    assert text_of(second).count("<article") == 3
    assert text_of(client.get(reverse("matching:for-you"), {"after": "x²"}))


def test_a_draft_is_explained_to_nobody(mara, ines, project):
    draft = posting.save_draft(mara.own_party, by=mara, wanted=posting.as_wanted(project))

    url = address("project-reasons", draft)

    assert signed_in(ines).get(url).status_code == 404
    assert signed_in(mara).get(url).status_code == 404
    page = text_of(signed_in(mara).get(address("project-people", draft)))
    assert "Publish the project first" in page


# --- Off ------------------------------------------------------------------------------------


def test_with_matching_off_lists_are_newest_first_and_say_so(settings, mara, ines, project):
    settings.MATCHER_MODE = "off"
    newer = a_project(mara, title="A newer project about something else")
    a_freelancer("Late Comer", headline="Gardener", skills={"Gardening": 2})

    mine = text_of(signed_in(ines).get(reverse("matching:for-you")))
    people = text_of(signed_in(mara).get(address("project-people", project)))
    why = text_of(signed_in(ines).get(address("project-reasons", project)))

    assert "Matching is switched off on this site" in mine
    assert mine.index(newer.title) < mine.index(project.title)
    assert "Matching is switched off on this site" in people
    assert people.index("Late Comer") < people.index("Ines Duarte")
    assert "switched off" in why
    assert "skills" not in why


# --- Lists stay small in queries ------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 10])
def test_lists_take_the_same_few_queries_for_any_number_of_rows(
    count, django_assert_max_num_queries, mara, settings
):
    freelancers = [a_freelancer(f"Robin Number{number}") for number in range(count)]
    projects = [a_project(mara, title=f"Accessible checkout number {n}") for n in range(count)]
    services.rank_people(projects[0].pk, why="changed")
    services.rank_projects(freelancers[0].own_party.pk, why="changed")
    as_client, as_freelancer = signed_in(mara), signed_in(freelancers[0])

    for mode in ("on", "off"):
        settings.MATCHER_MODE = mode
        for client, url in (
            (as_client, address("project-people", projects[0])),
            (as_freelancer, reverse("matching:for-you")),
            (as_freelancer, address("project-reasons", projects[0])),
            (as_client, reverse("api:project-matches", kwargs={"ref": projects[0].ref})),
            (as_freelancer, reverse("api:matches")),
        ):
            client.get(url)
            with django_assert_max_num_queries(8):
                text_of(client.get(url))


# --- API ------------------------------------------------------------------------------------


def test_the_api_gives_the_same_people_with_reasons_and_factors(mara, project):
    url = reverse("api:project-matches", kwargs={"ref": project.ref})

    answer = signed_in(mara).get(url).json()

    match = Match.objects.get(project=project, kind="people")
    assert answer["mode"] == "on"
    assert answer["engine"] == match.engine
    (place,) = answer["results"]
    assert place["person"]["name"] == "Ines Duarte"
    assert place["rank"] == 1
    assert place["score"] == match.score
    assert place["factors"] == match.features
    assert {"fits": "no", "text": "Not on the profile: Stripe", "detail": ""} in place["reasons"]


def test_the_api_gives_a_freelancer_their_projects(ines, project, settings):
    answer = signed_in(ines).get(reverse("api:matches")).json()

    assert [place["project"]["ref"] for place in answer["results"]] == [project.ref]
    assert answer["after"] == ""

    settings.MATCHER_MODE = "off"
    off = signed_in(ines).get(reverse("api:matches")).json()
    assert off["mode"] == "off"
    assert off["computed_at"] is None
    assert [place["rank"] for place in off["results"]] == [None]


# --- Staff ----------------------------------------------------------------------------------


def test_staff_read_the_log_of_rankings_and_cannot_change_it(project):
    from tests.factories import StaffFactory

    client = signed_in(StaffFactory())
    run = MatchRun.objects.filter(project=project).get()

    assert "People for a project" in text_of(client.get("/admin/matching/matchrun/"))
    page = client.get(f"/admin/matching/matchrun/{run.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.get("/admin/matching/matchrun/add/").status_code == 403
