"""How skills hang together, and lists that operators bring along."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts import curated
from accounts.models import Skill, SkillAlias, SkillCode, SkillLink
from accounts.selectors import broader_than
from accounts.services import skills, taxonomy
from marketplace.core.errors import InvalidInput
from marketplace.core.models import AuditRow
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


def a_skill(name):
    return skills.find_or_propose([name])[0]


def named(name):
    return Skill.objects.get(name=name)


# --- Links ----------------------------------------------------------------------------------


def test_the_list_comes_with_links_between_its_own_skills():
    assert named("Python").pk in broader_than(named("Django REST framework"))
    assert SkillLink.objects.count() > 500
    assert curated.load_links(Skill, SkillLink) == 0


def test_two_skills_have_one_link_whichever_way_round():
    one, two = a_skill("Glass blowing"), a_skill("Glass cutting")
    SkillLink.objects.create(skill=one, other=two, kind="related")
    with pytest.raises(IntegrityError), transaction.atomic():
        SkillLink.objects.create(skill=two, other=one, kind="broader")


def test_a_skill_is_not_linked_to_itself():
    one = a_skill("Glass blowing")
    with pytest.raises(IntegrityError), transaction.atomic():
        SkillLink.objects.create(skill=one, other=one, kind="related")
    with pytest.raises(InvalidInput):
        taxonomy.link(one, other=one, kind="related", by=StaffFactory())


def test_skills_do_not_contain_each_other_in_a_circle():
    staff = StaffFactory()
    one, two, three = map(a_skill, ("Glass blowing", "Glass work", "Handicraft work"))
    taxonomy.link(one, other=two, kind="broader", by=staff)
    taxonomy.link(two, other=three, kind="broader", by=staff)
    with pytest.raises(InvalidInput):
        taxonomy.link(three, other=one, kind="broader", by=staff)
    assert broader_than(one) == {two.pk, three.pk}


def test_a_new_link_takes_the_place_of_the_old_one_and_is_of_record():
    staff = StaffFactory()
    one, two = a_skill("Glass blowing"), a_skill("Glass work")
    taxonomy.link(one, other=two, kind="related", by=staff)
    taxonomy.link(one, other=two, kind="broader", by=staff)
    assert SkillLink.objects.get(skill=one).kind == "broader"
    taxonomy.unlink(two, other=one, by=staff)
    taxonomy.unlink(two, other=one, by=staff)
    assert not SkillLink.objects.filter(skill=one).exists()
    done = AuditRow.objects.filter(action__startswith="skill.").values_list("action", flat=True)
    assert sorted(done) == ["skill.linked", "skill.linked", "skill.unlinked"]


def test_merging_takes_the_links_along_without_closing_a_circle():
    staff = StaffFactory()
    low, middle, high, other = map(
        a_skill, ("Glass blowing", "Glass work", "Handicraft work", "Glass melting")
    )
    taxonomy.link(low, other=middle, kind="broader", by=staff)
    taxonomy.link(middle, other=high, kind="broader", by=staff)
    taxonomy.link(low, other=other, kind="related", by=staff)
    skills.merge(low, into=high, by=staff)
    assert SkillLink.objects.filter(skill=high, other=other).exists()
    assert high.pk not in broader_than(high)


def test_staff_link_skills_in_the_admin_and_a_circle_is_explained():
    staff = Client()
    staff.force_login(StaffFactory(), "django.contrib.auth.backends.ModelBackend")
    one, two = a_skill("Glass blowing"), a_skill("Glass work")
    add = reverse("admin:accounts_skilllink_add")
    staff.post(add, {"skill": one.pk, "other": two.pk, "kind": "broader"})
    assert broader_than(one) == {two.pk}
    refused = staff.post(add, {"skill": two.pk, "other": one.pk, "kind": "broader"})
    assert "is already part of" in refused.content.decode()
    assert broader_than(two) == set()
    assert staff.get(reverse("admin:accounts_skill_change", args=[one.pk])).status_code == 200
    chosen = {"action": "unlink", "_selected_action": [one.pk, two.pk]}
    staff.post(reverse("admin:accounts_skill_changelist"), chosen)
    assert broader_than(one) == set()
    staff.post(reverse("admin:accounts_skill_changelist"), chosen | {"action": "relate"})
    assert SkillLink.objects.get(skill=one).kind == "related"


# --- Imports --------------------------------------------------------------------------------

ESCO = (
    "conceptType,conceptUri,skillType,preferredLabel,altLabels,hiddenLabels\n"
    'KnowledgeSkillCompetence,urn:s1,knowledge,"Snow grooming (pistes)","groom snow\npiste care",\n'
    "KnowledgeSkillCompetence,urn:s2,knowledge,Django,,\n"
    f"KnowledgeSkillCompetence,urn:s3,skill,{'x' * 61},,\n"
    "KnowledgeSkillCompetence,,skill,nameless,,\n"
    "KnowledgeSkillCompetence,urn:s4,skill,Mountain work,,\n"
)
BROADER = (
    "conceptType,conceptUri,conceptLabel,broaderType,broaderUri,broaderLabel\n"
    "K,urn:s1,,K,urn:s4,\nK,urn:s4,,K,urn:s2,\nK,urn:s2,,K,urn:s1,\nK,urn:s1,,K,urn:nobody,\n"
)
ONET = (
    "O*NET-SOC Code\tExample\tCommodity Code\tCommodity Title\tHot Technology\n"
    "15-1\tSnowplan Pro\t4323\tPiste planning software\tN\n"
    "15-2\tSnowplan Pro\t4323\tPiste planning software\tN\n"
)


@pytest.fixture
def files(tmp_path):
    for name, text in (("skills.csv", ESCO), ("broader.csv", BROADER), ("tech.txt", ONET)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return [tmp_path / name for name in ("skills.csv", "broader.csv", "tech.txt")]


def run(*files, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command("import_taxonomy", *files, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_files_of_both_classifications_are_brought_in(files):
    out, err = run(*files)

    assert out.startswith("4 skills, ")
    assert "3 links added; 4 lines left out." in out
    assert skills.find_or_propose(["piste care"]) == [named("Snow grooming (pistes)")]
    assert skills.find_or_propose(["snow grooming"]) == [named("Snow grooming (pistes)")]
    assert SkillCode.objects.get(code="urn:s2").skill == named("Django")
    assert broader_than(named("Snowplan Pro")) == {named("Piste planning software").pk}
    assert named("Mountain work").pk in broader_than(named("Snow grooming (pistes)"))
    assert named("Snow grooming (pistes)").pk not in broader_than(named("Django"))
    for said in ("skills.csv, line 5: ", "is too long", "no code or no name", "circle"):
        assert said in err
    assert "broader.csv, line 5: links a skill that was not imported" in err


def test_importing_again_changes_nothing(files):
    run(*files)
    before = (Skill.objects.count(), SkillAlias.objects.count(), SkillLink.objects.count())
    out, _err = run(*files)
    assert out.startswith("0 skills, 0 spellings, 0 codes, 0 links added")
    assert before == (Skill.objects.count(), SkillAlias.objects.count(), SkillLink.objects.count())


def test_a_dry_run_counts_and_leaves_everything_as_it_is(files):
    before = Skill.objects.count()
    out, _err = run(*files, dry_run=True)
    assert out.startswith("4 skills, ")
    assert "would be added" in out
    assert Skill.objects.count() == before
    assert not SkillCode.objects.exists()


def test_a_renamed_skill_is_found_again_by_its_code(files):
    run(*files)
    Skill.objects.filter(name="Mountain work").update(name="Work on mountains")
    run(*files)
    assert not Skill.objects.filter(name="Mountain work").exists()


def test_a_file_of_something_else_is_refused(tmp_path):
    other = tmp_path / "prices.csv"
    other.write_text("name,price\na,1\n")
    with pytest.raises(CommandError, match="no file of ESCO or O"):
        run(other)
    with pytest.raises(CommandError, match="Cannot read"):
        run(tmp_path / "none.csv")
