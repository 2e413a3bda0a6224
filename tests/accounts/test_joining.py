"""Joining makes a complete person: party, rights, profile, audit row."""

import pytest
from django.contrib.auth import get_user_model

from accounts.models import Membership, Profile
from accounts.selectors import acts_for, hiring_party
from accounts.services import people
from marketplace.core.errors import InvalidInput
from marketplace.core.models import AuditRow
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_joining_makes_a_party_with_all_rights_and_a_profile():
    user = people.join("Ines@Example.test ", name="Ines  Kovač", side="work")
    assert user.email == "ines@example.test"
    assert user.name == "Ines Kovač"
    assert user.party.name == "Ines Kovač"
    assert all(acts_for(user, user.party, right) for right in ("post", "hire", "pay", "manage"))
    assert user.party.profile.handle == "ines-kovac"
    assert not user.has_usable_password()
    assert AuditRow.objects.filter(actor=user, action="user.joined").count() == 1


def test_two_people_of_one_name_get_two_addresses():
    first, second = UserFactory(name="Ana Li"), UserFactory(name="Ana Li")
    assert first.party.profile.handle == "ana-li"
    assert second.party.profile.handle.startswith("ana-li-")


def test_a_name_in_another_alphabet_still_gets_an_address():
    assert UserFactory(name="田中 さくら").party.profile.handle.startswith("person")


def test_an_address_joins_once_whatever_its_case():
    UserFactory(email="kai@example.test")
    with pytest.raises(InvalidInput) as refused:
        people.join("KAI@example.test", name="Kai")
    assert refused.value.field == "email"


@pytest.mark.parametrize("name", ["", "  ", "…", "x" * 121])
def test_a_name_must_be_a_name(name):
    with pytest.raises(InvalidInput) as refused:
        people.join("a@example.test", name=name)
    assert refused.value.field == "name"


@pytest.mark.parametrize("name", ["Bidwell", "Bidwell Support", "Віdwеll Team", "BidweII staff"])
def test_nobody_may_be_called_like_us(name):
    with pytest.raises(InvalidInput):
        people.join("a@example.test", name=name)


def test_people_whose_surname_is_ours_are_welcome():
    assert UserFactory(name="Charles Bidwell").name == "Charles Bidwell"


def test_hidden_marks_and_breaks_are_taken_out_of_a_name():
    assert UserFactory(name="Ab\u202ee\u200bl\nSol\x00").name == "Abel Sol"


def test_who_joins_to_hire_is_not_shown_among_freelancers():
    assert not UserFactory(side="hire").party.profile.is_visible
    assert UserFactory(side="work").party.profile.is_visible


def test_a_founder_hires_for_the_company_from_now_on():
    user = UserFactory(side="hire")
    assert hiring_party(user) == user.party
    company = people.found_company(user, name="Museum of Tides", country="NL")
    assert hiring_party(user) == company
    assert acts_for(user, company, "manage")
    people.hire_for(user, party=user.party)
    assert hiring_party(user) == user.party


def test_staff_made_on_the_command_line_get_a_party_when_they_need_one():
    user = get_user_model().objects.create_superuser("ops@example.test", "x", name="")
    assert user.party is None
    people.settle(user)
    people.settle(user)
    assert Membership.objects.filter(user=user).count() == 1
    assert not Profile.objects.get(party=user.party).is_visible


def test_a_new_name_shows_everywhere_at_once():
    user = UserFactory(name="Old Name")
    people.update_settings(user, name="New Name", language="de", time_zone="Europe/Berlin")
    user.refresh_from_db()
    assert (user.party.name, user.language, user.time_zone) == ("New Name", "de", "Europe/Berlin")
    assert "New Name" in user.party.profile.words


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"time_zone": "Mars/Base"}])
def test_a_language_or_zone_we_do_not_know_is_refused(wrong):
    user = UserFactory()
    with pytest.raises(InvalidInput):
        people.update_settings(
            user, **({"name": "A", "language": "en", "time_zone": "UTC"} | wrong)
        )
