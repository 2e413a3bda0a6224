"""People in the admin: to look up, and a few things to press."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Skill, User
from accounts.services.skills import find_or_propose
from marketplace.core.models import AuditRow
from tests.factories import CompanyFactory, ProfileFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    client = Client()
    client.force_login(StaffFactory(), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("model", ["user", "party", "profile", "skill", "notice"])
def test_staff_look_at_lists_and_rows(staff, model):
    ProfileFactory(skills={"Django": 3})
    CompanyFactory()
    listed = staff.get(reverse(f"admin:accounts_{model}_changelist"))
    assert listed.status_code == 200
    row = listed.context["cl"].result_list.first()
    if row is not None:
        page = staff.get(reverse(f"admin:accounts_{model}_change", args=[row.pk]))
        assert page.status_code == 200


def test_nobody_edits_a_password_hash(staff):
    user = UserFactory(password="four quiet words here")
    page = staff.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert user.password not in page
    assert 'name="password"' not in page


def test_making_somebody_staff_is_of_record(staff):
    user = UserFactory()
    staff.post(
        reverse("admin:accounts_user_change", args=[user.pk]),
        {
            "is_staff": "on",
            "memberships-TOTAL_FORMS": 0,
            "memberships-INITIAL_FORMS": 0,
        },
    )
    assert User.objects.get(pk=user.pk).is_staff
    row = AuditRow.objects.get(action="user.role_changed")
    assert row.subject_id == user.pk
    assert row.facts["is_staff"] is True


def press(staff, action, chosen):
    return staff.post(
        reverse("admin:accounts_skill_changelist"),
        {"action": action, "_selected_action": [skill.pk for skill in chosen]},
        follow=True,
    ).content.decode()


def test_a_proposed_skill_is_taken_into_the_list(staff):
    skill = find_or_propose(["Glass blowing"])[0]
    press(staff, "curate", [skill])
    skill.refresh_from_db()
    assert skill.state == Skill.State.CURATED


def test_proposed_skills_are_merged_into_one_of_the_list(staff):
    new = find_or_propose(["Djangoo", "Djanggo"])
    django = Skill.objects.get(name="Django")
    assert "2 skills are now other spellings of Django" in press(staff, "merge", [*new, django])
    assert find_or_propose(["djanggo"]) == [django]


def test_merging_asks_for_exactly_one_to_keep(staff):
    skills = find_or_propose(["Django", "htmx"])
    assert "Choose exactly one" in press(staff, "merge", skills)
    assert Skill.objects.filter(pk__in=[skill.pk for skill in skills]).count() == 2
