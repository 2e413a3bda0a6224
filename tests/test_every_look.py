"""Every page of the access table, as the people who may open it see it.

A module of its own: Django takes another connection once Playwright's event loop runs, so a world
that was built before the browser started would be invisible here.
"""

from collections.abc import Iterator

import pytest

from tests.conftest import PATIENCE_MS, READER, Complaints
from tests.look import Looker
from tests.test_every_page import NAMES, pages_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.fixture(scope="module")
def looker(browser) -> Iterator[Looker]:
    context, complaints = browser.new_context(**READER, service_workers="block"), Complaints()
    context.set_default_timeout(PATIENCE_MS)
    complaints.watch(context)
    yield Looker(context.new_page(), complaints.take)
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_accessible_small_and_inside_the_screen(name, looker, world):
    looker.inspect(pages_of(name, world))
