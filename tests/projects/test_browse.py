"""Finding projects: filters, order, cursors, notes, and what a rival may never learn."""

import datetime as dt
import re

import pytest
from django.core.cache import cache
from django.test import Client

from marketplace.core import clock
from marketplace.core.money import Money
from projects.models import Project
from projects.selectors import browsing
from projects.services import posting
from tests.factories import BidFactory, ProfileFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def titles(response):
    found = re.findall(
        r'row__title"><a href="[^"]*"><bdi[^>]*>([^<]*)</bdi>', response.content.decode()
    )
    return [title.strip() for title in found]


def browse(query="", user=None, **headers):
    client = signed_in(user) if user else Client()
    return client.get(f"/projects/{query}", headers=headers)


def post(title, *, ago=0, **fields):
    with clock.moved_to(clock.now() - dt.timedelta(hours=ago)):
        return ProjectFactory(title=f"{title} wanted here", **fields)


# --- What is there --------------------------------------------------------------------------


def test_only_open_projects_are_listed_newest_first():
    post("Old", ago=5)
    post("New", ago=1)
    closed = post("Closed")
    posting.close(closed, by=closed.posted_by)
    post("Draft", published=False)
    post("Expired", ago=24 * 31)
    page = browse()
    assert titles(page) == ["New wanted here", "Old wanted here"]
    assert "2 projects" in page.content.decode()


def test_words_are_searched_in_title_and_text_by_their_stem():
    post("Ticketing")
    post("Poster", description="A poster for the summer party, in three colours. " * 3)
    assert titles(browse("?q=tickets")) == ["Ticketing wanted here"]
    assert titles(browse("?q=colour+-ticket")) == ["Poster wanted here"]


def test_a_skill_is_found_by_name_slug_or_other_spelling():
    post("Web", skills=["Django"])
    post("Film", skills=["Video editing"])
    for word in ("django", "Django", "DJANGO"):
        assert titles(browse(f"?skill={word}")) == ["Web wanted here"], word
    assert len(titles(browse("?skill=django&skill=Video+editing"))) == 2


def test_a_budget_range_finds_what_overlaps_it():
    post("Small", budget=(100, 200))
    post("Large", budget=(3000, 4000))
    post("Open", budget=None)
    post("Dollars", currency="USD")
    assert titles(browse("?min=1000")) == ["Large wanted here"]
    assert titles(browse("?max=150")) == ["Small wanted here"]
    assert titles(browse("?min=150&max=3000")) == ["Large wanted here", "Small wanted here"]
    assert "Amounts compare in EUR only" in browse("?min=150").content.decode()
    assert titles(browse("?min=150&currency=USD")) == ["Dollars wanted here"]


def test_the_word_on_ai_tools_filters():
    post("Human", ai_policy="no")
    post("Any", ai_policy="fine")
    assert titles(browse("?ai=no")) == ["Human wanted here"]


def test_the_highest_budget_comes_first():
    post("Small", budget=(100, 200))
    post("Large", budget=(3000, 4000))
    post("Middle", budget=(100, 900))
    assert titles(browse("?sort=budget")) == [
        "Large wanted here",
        "Middle wanted here",
        "Small wanted here",
    ]


def test_most_of_my_skills_comes_first_and_nothing_is_left_out():
    freelancer = ProfileFactory(skills={"Django": 3, "Accessibility": 2}).party.person
    post("Both", ago=9, skills=["Django", "Accessibility", "Stripe"])
    post("One", ago=5, skills=["Django"])
    post("None", ago=1, skills=["Video editing"])
    assert titles(browse("?sort=match", freelancer)) == [
        "Both wanted here",
        "One wanted here",
        "None wanted here",
    ]


def test_sorting_by_match_without_skills_says_why_it_does_not():
    post("New")
    page = browse("?sort=match", UserFactory()).content.decode()
    assert "Name skills on your profile to sort by match" in page


# --- Pages ----------------------------------------------------------------------------------


def walk(query, user=None):
    """Every title by following Next, page by page."""
    seen, client = [], signed_in(user) if user else Client()
    url = f"/projects/{query}"
    while url:
        page = client.get(url)
        seen.append(titles(page))
        match = re.search(r'<a href="([^"]*)" rel="next"', page.content.decode())
        url = match and match[1].replace("&amp;", "&")
    return seen


@pytest.mark.parametrize("sort", ["newest", "budget", "match"])
def test_following_next_shows_everything_once(sort, monkeypatch):
    monkeypatch.setattr(browsing, "PAGE", 3)
    freelancer = ProfileFactory(skills={"Django": 3, "Accessibility": 2}).party.person
    client = UserFactory(side="hire")
    now = clock.now() - dt.timedelta(hours=1)
    skills = (["Django", "Accessibility"], ["Django"], ["Video editing"])
    for n in range(11):
        # Some at the same instant and with the same budget, so that the tie-break matters.
        with clock.moved_to(now + dt.timedelta(minutes=n // 3)):
            ProjectFactory(
                by=client,
                title=f"Project number {n}",
                budget=(100, 100 * (1 + n // 4)),
                skills=skills[n % 3],
            )
    pages = walk(f"?sort={sort}", freelancer)
    everything = [title for page in pages for title in page]
    assert [len(page) for page in pages] == [3, 3, 3, 2]
    assert len(set(everything)) == 11


def test_a_cursor_names_no_inner_number_and_a_broken_one_is_no_error(monkeypatch):
    monkeypatch.setattr(browsing, "PAGE", 1)
    first, second = post("First", ago=1), post("Second")
    assert f"after={second.ref}" in browse().content.decode()
    assert titles(browse(f"?after={second.ref}")) == [first.title]
    for broken in ("x", "2222222222", f"{second.ref}.9999", "'; DROP TABLE", "9" * 5000):
        page = browse(f"?after={broken}")
        assert page.status_code == 200
        assert "There is nothing after this" in page.content.decode()


def test_the_count_is_capped_and_says_so(monkeypatch):
    monkeypatch.setattr(browsing, "COUNT_CAP", 2)
    for n in range(3):
        post(f"Number {n}")
    assert "2+ projects" in browse().content.decode()


# --- Chips, notes, help ---------------------------------------------------------------------


def test_every_filter_has_a_chip_that_removes_only_it():
    post("Web", skills=["Django"])
    page = browse("?q=web&skill=django&min=1000&ai=ask").content.decode()
    chips = re.findall(r'class="chip" href="([^"]*)"', page)
    assert [chip.replace("&amp;", "&") for chip in chips] == [
        "/projects/?min=1000&ai=ask&skill=django",
        "/projects/?q=web&ai=ask&skill=django",
        "/projects/?q=web&min=1000&skill=django",
        "/projects/?q=web&min=1000&ai=ask",
    ]


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("?min=abc", "We could not read “abc” in “From”"),
        ("?max=1e3", "We could not read “1e3” in “To”"),
        ("?ai=maybe", "We could not read “maybe” in “AI tools”"),
        ("?sort=cheapest", "in “Sort by”"),
        ("?skill=Basket+weaving", "Nobody has named the skill “Basket weaving” yet"),
        ("?min=300&max=200", "“To” is less than “From”"),
    ],
)
def test_what_cannot_be_read_is_left_out_with_a_note(query, note):
    post("Web")
    page = browse(query)
    assert page.status_code == 200
    assert note in page.content.decode()
    assert titles(page) == ["Web wanted here"]


@pytest.mark.parametrize(
    "junk", ["%00", "%ff", "x" * 5000, "%F0%9F%A6%8A", "'\"<script>", "(((", "&:*|!"]
)
def test_no_input_breaks_the_list(junk):
    post("Web")
    for name in ("q", "skill", "min", "max", "ai", "sort", "after"):
        page = browse(f"?{name}={junk}")
        assert page.status_code == 200, name
        assert "<script>" not in page.content.decode().split("<main", 1)[1]


def test_nothing_found_names_the_filter_that_removes_most():
    for n in range(3):
        post(f"Web {n}", budget=(100, 200))
    post("Film", budget=(9000, 9900), skills=["Video editing"])
    page = browse("?q=web&min=5000").content.decode()
    assert "“From €5,000” removes most" in page
    assert "Without it there are 3 projects." in page
    assert 'href="/projects/?q=web"' in page


# --- htmx -----------------------------------------------------------------------------------


def test_htmx_gets_only_the_results_and_a_clean_address():
    post("Web")
    page = browse("?q=web&min=&max=&ai=&sort=newest", **{"HX-Request": "true"})
    assert page.content.decode().lstrip().startswith('<div class="split">')
    assert "<html" not in page.content.decode()
    assert page["HX-Push-Url"] == "/projects/?q=web"
    assert "HX-Request" in page["Vary"]


def test_going_back_gets_the_whole_page():
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in browse("?q=web", **headers).content.decode()


# --- Sealed ---------------------------------------------------------------------------------


def test_a_rival_learns_how_many_bids_there_are_and_nothing_else():
    project = ProjectFactory()
    bid = BidFactory(
        project=project, price=Money(3333_00, "EUR"), message="A canary sings in here."
    )
    rival = ProfileFactory(skills={"Django": 3}).party.person
    plain = browse("?sort=match", rival).content.decode()
    for query in ("", "?sort=price", "?sort=bids__price_minor", "?q=canary", "?min=3333&max=3333"):
        for page in (browse(query, rival), browse(query)):
            text = page.content.decode()
            assert "canary sings" not in text
            assert bid.ref not in text
            assert bid.freelancer.name not in text
            assert "€3,333.00" not in text
    detail = signed_in(rival).get(project.get_absolute_url()).content.decode()
    assert "1 bid" in plain
    assert "1 bid" in detail
    for secret in ("canary", bid.ref, bid.freelancer.name, "3,333", "3333"):
        assert secret not in detail
    assert titles(browse("?q=canary", rival)) == []


# --- Cost -----------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?sort=budget&min=1", "?sort=match&skill=django&q=ticket"])
def test_a_page_costs_the_same_for_one_ten_and_a_hundred_rows(
    query, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(browsing, "PAGE", 100)
    reader = signed_in(ProfileFactory(skills={"Django": 3}).party.person)
    client = UserFactory(side="hire")
    costs = []
    for rows in (1, 10, 100):
        ProjectFactory.create_batch(rows - Project.objects.count(), by=client)
        reader.get("/projects/")  # what is kept for a minute is kept now
        with django_assert_max_num_queries(8) as queries:
            page = reader.get(f"/projects/{query}")
        assert len(titles(page)) == rows
        costs.append(len(queries))
    assert max(costs) == costs[0], costs
