"""The skill reader and the tag model of this worker process, kept until the database changes.

Loads numpy and scipy, so only what runs in a worker or a command imports it.
"""

import hashlib
import logging
from dataclasses import dataclass

import numpy as np

from matching.engine.encoder import Encoder, load_encoder
from matching.engine.extract import Floats, SkillReader, spelled
from matching.engine.tags import TagModel, loaded
from matching.models import TagLesson
from matching.selectors import skills

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Reader:
    stamp: object
    reader: SkillReader


_reader: list[_Reader] = []
_model: dict[int, TagModel] = {}
_vectors: dict[str, Floats] = {}


def reader() -> SkillReader:
    """Finds the skills of the list in texts. Only spellings that are new are encoded."""
    encoder = load_encoder()
    stamp = (skills.skills_stamp(), encoder.model_id if encoder else "")
    if not _reader or _reader[0].stamp != stamp:
        labels = skills.skill_labels()
        vectors = _meanings(encoder, spelled(labels)) if encoder and labels else None
        _reader[:] = [_Reader(stamp, SkillReader(labels, encoder, vectors=vectors))]
    return _reader[0].reader


def tag_model() -> tuple[TagModel, int] | None:
    """What was learned from clients' choices, and from which lesson; None without a good one.

    A lesson whose numbers were changed, or that needs an encoder this machine lacks, is not used.
    """
    lesson = skills.used_lesson()
    if lesson is None or (lesson.needs_encoder and load_encoder() is None):
        return None
    if lesson.pk not in _model:
        saved = bytes(TagLesson.objects.values_list("weights", flat=True).get(pk=lesson.pk))
        if hashlib.sha256(saved).hexdigest() != lesson.sha256:
            log.error("lesson %s in skills is not what was learned; it is not used", lesson.pk)
            return None
        _model.clear()
        _model[lesson.pk] = loaded(saved)
    return _model[lesson.pk], lesson.pk


def forget() -> None:
    """Read everything again at the next question."""
    _reader.clear()
    _model.clear()


def _meanings(encoder: Encoder, spellings: list[str]) -> Floats:
    new = [spelling for spelling in dict.fromkeys(spellings) if spelling not in _vectors]
    if new:
        _vectors.update(zip(new, encoder.encode(new), strict=True))
    return np.stack([_vectors[spelling] for spelling in spellings])
