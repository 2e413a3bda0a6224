"""Every page of the access table, as the people who may open it see it.

A module of its own: Django takes another connection once Playwright's event loop runs, so a world
that was built before the browser started would be invisible here.
"""

import pytest

from tests.look import inspect_here
from tests.test_every_page import NAMES, pages_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_accessible_small_and_inside_the_screen(name, new_context, world):
    inspect_here(new_context, pages_of(name, world))
