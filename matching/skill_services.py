"""Skills suggested from texts: asked for by pages, read by workers, learned every night.

They are advice. Nothing is written into a posting or a profile before a person confirms it.
"""

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Profile, Skill, User
from accounts.services import skills as skill_names
from marketplace.core import clock, outbox, retention
from matching.engine.text import words_without_person
from matching.models import SkillReading, TagLesson
from matching.selectors import skills
from projects.services.wanted import MOST_SKILLS

if TYPE_CHECKING:
    from django.db.models import QuerySet

VERSION = "skills-1"
# A page waits this long for the worker, then does with exact names.
PATIENCE = 1.5
STEP = 0.05
# A reading nobody answered is asked for again after this time: its task may have been lost.
ASK_AGAIN = dt.timedelta(seconds=30)
READINGS_LIVE = dt.timedelta(days=1)
# Learning from fewer postings than this is worse than looking for names; from more than this
# takes longer than a night's task should.
FEWEST_POSTINGS = 200
MOST_POSTINGS = 3000
# Nobody's way of writing is half a lesson.
MOST_OF_A_CLIENT = 50
LESSONS_KEPT = 5
# What was learned from a posting is gone so long after the posting, even where nothing is learned.
LESSONS_LIVE = dt.timedelta(days=30)
# A skill that clients choose for texts like this, at least this surely.
CHOSEN_OFTEN = 0.35


def ask(text: str, *, asker: str) -> None:
    """Have the worker read a text, unless it has, or is about to.

    Only what people press comes here, never the mere look at a page.
    An asker (a draft, a profile, a user of the API) has one text that waits: a new one takes
    the place of the one before.
    """
    if not text or skills.reading_of(text):
        return
    with transaction.atomic():
        now, digest = clock.now(), skills.digest_of(text)
        waiting = SkillReading.objects.filter(asker=asker, read_at__isnull=True)
        waiting.exclude(digest=digest).delete()
        reading, created = SkillReading.objects.select_for_update().get_or_create(
            digest=digest, defaults={"text": text, "asker": asker, "asked_at": now}
        )
        if reading.read_at or not (created or reading.asked_at < now - ASK_AGAIN):
            return
        SkillReading.objects.filter(pk=reading.pk).update(asked_at=now)
        from matching import tasks  # noqa: PLC0415 - tasks imports this module

        outbox.nudge(tasks.read_skills, reading.pk)


def suggest(text: str, *, without: Sequence[str] = ()) -> skills.Suggestions:
    """Skills for a text: what the worker has read in it, else exact names.

    Waits a moment for a reading that was asked for just now; asks for none itself.
    """
    text = skills.text_to_read(text)
    until = time.monotonic() + PATIENCE
    while text and skills.is_being_read(text) and time.monotonic() < until:
        time.sleep(STEP)
    return skills.suggestions(text, without=without)


def read(reading_id: int) -> None:
    """Read one text, write down what it asks for, and forget the text. Safe to run twice."""
    reading = SkillReading.objects.filter(pk=reading_id, read_at__isnull=True).first()
    if reading is None:
        return
    # numpy and scipy belong into workers; web processes import this module too.
    from matching import skill_memory  # noqa: PLC0415
    from matching.engine.encoder import load_encoder  # noqa: PLC0415
    from matching.engine.extract import shipped_weights  # noqa: PLC0415

    encoder = load_encoder()
    accept = shipped_weights(with_encoder=encoder is not None).accept
    found = skill_memory.reader().read(reading.text)
    best = {
        each.id: {"skill": int(each.id), "likely": each.likely, "said": [each.start, each.end]}
        for each in found
        if each.likely >= accept
    }
    lesson = 0
    if taught := skill_memory.tag_model():
        model, lesson = taught
        scores = model.scores([words_without_person(reading.text)], encoder)[0]
        for label, score in zip(model.labels, scores, strict=True):
            if score >= CHOSEN_OFTEN and label.id not in best:
                best[label.id] = {"skill": int(label.id), "likely": float(score), "said": None}
    results = sorted(best.values(), key=lambda each: (-float(str(each["likely"])), each["skill"]))
    SkillReading.objects.filter(pk=reading.pk).update(
        results=results[: MOST_SKILLS * 2],
        text="",
        read_at=clock.now(),
        engine=f"{VERSION} {encoder.model_id if encoder else 'words'} lesson {lesson}"[:60],
    )


def forget_readings() -> int:
    """Drop readings of yesterday, and texts nobody has read; returns how many."""
    old = SkillReading.objects.filter(asked_at__lt=clock.now() - READINGS_LIVE)
    return old.delete()[0]


def learn_tags() -> TagLesson | None:
    """Learn from the newest postings which skills clients choose; None with too few of them.

    What was learned is measured on postings left out, and used only when it suggests better
    than looking for names does.
    """
    tidy_lessons()
    postings = skills.postings_to_learn_from(MOST_POSTINGS, per_client=MOST_OF_A_CLIENT)
    if len(postings) < FEWEST_POSTINGS:
        return None
    from matching.engine import tags  # noqa: PLC0415 - as above
    from matching.engine.encoder import load_encoder  # noqa: PLC0415

    encoder = load_encoder()
    texts, chosen = [text for text, _some in postings], [some for _text, some in postings]
    lessons = tags.Lessons(texts, chosen, skills.skill_labels(), encoder)
    quality, yardstick = tags.quality(lessons)
    model = lessons.learn()
    saved = model.saved()
    with transaction.atomic():
        lesson = TagLesson.objects.create(
            at=clock.now(),
            projects=len(postings),
            skills=len(model.labels),
            quality=quality,
            yardstick=yardstick,
            is_used=quality > yardstick,
            needs_encoder=model.needs_encoder,
            sha256=hashlib.sha256(saved).hexdigest(),
            weights=saved,
        )
        tidy_lessons()
    return lesson


def tidy_lessons() -> None:
    """Keep the newest lessons and the one in use."""
    kept = list(TagLesson.objects.order_by("-pk").values_list("pk", flat=True)[:LESSONS_KEPT])
    if used := skills.used_lesson():
        kept.append(used.pk)
    TagLesson.objects.exclude(pk__in=kept).delete()


@retention.forgets("lessons")
def old_lessons() -> "QuerySet[TagLesson]":
    """Lessons of a month ago: some of their postings are gone by now."""
    return TagLesson.objects.filter(at__lt=clock.now() - LESSONS_LIVE)


@transaction.atomic
def add_to_profile(profile: Profile, *, by: User, chosen: Sequence[tuple[str, int]]) -> None:
    """Put the skills a person confirmed behind those the profile has, each with its level."""
    has = [
        (row.skill.name, int(row.level)) for row in profile.profile_skills.select_related("skill")
    ]
    skill_names.set_by_name(profile, by=by, named=[*chosen, *has])


def known_skills(names: Sequence[str]) -> list[Skill]:
    """The skills among these names, each once."""
    return skill_names.skills_named(names)
