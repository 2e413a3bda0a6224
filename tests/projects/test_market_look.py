"""The pages of the market in a real browser: how they look, and what htmx adds."""

import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from projects.services import choosing, posting
from projects.services.bidding import Step
from tests.factories import BidFactory, ProfileFactory, ProjectFactory, UserFactory
from tests.look import inspect, sign_in
from tests.projects.test_bid import eur

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


def test_the_rarer_states_of_the_market_are_accessible_small_and_inside_the_screen(
    live_server, new_context
):
    """Each page as such is looked at in tests/test_every_look.py."""
    owner, freelancer = UserFactory(side="hire"), ProfileFactory(skills={"Django": 3}).party.person
    project = ProjectFactory(by=owner, skills=["Django", "Accessibility"])
    steps = [Step("Discovery", eur(600), 5), Step("Build", eur(3000), 25)]
    bid = BidFactory(project=project, by=freelancer, milestones=steps)
    other = BidFactory(project=project)
    choosing.shortlist(other, by=owner)
    closed, empty = ProjectFactory(by=owner), ProjectFactory(by=owner, budget=None)
    posting.close(closed, by=owner)
    url = project.get_absolute_url()
    visitor = ["/projects/?q=ticket&min=1000&ai=ask", "/projects/?q=nothing&min=99"]
    visitor += [closed.get_absolute_url(), "/projects/new/2/", "/projects/new/4/"]
    mine = [url, empty.get_absolute_url(), f"/bids/{bid.ref}/"]
    hiring = [f"{url}manage/?tab=shortlist", f"{url}compare/?b={bid.ref}&b={other.ref}"]

    inspect(
        live_server.url,
        new_context,
        [
            *((path, None) for path in visitor),
            *((path, freelancer) for path in mine),
            *((path, owner) for path in hiring),
        ],
    )


def test_filters_change_the_results_in_place_and_back_brings_the_whole_page(live_server, page):
    ProjectFactory(title="Ticket checkout wanted", ai_policy="ask")
    ProjectFactory(title="Summer poster wanted", ai_policy="no")
    page.goto(f"{live_server.url}/projects/")
    expect(page.locator("#count")).to_have_text("2 projects")
    page.get_by_role("radio", name="No", exact=True).check()
    expect(page.locator("#count")).to_have_text("1 project")
    expect(page).to_have_url(re.compile(r"/projects/\?ai=no$"))
    page.locator("#sort").select_option("budget")
    expect(page).to_have_url(re.compile(r"\?ai=no&sort=budget$"))
    page.get_by_role("link", name="Summer poster wanted").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Summer poster wanted")
    page.go_back()
    expect(page.get_by_role("banner")).to_be_visible()
    expect(page.locator("#count")).to_have_text("1 project")


def test_the_sums_and_the_button_follow_the_price_one_types(live_server, page):
    project = ProjectFactory()
    page.goto(f"{live_server.url}{project.get_absolute_url()}")
    page.get_by_label("Your price").fill("3,600")
    expect(page.locator("#quote")).to_contain_text("€3,312.00")
    expect(page.get_by_role("button", name="Send bid for €3,600.00")).to_be_visible()


def test_a_bid_opened_by_the_client_is_read_and_shortlisted_in_place(live_server, new_context):
    bid = BidFactory()
    context = new_context()
    sign_in(context, live_server.url, bid.project.posted_by)
    page = context.new_page()
    with page.expect_response("**/read/"):
        page.goto(f"{live_server.url}/bids/{bid.ref}/")
    page.get_by_role("button", name="Shortlist").click()
    expect(page.get_by_role("button", name="On the short list")).to_be_visible()
    bid.refresh_from_db()
    assert bid.status == "shortlisted"
    assert bid.read_at


def test_picking_a_skill_writes_it_into_the_field(live_server, page):
    page.goto(f"{live_server.url}/projects/new/3/")
    page.get_by_label("Skills").press_sequentially("Djan")
    page.get_by_role("button", name="Django", exact=True).click()
    expect(page.get_by_label("Skills")).to_have_value("Django, ")
    expect(page.get_by_label("Skills")).to_be_focused()
