"""One skill under many spellings."""

import pytest

from accounts import curated
from accounts.models import ProfileSkill, Skill, SkillAlias
from accounts.selectors import skills_named, suggest_skills
from accounts.services import skills
from accounts.spelling import fold_skill
from marketplace.core.errors import InvalidInput
from tests.factories import ProfileFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def names(found):
    return [skill.name for skill in found]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("postgres", "PostgreSQL"),
        (" Postgres ", "PostgreSQL"),
        ("front end", "Front-end development"),
        ("FRONT-END", "Front-end development"),
        ("k8s", "Kubernetes"),
        ("c++", "C++"),
        ("C#", "C#"),
        ("c", "C"),
        ("Español", "Spanish"),
        ("node js", "Node.js"),
        (".net core", "ASP.NET"),
    ],
)
def test_other_spellings_find_the_one_skill(spelling, name):
    assert names(skills.find_or_propose([spelling])) == [name]


def test_unknown_skills_are_proposed_once():
    first = skills.find_or_propose(["Glass blowing", "glass-blowing"])
    again = skills.find_or_propose(["GLASS  BLOWING"])
    assert names(first) == ["glass-blowing"] or names(first) == ["Glass blowing"]
    assert first == again
    assert first[0].state == Skill.State.PROPOSED


def test_blank_names_are_skipped_and_order_is_kept():
    assert names(skills.find_or_propose(["htmx", "", "Django", "HTMX"])) == ["htmx", "Django"]


@pytest.mark.parametrize("name", ["???", "x" * 61])
def test_what_is_no_skill_is_refused(name):
    with pytest.raises(InvalidInput) as refused:
        skills.find_or_propose([name])
    assert refused.value.field == "skills"


def test_suggestions_start_with_what_was_typed():
    assert names(suggest_skills("djan"))[0] == "Django"
    assert "PostgreSQL" in names(suggest_skills("postg"))
    assert names(suggest_skills("acc"))[:1] != []
    assert suggest_skills("x") == []
    assert names(suggest_skills("c"))[0] == "C"
    assert suggest_skills("100%_") == []


def test_words_inside_a_name_are_found_too():
    assert "Web accessibility" in names(suggest_skills("accessib"))


def test_names_nobody_knows_are_left_out_when_only_reading():
    assert names(skills_named(["js", "no such thing"])) == ["JavaScript"]


# --- The list -------------------------------------------------------------------------------


def test_the_list_is_large_varied_and_without_collisions():
    groups = curated.areas()
    listed = [name for group in groups for name in group["skills"]]
    assert len(groups) >= 20
    assert len(listed) >= 400
    owners = {}
    for group in groups:
        for name, others in group["skills"].items():
            assert len(name) <= 60
            for folded in {fold_skill(spelling) for spelling in [name, *others]}:
                assert folded, name
                assert owners.setdefault(folded, name) == name


def test_loading_the_list_again_changes_nothing():
    assert curated.load(Skill, SkillAlias) == (0, 0)


def test_a_proposed_skill_that_the_list_names_becomes_curated():
    Skill.objects.filter(name="htmx").update(state="proposed", area="")
    curated.load(Skill, SkillAlias)
    assert Skill.objects.get(name="htmx").state == "curated"


# --- Keeping it tidy ------------------------------------------------------------------------


def test_merging_moves_people_and_spellings_to_the_kept_skill():
    both = ProfileFactory(skills={"Vue.js": 2, "Vue three": 3})
    one = ProfileFactory(skills={"Vue three": 1})
    old, keep = Skill.objects.get(name="Vue three"), Skill.objects.get(name="Vue.js")
    skills.merge(old, into=keep, by=StaffFactory())
    assert not Skill.objects.filter(name="Vue three").exists()
    assert skills.find_or_propose(["vue THREE"]) == [keep]
    assert list(ProfileSkill.objects.filter(profile=both).values_list("skill", flat=True)) == [
        keep.pk
    ]
    assert ProfileSkill.objects.get(profile=one).skill == keep
    one.refresh_from_db()
    assert "Vue.js" in one.words


def test_a_skill_is_not_merged_into_itself():
    skill = Skill.objects.get(name="Django")
    with pytest.raises(InvalidInput):
        skills.merge(skill, into=skill, by=UserFactory())


def test_the_list_of_skills_shows_one_area_at_a_time_and_what_people_offer(client):
    ProfileFactory(skills={"Django": 3, "htmx": 2})
    first = client.get("/skills/").content.decode()
    assert "Offered most" in first
    assert ">Django<" in first
    assert ">Flask<" not in first
    web = client.get("/skills/?area=web").content.decode()
    assert ">Flask<" in web
    assert ">Offered most<" not in web
    assert client.get("/skills/?area=nowhere").status_code == 200
