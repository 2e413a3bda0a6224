"""What freelancers show, and the rules of it."""

import datetime as dt
import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import Profile, Skill
from accounts.services import profiles
from accounts.services.skills import find_or_propose
from accounts.signals import profile_changed
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed
from marketplace.core.models import AuditRow, StoredFile
from marketplace.core.money import Money
from tests.factories import ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db
PLAIN = {
    "headline": "Front-end developer",
    "bio": "",
    "rate_min": None,
    "rate_max": None,
    "availability": "now",
    "available_from": None,
    "hours_per_week": None,
    "languages": "",
    "is_visible": True,
}


def save(user, **values):
    profiles.save_profile(user.party.profile, by=user, **PLAIN | values)
    return Profile.objects.get(party=user.party)


def test_saving_keeps_what_was_said_and_notes_which_fields_changed():
    user = UserFactory()
    profile = save(user, bio="One\r\n\r\n\r\nTwo", rate_min=Money(5500, "EUR"))
    assert profile.bio == "One\n\nTwo"
    assert (profile.rate_min_minor, profile.rate_max_minor) == (5500, 5500)
    row = AuditRow.objects.get(action="profile.changed")
    assert set(row.facts["fields"]) == {"headline", "bio", "rate_min_minor", "rate_max_minor"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"rate_min": Money(6000, "EUR"), "rate_max": Money(5000, "EUR")}, "rate_max"),
        ({"rate_min": Money(0, "EUR")}, "rate_min"),
        ({"rate_min": Money(6000, "USD")}, "rate_min"),
        ({"availability": "from"}, "available_from"),
        ({"availability": "from", "available_from": dt.date(2020, 1, 1)}, "available_from"),
        ({"hours_per_week": 81}, "hours_per_week"),
        ({"headline": "x" * 121}, "headline"),
        ({"bio": "x" * 4001}, "bio"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(values, field):
    with pytest.raises(InvalidInput) as refused:
        save(UserFactory(), **values)
    assert refused.value.field == field


def test_a_date_that_has_passed_does_not_block_other_changes():
    user = UserFactory()
    Profile.objects.filter(party=user.party).update(
        availability="from", available_from=dt.date(2020, 1, 1)
    )
    user.party.profile.refresh_from_db()
    save(user, availability="from", available_from=dt.date(2020, 1, 1), bio="New")
    user.party.profile.refresh_from_db()
    assert user.party.profile.bio == "New"


def test_nobody_edits_the_profile_of_another():
    mine, other = UserFactory(), UserFactory()
    with pytest.raises(NotAllowed):
        profiles.save_profile(mine.party.profile, by=other, **PLAIN)


def test_news_of_a_change_climbs_in_the_same_transaction():
    heard = []

    def hear(profile, **_kwargs):
        heard.append(profile.words)

    profile_changed.connect(hear)
    try:
        user = UserFactory(name="Ines Kovač")
        profiles.set_skills(
            user.party.profile, by=user, skills=[(skill, 3) for skill in find_or_propose(["js"])]
        )
    finally:
        profile_changed.disconnect(hear)
    assert "JavaScript" in heard[-1]
    assert "ecmascript" in heard[-1]


def test_skills_are_replaced_with_their_levels_and_thirty_are_enough():
    profile = ProfileFactory(skills={"Django": 3, "htmx": 2})
    user = profile.party.person
    python, django = find_or_propose(["Python", "Django"])
    profiles.set_skills(profile, by=user, skills=[(python, 1), (django, 2)])
    levels = {s.skill.name: s.level for s in profile.profile_skills.all()}
    assert levels == {"Python": 1, "Django": 2}
    many = find_or_propose(f"Skill {n}" for n in range(31))
    with pytest.raises(InvalidInput, match="at most 30"):
        profiles.set_skills(profile, by=user, skills=[(skill, 2) for skill in many])


# --- Samples --------------------------------------------------------------------------------


def picture(size=(2400, 900), kind="PNG", name="shot.png"):
    data = io.BytesIO()
    Image.new("RGB", size, "teal").save(data, kind)
    return SimpleUploadedFile(name, data.getvalue(), content_type="image/png")


def test_a_picture_is_re_encoded_and_shrunk():
    profile = ProfileFactory()
    item = profiles.add_sample(
        profile, by=profile.party.person, title="Checkout", image=picture(), image_alt="Three steps"
    )
    with default_storage.open(item.image.storage_key) as stored, Image.open(stored) as kept:
        assert kept.format == "WEBP"
        assert kept.size == (1600, 600)


def test_a_picture_needs_words_for_who_cannot_see_it():
    profile = ProfileFactory()
    with pytest.raises(InvalidInput) as refused:
        profiles.add_sample(profile, by=profile.party.person, title="T", image=picture())
    assert refused.value.field == "image_alt"


def test_what_is_no_picture_is_refused():
    profile = ProfileFactory()
    fake = SimpleUploadedFile("x.png", b"<svg onload=alert(1)>")
    with pytest.raises(InvalidInput, match="PNG, JPEG or WebP"):
        profiles.add_sample(profile, by=profile.party.person, title="T", image=fake, image_alt="A")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x.example", "x.example", "//x"])
def test_a_link_leads_to_the_web_or_nowhere(url):
    profile = ProfileFactory()
    with pytest.raises(InvalidInput) as refused:
        profiles.add_sample(profile, by=profile.party.person, title="T", url=url)
    assert refused.value.field == "url"


def test_samples_move_up_and_down_and_stop_at_the_ends():
    profile = ProfileFactory()
    user = profile.party.person
    a, b, c = (profiles.add_sample(profile, by=user, title=title) for title in "abc")

    def order():
        return "".join(profile.portfolio.values_list("title", flat=True))

    profiles.move_sample(c, by=user, up=True)
    assert order() == "acb"
    profiles.move_sample(a, by=user, up=True)
    assert order() == "acb"
    profiles.move_sample(a, by=user, up=False)
    assert order() == "cab"
    profiles.move_sample(b, by=user, up=False)
    assert order() == "cab"


def test_a_removed_sample_takes_its_picture_along(django_capture_on_commit_callbacks):
    profile = ProfileFactory()
    user = profile.party.person
    item = profiles.add_sample(profile, by=user, title="T", image=picture(), image_alt="A")
    key = item.image.storage_key
    with django_capture_on_commit_callbacks(execute=True):
        profiles.remove_sample(item, by=user)
    assert not StoredFile.objects.filter(storage_key=key).exists()
    assert not default_storage.exists(key)


def test_a_new_picture_replaces_the_old_one():
    profile = ProfileFactory()
    user = profile.party.person
    item = profiles.add_sample(profile, by=user, title="T", image=picture(), image_alt="A")
    first = item.image_id
    profiles.edit_sample(
        item, by=user, title="T", description="", url="", image_alt="B", image=picture((20, 20))
    )
    assert item.image_id != first
    assert StoredFile.objects.count() == 1


def test_twenty_samples_are_enough():
    profile = ProfileFactory()
    user = profile.party.person
    for n in range(20):
        profiles.add_sample(profile, by=user, title=f"{n}")
    with pytest.raises(DomainError, match="20 samples"):
        profiles.add_sample(profile, by=user, title="one more")


def test_nobody_touches_the_samples_of_another():
    profile, other = ProfileFactory(), UserFactory()
    item = profiles.add_sample(profile, by=profile.party.person, title="T")
    with pytest.raises(NotAllowed):
        profiles.remove_sample(item, by=other)
    assert Skill.objects.exists()
