"""Every page of the access table, as the people who may open it see it."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.access import ACCESS, ACTORS, OK
from tests.look import fetch, markup_faults

pytestmark = pytest.mark.django_db

# What a visitor may read looks the same for everybody; the two sides of a contract see two pages.
SIDES = ("freelancer", "client")


def lookers(row):
    """The people whose view of this address is worth a look."""
    allowed = [actor for actor, answer in zip(ACTORS, row.get, strict=True) if answer == OK]
    if "visitor" in allowed:
        return ["visitor"]
    return [actor for actor in SIDES if actor in allowed] or allowed[:1]


def is_page(url, user):
    client = Client()
    if user:
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    response = client.get(url)
    if response.streaming:
        b"".join(response.streaming_content)  # a download keeps its file open until it is read
    return response["Content-Type"].startswith("text/html")


NAMES = [
    name for name, row in sorted(ACCESS.items()) if OK in row.get and not name.startswith("api")
]


def pages_of(name, world):
    row = ACCESS[name]
    url = reverse(name, kwargs=row.kwargs(world)) + row.query
    people = [getattr(world, actor, None) for actor in lookers(row)]
    return [(url, person) for person in people if is_page(url, person)]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_valid_small_and_free_of_inline_code(name, world):
    for url, person in pages_of(name, world):
        assert markup_faults(fetch(url, person)) == [], f"{url} for {person}"
