"""Skills asked for together with one's own: evidence, never an addition to the profile."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from accounts.models import Skill
from accounts.selectors import profile_to_edit
from marketplace.core.errors import NotAllowed
from marketplace.core.models import AuditRow
from matching.insight.models import DismissedSkill, SkillPair
from matching.insight.selectors.gaps import gaps_of
from matching.insight.services import gaps as services
from matching.insight.services.nightly import count_night
from tests.factories import ProfileFactory, UserFactory
from tests.matching.past import posted

pytestmark = pytest.mark.django_db
NOVEMBER = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
PAGE = "/profile/skills/gaps/"


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(NOVEMBER, tick=False):
        yield


@pytest.fixture
def by(crowd):
    return crowd[0]


@pytest.fixture
def past(by):
    """Of 20 projects that ask for Django, 14 ask for HTML too; 30 others ask for CSS."""
    posted(by, 14, skills=("Django", "HTML"))
    posted(by, 6, skills=("Django",))
    posted(by, 30, skills=("CSS",))
    count_night()


def freelancer(*skills):
    user = UserFactory()
    ProfileFactory(user=user, skills=dict.fromkeys(skills, 2))
    return user


def suggested(user):
    return [gap.skill.name for gap in gaps_of(profile_to_edit(user)).found]


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def page(user):
    return " ".join(signed_in(user).get(PAGE).content.decode().split())


def test_a_skill_that_goes_with_one_of_theirs_is_suggested_with_its_evidence(past):
    assert "Asked for in 14 of 20 projects that ask for Django" in page(freelancer("Django"))
    assert suggested(freelancer("HTML")) == ["Django"]
    pair = SkillPair.objects.get(skill__name="Django")
    assert pair.lift == pytest.approx(14 / 50 / (20 / 50 * 14 / 50))


def test_nothing_is_suggested_that_somebody_has_or_to_somebody_without_skills(past):
    assert suggested(freelancer("Django", "HTML")) == []
    assert suggested(freelancer("CSS")) == []
    assert "Name your skills first" in page(freelancer())


def test_what_is_together_no_more_often_than_by_chance_is_not_suggested(by):
    # Of 4 projects each has Django with probability ½ and HTML with ½, independently.
    posted(by, 10, skills=("Django", "HTML"))
    posted(by, 10, skills=("Django",))
    posted(by, 10, skills=("HTML",))
    posted(by, 10, skills=("CSS",))
    count_night()

    assert suggested(freelancer("Django")) == []


def test_what_four_clients_ask_for_is_their_business(by):
    posted(by[:4], 40, skills=("Django", "HTML"))
    posted(by, 40, skills=("CSS",))
    count_night()

    assert not SkillPair.objects.exists()


def test_postings_of_a_year_ago_say_nothing_about_today(by):
    posted(by, 14, skills=("Django", "HTML"), days_ago=400)
    posted(by, 14, skills=("CSS",))
    count_night()

    assert suggested(freelancer("Django")) == []


def test_what_goes_with_several_of_their_skills_comes_first(by):
    posted(by, 10, skills=("Django", "HTML"))
    posted(by, 8, skills=("Django", "CSS"))
    posted(by, 8, skills=("Stripe", "CSS"))
    posted(by, 60, skills=("Figma",))
    count_night()

    assert suggested(freelancer("Django")) == ["HTML", "CSS"]
    assert suggested(freelancer("Django", "Stripe")) == ["CSS", "HTML"]


def test_a_trend_needs_ten_postings_before_and_after(by):
    posted(by, 10, skills=("Django", "HTML"), days_ago=130)
    posted(by, 10, skills=("CSS",), days_ago=130)
    posted(by, 9, skills=("Django", "CSS"), days_ago=130)
    posted(by, 13, skills=("Django", "HTML"), days_ago=50)
    posted(by, 13, skills=("Stripe", "CSS"), days_ago=50)
    count_night()

    gaps = {
        gap.skill.name: gap.trend for gap in gaps_of(profile_to_edit(freelancer("Django"))).found
    }
    assert gaps["HTML"] == "rising"
    user = freelancer("Stripe")
    assert {g.skill.name: g.trend for g in gaps_of(profile_to_edit(user)).found} == {
        "CSS": "falling"
    }


# --- Dismissing -----------------------------------------------------------------------------


def test_a_dismissed_skill_stays_away_until_it_is_wanted_again(past):
    user = freelancer("Django")
    client = signed_in(user)
    before = list(user.own_party.profile.profile_skills.values_list("skill__name", "level"))

    assert client.post(PAGE, {"dismiss": "html"}).status_code == 303
    count_night()
    gone = page(user)
    assert "Asked for in" not in gone
    assert "Suggest HTML again" in gone
    client.post(PAGE, {"restore": "html"})

    assert suggested(user) == ["HTML"]
    assert list(user.own_party.profile.profile_skills.values_list("skill__name", "level")) == before
    told = AuditRow.objects.filter(action__startswith="skill_suggestion").order_by("pk")
    assert [row.action for row in told] == [
        "skill_suggestion.dismissed",
        "skill_suggestion.restored",
    ]


def test_dismissing_twice_is_dismissing_once_and_only_for_oneself(past):
    user, other = freelancer("Django"), freelancer("Django")
    html = Skill.objects.get(name="HTML")

    services.dismiss(user.own_party.profile, by=user, skill=html)
    services.dismiss(user.own_party.profile, by=user, skill=html)

    assert DismissedSkill.objects.count() == 1
    assert AuditRow.objects.filter(action="skill_suggestion.dismissed").count() == 1
    assert suggested(other) == ["HTML"]
    with pytest.raises(NotAllowed):
        services.restore(user.own_party.profile, by=other, skill=html)
    with pytest.raises(NotAllowed):
        services.dismiss(user.own_party.profile, by=other, skill=html)


def test_an_unknown_skill_is_not_found(past):
    user = freelancer("Django")
    client = signed_in(user)
    for name in ("dismiss", "restore"):
        for slug in ("no-such-skill", "\x00"):
            assert client.post(PAGE, {name: slug}).status_code == 404
    assert not DismissedSkill.objects.exists()


def test_the_api_lists_dismisses_and_restores(past):
    client = signed_in(freelancer("Django"))
    url = "/api/v1/skills/gaps/"

    [gap] = client.get(url).json()["results"]
    assert gap["skill"]["slug"] == "html"
    assert gap["evidence"] == [
        {"skill": {"name": "Django", "slug": "django"}, "together": 14, "asked": 20}
    ]
    kind = {"content_type": "application/json"}
    once = {"Idempotency-Key": "one"}
    answer = client.post(f"{url}html/dismiss/", {}, headers=once, **kind).json()
    assert answer["results"] == []
    assert answer["dismissed"] == [{"name": "HTML", "slug": "html"}]
    again = {"Idempotency-Key": "two"}
    answer = client.post(f"{url}html/restore/", {}, headers=again, **kind).json()
    assert [each["skill"]["name"] for each in answer["results"]] == ["HTML"]


@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_page_takes_the_same_few_queries_for_any_number_of_pairs(
    count, django_assert_num_queries
):
    user = freelancer("Django")
    django = Skill.objects.get(name="Django")
    others = Skill.objects.filter(state=Skill.State.CURATED).exclude(pk=django.pk)[:count]
    SkillPair.objects.bulk_create(
        SkillPair(skill=django, other=each, together=5, asked=9, lift=2, weight=3)
        for each in others
    )
    profile = profile_to_edit(user)
    with django_assert_num_queries(6):  # dismissed, pairs, policy, two halves, how old
        assert len(gaps_of(profile).found) == min(count, 10)
