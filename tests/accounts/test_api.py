"""People under /api/v1/."""

import pytest
from django.test import Client

from accounts.models import Profile
from marketplace.core.money import Money
from tests.factories import ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def send(client, method, url, body, key="k"):
    call = getattr(client, method)
    return call(url, body, content_type="application/json", headers={"Idempotency-Key": key})


def test_me_says_who_i_am_and_for_whom_i_act():
    user = UserFactory(name="Ines Kovač")
    said = signed_in(user).get("/api/v1/me/").json()
    assert said["name"] == "Ines Kovač"
    assert said["party"] == said["hires_for"]
    assert said["unread_notices"] == 0
    assert Client().get("/api/v1/me/").status_code == 401


def test_settings_change_piece_by_piece():
    user = UserFactory(name="Ines")
    answer = send(signed_in(user), "patch", "/api/v1/me/", {"time_zone": "Europe/Paris"})
    assert answer.json()["time_zone"] == "Europe/Paris"
    refused = send(signed_in(user), "patch", "/api/v1/me/", {"language": "xx"}, key="k2")
    assert refused.status_code == 400
    assert "language" in refused.json()["errors"]


def test_a_profile_changes_piece_by_piece_and_keeps_the_rest():
    profile = ProfileFactory(bio="Kept", skills={"Django": 3})
    client = signed_in(profile.party.person)
    answer = send(
        client,
        "patch",
        "/api/v1/profile/",
        {"headline": "New", "rate_min": "55.00", "skills": [{"name": "js", "level": 2}]},
    )
    said = answer.json()
    assert (said["headline"], said["bio"]) == ("New", "Kept")
    assert (said["rate_min"], said["rate_max"], said["currency"]) == ("55.00", "55.00", "EUR")
    assert said["skills"] == [{"name": "JavaScript", "level": 2}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rate_min": 55}, "rate_min"),
        ({"rate_min": "1,5"}, "rate_min"),
        ({"rate_min": "9" * 4000}, "rate_min"),
        ({"hours_per_week": 200}, "hours_per_week"),
        ({"availability": "maybe"}, "availability"),
        ({"availability": "from"}, "available_from"),
        ({"headline": "a\x00b"}, "headline"),
        ({"skills": [{"name": "Django", "level": 7}]}, "skills"),
    ],
)
def test_wrong_values_are_named_by_field(change, field):
    user = UserFactory()
    answer = send(signed_in(user), "patch", "/api/v1/profile/", change)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["errors"]
    assert Profile.objects.get(party=user.party).headline == ""


def test_people_are_found_and_hidden_ones_are_not():
    shown = ProfileFactory(headline="Django", rate_min=Money(5000, "EUR"), skills={"Django": 3})
    hidden = ProfileFactory(is_visible=False)
    said = Client().get("/api/v1/people/?skill=django&rate=60").json()
    assert [person["handle"] for person in said["results"]] == [shown.handle]
    assert (said["count"], said["count_is_capped"], said["after"]) == (1, False, "")
    assert "bio" not in said["results"][0]
    assert Client().get(f"/api/v1/people/{shown.handle}/").json()["bio"] == shown.bio
    assert Client().get(f"/api/v1/people/{hidden.handle}/").status_code == 404
    mine = signed_in(hidden.party.person).get(f"/api/v1/people/{hidden.handle}/")
    assert mine.status_code == 200


def test_nothing_private_is_in_what_everybody_may_see():
    profile = ProfileFactory()
    text = Client().get(f"/api/v1/people/{profile.handle}/").content.decode()
    assert profile.party.person.email not in text
    assert "vat" not in text
    assert '"id"' not in text


def test_skills_are_suggested_to_everybody():
    said = Client().get("/api/v1/skills/?q=postg").json()
    assert said[0]["name"] == "PostgreSQL"


def test_notices_are_read_by_name_or_all(settings, tmp_path):
    from accounts.services import notices

    (tmp_path / "accounts" / "notices").mkdir(parents=True)
    (tmp_path / "accounts" / "notices" / "plain.txt").write_text("{{ what }}")
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    ]
    user, other = UserFactory(), UserFactory()
    for key in "abc":
        notices.notify([user, other], "plain", key=key, url="/", group="work", facts={"what": key})
    client = signed_in(user)
    said = client.get("/api/v1/notices/").json()
    assert [row["text"] for row in said["results"]] == ["c", "b", "a"]
    refs = [said["results"][0]["ref"], other.notices.first().ref]
    assert send(client, "post", "/api/v1/notices/read/", {"refs": refs}).status_code == 204
    assert (user.unread_notices, other.unread_notices) == (2, 3)
    send(client, "post", "/api/v1/notices/read/", {}, key="all")
    assert user.unread_notices == 0


def test_changes_need_a_key_and_a_repeat_gets_the_first_answer():
    user = UserFactory(name="First")
    client = signed_in(user)
    url, json = "/api/v1/me/", "application/json"
    assert client.patch(url, {"name": "X"}, content_type=json).status_code == 400
    first = send(client, "patch", url, {"name": "Second"}, key="same")
    again = send(client, "patch", url, {"name": "Second"}, key="same")
    assert first.json() == again.json()
    assert send(client, "patch", url, {"name": "Third"}, key="same").status_code == 422
