"""Reading changes nothing, and whatever a page offers exists."""

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from tests.access import ACTORS
from tests.crawl import crawl, table_hashes

pytestmark = pytest.mark.django_db

START = ["/", "/home/", "/projects/", "/people/", "/contracts/", "/settings/", "/robots.txt"]


def pages_of(world, actor):
    client = Client()
    if actor != "visitor":
        client.force_login(getattr(world, actor), "django.contrib.auth.backends.ModelBackend")
    before = table_hashes()
    pages = crawl(client, [*START, "/admin/"] if actor == "staff" else START)
    after = table_hashes()
    return pages, {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("actor", ACTORS)
def test_no_get_changes_anything_and_every_link_and_button_leads_somewhere(world, actor):
    pages, changed = pages_of(world, actor)
    assert changed == set()
    broken = [(page.url, page.status, page.found_on) for page in pages if page.status >= 400]
    assert broken == []
    assert len(pages) > 15
    for page in pages:
        assert page.idle_buttons == [], page.url
        for _method, action in page.forms:
            path = action.partition("?")[0]
            try:
                resolve(path.removeprefix("http://testserver"))
            except Resolver404:
                pytest.fail(f"{page.url} has a form for {action}, which does not exist")
