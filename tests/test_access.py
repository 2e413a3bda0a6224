"""Every address is in the access table, and answers as the table says."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.access import ACCESS, ACTORS, BAD, GO, LOGIN, METHOD, MISSING, NO, OK

# Stock Django and allauth pages with tests of their own; staff pages are checked in test_admin.
ELSEWHERE = ("admin:",)


def routes(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_address_has_a_name_and_a_row():
    found = {name for name in routes(get_resolver().url_patterns) if not name.startswith(ELSEWHERE)}
    assert not [name for name in found if name.endswith("None")]
    assert sorted(found - set(ACCESS)) == [], "addresses without a row in tests/access.py"
    assert sorted(set(ACCESS) - found) == [], "rows without an address"


def kind_of(response, api):
    status = response.status_code
    if status in {302, 303}:
        return LOGIN if "/sign-in/" in response["Location"] else GO
    known = {200: OK, 201: OK, 204: OK, 403: NO, 404: MISSING, 405: METHOD}
    if status == 401 and api:
        return LOGIN
    return BAD if status in {400, 409, 415, 422} else known.get(status, str(status))


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ACCESS))
def test_every_actor_gets_what_the_table_says(name, world):
    row = ACCESS[name]
    url = reverse(name, kwargs=row.kwargs(world)) + row.query
    api = name.startswith("api:")
    for method, expected in (("get", row.get), ("post", row.post)):
        if expected is None:
            continue
        got = []
        for actor in ACTORS:
            client = Client(headers={"Idempotency-Key": f"{name}-{actor}"} if api else {})
            if actor != "visitor":
                client.force_login(
                    getattr(world, actor), "django.contrib.auth.backends.ModelBackend"
                )
            body = {"data": {}, "content_type": "application/json"} if api else {"data": {}}
            response = client.get(url) if method == "get" else client.post(url, **body)
            got.append(kind_of(response, api))
            if response.streaming:
                # A download holds its file open until it has been read.
                list(response.streaming_content)
        assert tuple(got) == expected, f"{method.upper()} {url}"
