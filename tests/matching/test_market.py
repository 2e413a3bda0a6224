"""Demand and supply by skill: for everybody to see, about nobody."""

import datetime as dt

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from accounts.models import Profile, Skill
from matching import tasks
from matching.insight.models import CountedNight, SkillMonth, SkillYear
from matching.insight.selectors import market
from matching.insight.services.nightly import count_night
from projects.models import Project
from tests.factories import ProfileFactory
from tests.matching.past import bids, euros, finished, posted

pytestmark = pytest.mark.django_db
NOVEMBER = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
OCTOBER = dt.date(2026, 10, 1)


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(NOVEMBER, tick=False):
        yield


@pytest.fixture
def past(crowd):
    """In October ten Django projects with 50 bids, in September five contracts; five are free."""
    bids(posted(crowd[0], 10, skills=("Django",)), crowd[1])
    finished(*crowd, euros(*[900] * 5), skills=("Django",), days_ago=0)
    for user in crowd[1]:
        ProfileFactory(user=user, skills={"Django": 3})
    count_night()


def page(url, **query):
    response = Client().get(url, query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def month(slug, first, months=12):
    rows = market.skill_market(slug, months=months).months
    return next(row.figures for row in rows if row.month == first)


def test_demand_bids_hires_and_supply_of_a_skill_month_by_month(past):
    october, september = month("django", OCTOBER), month("django", dt.date(2026, 9, 1))

    assert (october.posted, str(october.bids_per_project)) == (10, "5.0")
    assert (october.hired_percent, october.available) == (0, None)
    assert (september.posted, str(september.bids_per_project)) == (5, "1.0")
    assert september.hired_percent == 100
    assert month("django", dt.date(2026, 11, 1)).available == 5
    year = market.skill_market("django", months=12).year
    assert (year.posted, year.hired_percent, year.available) == (15, 33, 5)


def test_everybody_may_read_it_as_a_page_a_table_and_json(past):
    listed, one = page("/market/"), page("/market/django/", months="6")

    assert '<a href="/market/django/">Django</a>' in listed
    assert 'data-label="Bids per project">3.7</td>' in listed
    assert "Counted up to Fri 20 Nov" in listed
    assert "<title>Oct 2026: 10</title>" in one
    assert one.count("<title>") == 7  # the page's own and six months
    table = Client().get("/market/django/table.csv?months=6")
    assert table["Content-Type"].startswith("text/csv")
    assert "2026-10,10,5.0,0,\r\n2026-11,,,,5\r\n" in table.content.decode()
    assert "Django,15,3.7,33,5" in Client().get("/market/table.csv").content.decode()
    [row] = Client().get("/api/v1/market/skills/").json()["results"]
    assert row == {
        "skill": {"name": "Django", "slug": "django"},
        "figures": {
            "posted": 15,
            "bids_per_project": "3.7",
            "hired_percent": 33,
            "available": 5,
        },
    }
    months = Client().get("/api/v1/market/skills/django/?months=24").json()["months"]
    assert len(months) == 24
    assert months[-2]["figures"]["posted"] == 10
    assert Client().get("/api/v1/market/skills/django/?months=7").status_code == 400


def test_nothing_is_shown_that_fewer_than_five_people_stand_behind(crowd):
    by, of = crowd
    bids(posted(by[:4], 40, skills=("HTML",)), of)
    bids(posted(by, 10, skills=("CSS",)), of[:4])
    for user in of[:4]:
        ProfileFactory(user=user, skills={"CSS": 2, "HTML": 2})
    count_night()

    [css] = market.market().rows
    assert css.skill.name == "CSS"
    assert (css.figures.posted, css.figures.bids_per_project, css.figures.available) == (
        10,
        None,
        None,
    )
    html = month("html", OCTOBER)
    assert (html.posted, html.bids_per_project, html.hired_percent) == (None, None, None)
    assert "<title>Oct 2026: too few to show</title>" not in page("/market/html/")  # no chart
    assert 'data-label="Projects posted">–</td>' in page("/market/html/")
    assert "HTML" not in Client().get("/market/table.csv").content.decode()


def test_withdrawn_bids_and_drafts_do_not_count(crowd):
    projects = posted(crowd[0], 10, skills=("CSS",))
    bids(projects, crowd[1])
    projects[0].bids.update(status="withdrawn", closed_at=NOVEMBER)
    Project.objects.filter(pk=projects[1].pk).update(status="draft", published_at=None)
    count_night()

    figures = month("css", OCTOBER)
    assert (figures.posted, str(figures.bids_per_project)) == (9, "4.4")


def test_a_skill_nobody_curated_is_not_shown_however_often_it_is_asked_for(past):
    Skill.objects.filter(name="Django").update(state=Skill.State.PROPOSED)
    count_night()

    assert market.market().rows == []
    assert Client().get("/market/django/").status_code == 404
    assert Client().get("/api/v1/market/skills/django/").status_code == 404


def test_counting_twice_is_counting_once(past):
    def counted():
        return [list(model.objects.order_by("pk").values()) for model in (SkillMonth, SkillYear)]

    before = counted()

    assert tasks.count_night() is None

    assert counted() == before
    assert CountedNight.objects.count() == 2
    [beat] = [
        b for b in settings.CELERY_BEAT_SCHEDULE.values() if b["task"].endswith("count_night")
    ]
    assert beat["task"] == tasks.count_night.name


def test_who_was_free_in_a_month_stays_written_down_and_this_month_goes_on(past):
    with time_machine.travel(NOVEMBER + dt.timedelta(days=30), tick=False):
        Profile.objects.update(availability=Profile.Availability.BUSY)
        count_night()

        assert month("django", dt.date(2026, 11, 1)).available == 5
        assert SkillMonth.objects.get(skill__slug="django", month="2026-11-01").posted == 0
        assert not SkillMonth.objects.filter(month="2026-12-01", available__gt=0).exists()
        assert SkillYear.objects.get(skill__slug="django").available == 0


def test_what_is_older_than_the_policy_looks_back_is_forgotten(past):
    with time_machine.travel(NOVEMBER + dt.timedelta(days=900), tick=False):
        count_night()

        assert not SkillMonth.objects.filter(month__lt="2027-01-01").exists()
        assert market.market().rows == []


def test_filters_and_pages_are_in_the_address(crowd):
    names = ("CSS", "HTML", "JavaScript", "TypeScript")
    for number, name in enumerate(names):
        posted(crowd[0], 8 - number, skills=(name,))
    count_night()

    first = market.market(limit=3)
    second = market.market(limit=3, after=first.after)

    assert [row.skill.name for row in (*first.rows, *second.rows)] == list(names)
    assert second.after == ""
    found = page("/market/", q="script")
    assert "TypeScript" in found
    assert ">CSS<" not in found
    assert 'href="/market/table.csv?q=script"' in found
    assert "none did" in page("/market/", q="nobody asks for this")


@pytest.mark.parametrize("url", ["/market/", "/market/table.csv", "/api/v1/market/skills/"])
def test_characters_nobody_types_are_not_looked_for(past, url):
    for query in ("q=%00", "after=%00", "q=djan%00go&after=%00", "q=%ED%A0%80%E2%80%8B"):
        answer = Client().get(f"{url}?{query}")
        assert answer.status_code == 200, query
    assert "Django" in Client().get(f"{url}?q=djan%00go").content.decode()


@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_list_takes_three_queries_for_any_number_of_skills(
    crowd, count, django_assert_num_queries
):
    skills = Skill.objects.filter(state=Skill.State.CURATED)[:count]
    SkillYear.objects.bulk_create(
        SkillYear(skill=skill, posted=9, clients=9, bids=9, bidders=9, hired=1, available=9)
        for skill in skills
    )
    with django_assert_num_queries(3):  # policy, rows, how old they are
        found = market.market(limit=100)
        assert len([row.skill.name for row in found.rows]) == count
