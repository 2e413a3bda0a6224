"""What people mean by the skills they type: told or asked, never silently changed."""

import pytest
from django.urls import reverse

from accounts.models import Skill
from accounts.services import naming
from tests.factories import ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


def read(*names, **answers):
    return naming.read_names(names, answers=answers)


def test_known_spellings_are_left_as_they_are_typed():
    reading = read("postgres", "C++")
    assert reading.names == ["postgres", "C++"]
    assert not reading.corrected
    assert not reading.questions


def test_a_slip_of_the_finger_is_corrected_and_told():
    reading = read("javascriptt", "Django")
    assert reading.names == ["JavaScript", "Django"]
    assert reading.told == ["“javascriptt” was read as JavaScript."]


def test_what_may_be_meant_is_asked_with_the_nearest_first():
    reading = read("figmaa design")
    assert not reading.corrected
    question = reading.questions[0]
    assert question.typed == "figmaa design"
    assert question.candidates[0].name == "Figma"


@pytest.mark.parametrize("name", ["Glockenspiel tuning", "xq", "zzzz"])
def test_what_is_like_nothing_known_is_new_without_a_question(name):
    reading = read(name)
    assert reading.names == [name]
    assert not reading.questions
    assert not reading.corrected


def test_an_answer_is_taken_and_not_asked_again():
    answers = {"figmaa design": "Figma"}
    reading = naming.read_names(["figmaa design"], answers=answers)
    assert reading.names == ["Figma"]
    kept = naming.read_names(["figmaa design"], answers={"figmaa design": "figmaa design"})
    assert kept.names == kept.kept == ["figmaa design"]
    assert not kept.questions


def test_what_users_propose_corrects_nobody():
    Skill.objects.filter(name="Figma").update(state="proposed")
    assert all(
        candidate.name != "Figma"
        for question in read("figmaa").questions
        for candidate in question.candidates
    )
    assert "Figma" not in read("figmaa").names


# --- In the profile -------------------------------------------------------------------------


@pytest.fixture
def mine(client):
    user = UserFactory()
    ProfileFactory(user=user, skills={"Django": 3})
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return user.own_party.profile


def save(client, **more):
    data = {"skill": ["Django"], "level": ["3"], "new_level": "2", **more}
    return client.post(reverse("accounts:skills"), data)


def names_of(profile):
    return {row.skill.name for row in profile.profile_skills.select_related("skill")}


def test_the_profile_asks_before_it_saves_a_name_in_doubt(client, mine):
    page = save(client, new="figmaa design")
    text = page.content.decode()
    assert "Did you mean Figma?" in text
    assert 'name="asked" value="figmaa design"' in text
    assert names_of(mine) == {"Django"}

    save(client, new="figmaa design", asked=["figmaa design"], **{"means-0": "Figma"})
    assert names_of(mine) == {"Django", "Figma"}


def test_the_profile_keeps_a_name_its_owner_insists_on(client, mine):
    save(client, new="figmaa design", asked=["figmaa design"], **{"means-0": "figmaa design"})
    assert names_of(mine) == {"Django", "figmaa design"}


def test_the_profile_tells_what_it_corrected(client, mine):
    page = save(client, new="javascriptt")
    assert page.status_code in {302, 303}
    assert names_of(mine) == {"Django", "JavaScript"}
    assert "“javascriptt” was read as JavaScript." in client.get(page.url).content.decode()


# --- Over the API ---------------------------------------------------------------------------


def test_the_api_says_what_names_stand_for(client):
    url = "/api/v1/skills/meant/?name=postgres&name=javascriptt&name=figmaa+design&name=zzzz"
    known, sure, asked, new = client.get(url).json()
    assert (known["skill"]["name"], known["exact"]) == ("PostgreSQL", True)
    assert (sure["skill"]["name"], sure["exact"]) == ("JavaScript", False)
    assert asked["skill"] is None
    assert asked["candidates"][0]["name"] == "Figma"
    assert new == {"typed": "zzzz", "skill": None, "exact": False, "candidates": []}
