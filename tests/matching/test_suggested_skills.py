"""Skills suggested for a posting or a profile: read by a worker, confirmed by a person."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Skill
from marketplace.core import clock, retention
from marketplace.core.models import Draft
from matching import skill_memory, skill_services
from matching.models import SkillReading, TagLesson
from matching.selectors import skills as selectors
from projects.forms.posting import DRAFT
from projects.models import Project
from tests.factories import ProfileFactory, UserFactory
from tests.matching.conftest import a_client

pytestmark = pytest.mark.django_db

TITLE = "A shop for our museum"
TEXT = "The pages are written in Django. They must work with screen readers, wcag level two."


@pytest.fixture(autouse=True)
def words_only(settings, tmp_path, monkeypatch):
    """No encoder, nothing remembered of another test, and nobody waits for a worker."""
    settings.ENCODER_DIR = tmp_path / "no-encoder"
    monkeypatch.setattr(skill_services, "PATIENCE", 0)
    skill_memory.forget()
    yield
    skill_memory.forget()


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def read_everything():
    for reading in SkillReading.objects.filter(read_at__isnull=True):
        skill_services.read(reading.pk)


def text_of(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def names(found):
    return [each.skill.name for each in found.found]


def start_posting(client, **answers):
    values = {"title": TITLE, "description": TEXT, **answers}
    client.post(reverse("projects:post-draft"), values)


def draft_of(user):
    return Draft.objects.get(user=user, kind=DRAFT).values


# --- Reading --------------------------------------------------------------------------------


def test_a_reading_finds_skills_quotes_the_text_and_keeps_none_of_it():
    assert not skill_services.suggest(TEXT).is_read
    assert not SkillReading.objects.exists()
    skill_services.ask(TEXT, asker="draft:1")
    read_everything()

    found = skill_services.suggest(TEXT)

    assert found.is_read
    quoted = {each.skill.name: each.said for each in found.found}
    assert quoted["Django"] == "Django"
    assert "wcag" in quoted["Web accessibility"]
    assert SkillReading.objects.get().text == ""


def test_the_same_text_is_asked_for_once_and_again_when_its_task_was_lost():
    skill_services.ask(TEXT, asker="draft:1")
    skill_services.ask(TEXT, asker="draft:1")
    reading = SkillReading.objects.get()
    lost = clock.now() - dt.timedelta(minutes=5)
    SkillReading.objects.update(asked_at=lost)
    skill_services.ask(TEXT, asker="draft:1")
    reading.refresh_from_db()
    assert reading.asked_at > lost


def test_readings_of_yesterday_are_forgotten():
    skill_services.ask(TEXT, asker="draft:1")
    skill_services.ask("Another text about Laravel", asker="draft:2")
    SkillReading.objects.filter(digest=selectors.digest_of(TEXT)).update(
        asked_at=clock.now() - dt.timedelta(days=2)
    )
    assert skill_services.forget_readings() == 1
    assert SkillReading.objects.get().text == "Another text about Laravel"


def test_without_a_worker_exact_names_are_found():
    found = skill_services.suggest("Some Django work with postgres")
    assert not found.is_read
    assert {"Django", "PostgreSQL"} <= set(names(found))


def test_a_new_text_takes_the_place_of_the_one_that_waits_and_of_nobody_elses():
    skill_services.ask("The first text", asker="draft:1")
    skill_services.ask("Of somebody else", asker="draft:2")

    skill_services.ask("The second text", asker="draft:1")

    waiting = SkillReading.objects.values_list("asker", "text")
    assert set(waiting) == {("draft:1", "The second text"), ("draft:2", "Of somebody else")}
    read_everything()
    skill_services.ask("The third text", asker="draft:1")
    assert SkillReading.objects.count() == 3


def test_reading_is_limited_for_visitors_and_people_on_pages_and_in_the_api(settings):
    limit = {"seconds": 3600, "per_user": 2, "per_address": 4}
    settings.LIMITS = {"skill_reading": limit}
    user = UserFactory()
    ProfileFactory(user=user)
    visitor, client = Client(), signed_in(user)
    start_posting(visitor)
    page, profile = reverse("matching:project-skills"), reverse("matching:profile-skills")

    cache.clear()
    body, look = {"text": TEXT}, {"look": "1"}
    assert client.post("/api/v1/skills/suggested/", body, "application/json").status_code == 200
    assert client.post(profile, look).status_code == 303
    assert client.post(profile, look).status_code == 429
    refused = client.post("/api/v1/skills/suggested/", body, "application/json")
    assert refused.status_code == 429
    assert refused["Retry-After"]

    # A visitor shares the number of the address.
    assert [visitor.post(page, look).status_code for _time in range(3)] == [303, 303, 429]
    # What is there is shown, and what was ticked is not lost.
    assert visitor.get(page).status_code == 200
    assert visitor.post(page, {"skill": ["Django"]}).status_code == 303


# --- Posting --------------------------------------------------------------------------------


def test_a_client_ticks_what_is_right_and_nothing_else_is_added():
    mara = a_client()
    client = signed_in(mara)
    start_posting(client, skills="Stripe")
    url = reverse("matching:project-skills")
    client.post(url, {"look": "1"})
    read_everything()

    page = text_of(client.get(url))
    assert "because the text says “Django”" in page
    assert "Already on your list: Stripe" in page
    assert draft_of(mara)["skills"] == "Stripe"

    answer = client.post(url, {"skill": ["Django", "no such skill at all"]})
    assert answer.url == reverse("projects:post-step", args=[3])
    assert draft_of(mara)["skills"] == "Stripe, Django"


def test_the_button_in_the_step_keeps_what_is_typed_there():
    mara = a_client()
    client = signed_in(mara)
    start_posting(client)
    step = text_of(client.get(reverse("projects:post-step", args=[3])))
    url = reverse("matching:project-skills")
    assert f'formaction="{url}"' in step
    answer = client.post(url, {"look": "1", "skills": "Laravel", "ai_policy": "no"})
    assert answer.url == url
    assert draft_of(mara)["skills"] == "Laravel"
    assert draft_of(mara)["ai_policy"] == "no"


def test_the_page_works_while_the_worker_is_away_and_says_so():
    client = signed_in(a_client())
    start_posting(client)
    page = text_of(client.get(reverse("matching:project-skills")))
    assert "Only exact names were looked for" in page
    assert "Django" in page


def test_a_visitor_gets_suggestions_too_and_without_a_text_starts_at_the_beginning():
    client = Client()
    url = reverse("matching:project-skills")
    assert client.get(url).url == reverse("projects:post")
    start_posting(client)
    assert "Django" in text_of(client.get(url))


def test_a_name_in_doubt_is_asked_about_before_the_next_step():
    mara = a_client()
    client = signed_in(mara)
    start_posting(client)
    step = reverse("projects:post-step", args=[3])
    typed = {"skills": "Django, figmaa design, javascriptt", "ai_policy": "ask"}

    asked = client.post(step, typed)
    assert asked.status_code == 422
    assert "Did you mean Figma?" in asked.content.decode()

    on = client.post(step, typed | {"asked": ["figmaa design"], "means-0": "figmaa design"})
    assert on.url == reverse("projects:post-step", args=[4])
    assert draft_of(mara)["skills"] == "Django, figmaa design, JavaScript"
    # Whoever comes back is not asked the same again.
    again = client.post(step, typed | {"skills": draft_of(mara)["skills"]})
    assert again.url == reverse("projects:post-step", args=[4])


# --- Profile --------------------------------------------------------------------------------


def test_a_freelancer_confirms_skills_of_the_profile_text_with_a_level():
    user = UserFactory()
    profile = ProfileFactory(
        user=user, headline="Pages in Django", bio="Postgres too.", skills={"CSS": 3}
    )
    client = signed_in(user)
    url = reverse("matching:profile-skills")
    client.post(url, {"look": "1"})
    read_everything()
    assert "because the text says “Django”" in text_of(client.get(url))

    django = Skill.objects.get(name="Django")
    client.post(url, {"skill": ["Django"], f"level-{django.pk}": "3"})

    rows = {row.skill.name: row.level for row in profile.profile_skills.select_related("skill")}
    assert rows == {"CSS": 3, "Django": 3}


def test_the_skills_page_of_a_profile_leads_there():
    user = UserFactory()
    ProfileFactory(user=user)
    page = text_of(signed_in(user).get(reverse("accounts:skills")))
    assert reverse("matching:profile-skills") in page


# --- API ------------------------------------------------------------------------------------


def test_the_api_suggests_skills_and_saves_nothing():
    client = signed_in(a_client())
    body = {"text": TEXT, "without": ["Web accessibility"]}
    url = "/api/v1/skills/suggested/"
    client.post(url, body, "application/json")
    read_everything()
    answer = client.post(url, body, "application/json").json()
    assert answer["is_read"]
    assert {"name": "Django", "slug": "django", "said": "Django"} in answer["results"]
    assert "Web accessibility" not in {each["name"] for each in answer["results"]}


# --- Learning -------------------------------------------------------------------------------


@pytest.fixture
def postings(monkeypatch):
    """Clients with a WordPress shop chose WooCommerce, which their texts never name."""
    monkeypatch.setattr(skill_services, "FEWEST_POSTINGS", 30)
    mara = a_client()
    for at in range(40):
        about, wanted = (
            ("A WordPress shop", ["WordPress", "WooCommerce"])
            if at % 2
            else ("A round logo", ["Logo design", "Adobe Illustrator"])
        )
        project = Project.objects.create(
            client=mara.own_party,
            posted_by=mara,
            title=f"{about} number {at}",
            description="For our house, as soon as it can be done.",
            currency="EUR",
            status=Project.Status.OPEN,
            published_at=clock.now() - dt.timedelta(hours=at),
            expires_at=clock.now() + dt.timedelta(days=20),
        )
        project.skills.set(Skill.objects.filter(name__in=wanted))


# Learning takes seconds on a busy machine, and a transaction may not lie idle for that long.
@pytest.mark.django_db(transaction=True)
def test_what_clients_chose_is_learned_and_suggested_while_its_numbers_are_untouched(postings):
    lesson = skill_services.learn_tags()
    assert lesson.is_used
    assert lesson.quality > lesson.yardstick
    assert (lesson.projects, lesson.skills) == (40, 4)

    text = "A WordPress shop for the library"
    skill_services.ask(text, asker="draft:1")
    read_everything()
    suggested = {each.skill.name: each.said for each in skill_services.suggest(text).found}
    assert suggested["WooCommerce"] == ""
    assert suggested["WordPress"] == "WordPress"

    skill_memory.forget()
    TagLesson.objects.update(weights=bytes(lesson.weights) + b"x")
    assert skill_memory.tag_model() is None


def test_too_few_postings_teach_nothing_and_old_lessons_go_all_the_same(postings, monkeypatch):
    monkeypatch.setattr(skill_services, "FEWEST_POSTINGS", 41)
    for _night in range(skill_services.LESSONS_KEPT + 1):
        a_lesson()
    newest = TagLesson.objects.latest("pk")
    assert skill_services.learn_tags() is None
    assert TagLesson.objects.count() == skill_services.LESSONS_KEPT
    assert TagLesson.objects.latest("pk") == newest


def test_one_client_is_no_more_than_a_part_of_a_lesson(postings):
    other = a_client("Otto Lind")
    mine = Project.objects.order_by("-published_at").first()
    newest = Project.objects.create(
        client=other.own_party,
        posted_by=other,
        title="A shop for seeds",
        description="Otto Lind wants it.",
        currency="EUR",
        status=Project.Status.OPEN,
        published_at=mine.published_at - dt.timedelta(days=9),
        expires_at=clock.now() + dt.timedelta(days=20),
    )
    newest.skills.set(Skill.objects.filter(name="WordPress"))

    texts = [text for text, _skills in selectors.postings_to_learn_from(99, per_client=3)]

    assert [text.split(" For ")[0] for text in texts[:3]] == [
        "A round logo number 0",
        "A WordPress shop number 1",
        "A round logo number 2",
    ]
    assert texts[3:] == ["A shop for seeds wants it"]


def test_what_is_learned_from_does_not_say_who_wrote_it(postings):
    Project.objects.update(
        description="I am Mara, a mother from São Paulo: mara@example.org, +49 30 1234567. "
        "She needs node.js, C++ and Übersetzung."
    )

    text, _chosen = selectors.postings_to_learn_from(1, per_client=1)[0]

    assert text == "A round logo number 0 I am a from needs node.js C++ and Übersetzung"


def test_lessons_are_forgotten_after_a_month_even_the_one_in_use():
    now = clock.now()
    a_lesson(quality=0.3, is_used=True, at=now - dt.timedelta(days=31))
    young = a_lesson(at=now - dt.timedelta(days=29))
    assert retention.forget_old()["lessons"] == 1
    assert TagLesson.objects.get() == young


def a_lesson(**values):
    numbers = {"projects": 1, "skills": 1, "quality": 0.1, "yardstick": 0.2, "is_used": False}
    return TagLesson.objects.create(
        **numbers | {"needs_encoder": False, "sha256": "", "weights": b""} | values
    )


def test_only_the_newest_lessons_are_kept_and_the_one_in_use():
    used = a_lesson(quality=0.3, is_used=True)
    for _night in range(skill_services.LESSONS_KEPT + 1):
        a_lesson()
    skill_services.tidy_lessons()
    assert TagLesson.objects.filter(pk=used.pk).exists()
    assert TagLesson.objects.count() == skill_services.LESSONS_KEPT + 1


def test_a_lesson_that_is_no_better_than_names_cannot_be_used():
    with pytest.raises(IntegrityError), transaction.atomic():
        a_lesson(is_used=True)


def test_a_reading_that_is_done_cannot_keep_the_text():
    skill_services.ask(TEXT, asker="draft:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        SkillReading.objects.update(read_at=clock.now())
