"""What costs more than a page is counted per person and per address, Redis or not (DO-03)."""

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache, caches
from django.test import Client, RequestFactory

from marketplace.core import limits
from marketplace.core.cache import ForgivingRedisCache
from marketplace.core.errors import TooMany
from marketplace.core.http import address_of
from marketplace.core.limits import OwnCounts
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LONG = 3600


@pytest.fixture(autouse=True)
def _nothing_counted_yet():
    cache.clear()
    limits.OWN.clear()
    yield
    cache.clear()
    limits.OWN.clear()


def allow(settings, name="paper", user=2, address=4, **more):
    settings.LIMITS = {name: {"seconds": LONG, "per_user": user, "per_address": address} | more}


def request_of(user=None, address="203.0.113.1", **headers):
    request = RequestFactory(headers=headers).get("/", REMOTE_ADDR=address)
    request.user = user or AnonymousUser()
    return request


def spend(times, *args, name="paper", **kwargs):
    for _time in range(times):
        limits.spend(name, request_of(*args, **kwargs))


@pytest.fixture
def no_redis(settings):
    """A cache nobody answers at."""
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }


def test_one_person_gets_so_many_and_is_told_when_there_are_more(settings):
    allow(settings)
    user, other = UserFactory(), UserFactory()
    spend(2, user)
    with pytest.raises(TooMany, match="You can try again at") as refusal:
        spend(1, user)
    assert 0 < refusal.value.retry_after <= LONG
    spend(1, other)


def test_all_from_one_address_share_a_larger_number(settings):
    allow(settings)
    for _person in range(4):
        spend(1, UserFactory())
    with pytest.raises(TooMany):
        spend(1, UserFactory())
    spend(1, UserFactory(), address="203.0.113.2")


def test_who_is_refused_uses_nothing_up_of_what_others_share(settings):
    allow(settings, user=1, address=2)
    greedy = UserFactory()
    spend(1, greedy)
    for _try in range(5):
        with pytest.raises(TooMany):
            spend(1, greedy)
    spend(1, UserFactory())


def test_the_countless_addresses_of_one_ipv6_subscriber_count_as_one(settings):
    allow(settings, address=2)
    spend(1, address="2001:db8:1:1::1")
    spend(1, address="2001:db8:1:1::2")
    with pytest.raises(TooMany):
        spend(1, address="2001:db8:1:1:ffff::3")
    spend(1, address="2001:db8:1:2::1")


def test_two_names_are_counted_apart_and_one_without_a_limit_has_none(settings):
    settings.LIMITS = {
        name: {"seconds": LONG, "per_user": 1, "per_address": 9} for name in ("paper", "export")
    }
    user = UserFactory()
    spend(1, user, name="paper")
    spend(1, user, name="export")
    spend(9, user, name="another")
    with pytest.raises(TooMany):
        spend(1, user, name="export")


def test_a_count_ends_by_itself():
    counted, left = cache.count("limit:test", seconds=LONG)
    assert (counted, left) == (1, LONG)
    assert cache.count("limit:test", seconds=5)[0] == 2
    # Not moved on by the second one.
    assert cache.count("limit:test", seconds=5)[1] > 5


def test_without_redis_what_is_costly_is_counted_by_each_process_at_a_part(settings, no_redis):
    assert cache.count("limit:test", seconds=5) is None
    allow(settings, user=8, address=100)
    user = UserFactory()
    spend(8 // limits.PROCESSES, user)
    with pytest.raises(TooMany):
        spend(1, user)


def test_without_redis_what_is_not_costly_goes_on(settings, no_redis):
    allow(settings, user=1, costly=False)
    spend(20, UserFactory())


def test_a_process_forgets_counts_that_ended(monkeypatch):
    monkeypatch.setattr(limits, "MOST_KEPT", 3)
    own, now = OwnCounts(), [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    for number in range(4):
        own.count(str(number), seconds=10)
    now[0] += 11
    assert own.count("0", seconds=10) == (1, 10)
    assert len(own._counts) == 1


def test_what_a_visitor_says_about_the_address_counts_only_behind_our_proxy(settings):
    told = {"X-Forwarded-For": "198.51.100.7, 192.0.2.5"}
    settings.TRUSTED_PROXY = False
    assert address_of(request_of(**told)) == "203.0.113.1"
    settings.TRUSTED_PROXY = True
    assert address_of(request_of(**told)) == "192.0.2.5"
    assert address_of(request_of()) == "203.0.113.1"


# --- Where it is counted --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("paper", "/statements/{party}/2026/pdf/"),
        ("paper", "/invoices/{invoice}/pdf/"),
        ("export", "/invoices/csv/"),
        ("export", "/ledger/{party}/csv/"),
        ("export", "/ledger/{party}/json/"),
        ("export", "/statements/{party}/2026/csv/"),
        ("stripe", "/payouts/setup/return/"),
        ("paper", "/api/v1/invoices/{invoice}/pdf/"),
        ("export", "/api/v1/ledgers/{party}/csv/"),
    ],
)
def test_do_03_what_is_costly_answers_429_with_the_time_to_try_again(settings, world, name, path):
    allow(settings, name=name, user=0)
    client = Client()
    client.force_login(world.freelancer, "django.contrib.auth.backends.ModelBackend")
    answer = client.get(path.format(party=world.freelancer.party.ref, invoice=world.invoice.ref))
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= LONG
    if path.startswith("/api/"):
        assert answer["Content-Type"] == "application/problem+json"
        assert "You can try again at" in answer.json()["title"]
    else:
        page = answer.content.decode()
        assert "That was a lot at once" in page
        assert "You can try again at" in page


@pytest.mark.parametrize("path", ["/payouts/look/", "/payouts/now/"])
def test_do_03_asking_stripe_is_limited_too(settings, world, path):
    allow(settings, name="stripe", user=0)
    client = Client()
    client.force_login(world.freelancer, "django.contrib.auth.backends.ModelBackend")
    assert client.post(path).status_code == 429


def test_starting_to_pay_is_limited_and_its_page_is_not(settings, world):
    allow(settings, name="stripe", user=0)
    client = Client()
    client.force_login(world.client, "django.contrib.auth.backends.ModelBackend")
    url = f"/contracts/{world.contract.ref}/fund/"
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 429
    bonus = client.post(f"/contracts/{world.contract.ref}/bonus/", {"amount": "25", "note": "Thx"})
    assert bonus.status_code == 429
    assert 'value="25' in bonus.content.decode()
    for path in ("fund/", "milestones/3/fund/", "bonus/"):
        answer = client.post(
            f"/api/v1/contracts/{world.contract.ref}/{path}",
            {"amount": "25", "note": ""},
            content_type="application/json",
            headers={"Idempotency-Key": path},
        )
        assert answer.status_code == 429, path


def test_a_form_comes_back_as_it_was_with_the_time(settings):
    allow(settings, name="stripe", user=0)
    client = Client()
    client.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    answer = client.post("/payouts/setup/", {"country": "PT"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    page = answer.content.decode()
    assert "You can try again at" in page
    assert '<option value="PT" selected>' in page


def test_the_api_counts_visitors_by_address_and_people_by_themselves(settings):
    settings.LIMITS = {
        "api": {"seconds": LONG, "per_user": 2, "per_address": 99, "costly": False},
        "api_visitor": {"seconds": LONG, "per_user": 1, "per_address": 1, "costly": False},
    }
    visitor, client = Client(), Client()
    client.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    assert [visitor.get("/api/v1/skills/").status_code for _ in range(2)] == [200, 429]
    # A made-up address is no new visitor.
    spoofed = visitor.get("/api/v1/skills/", headers={"X-Forwarded-For": "198.51.100.9"})
    assert spoofed.status_code == 429
    assert [client.get("/api/v1/skills/").status_code for _ in range(3)] == [200, 200, 429]


def test_the_settings_name_every_limit_that_is_used():
    from marketplace.settings import base

    assert set(base.LIMITS) == {
        *("paper", "export", "stripe", "mailed_code", "code_try", "skill_reading"),
        *("api", "api_visitor", "skill_names", "price_range", "why_not", "match_appeal"),
    }
    for told in base.LIMITS.values():
        limits.Limit(**told)


def test_the_cache_of_the_product_can_count(settings):
    assert isinstance(caches["default"], ForgivingRedisCache)
    assert dt.timedelta(seconds=cache.count("limit:x", seconds=3)[1]) <= dt.timedelta(seconds=3)
