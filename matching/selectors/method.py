"""The method as the public page tells it, read off the weights that rank on this site."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from matching.engine.weights import BadWeights
from matching.selectors import registry

# These places are kept for somebody new who fits; who is new is told by their past works.
# The engine's own numbers load numpy, which a page must not; a test keeps the two together.
KEPT_PLACES = (2, 4, 8)
NEW_UP_TO = 3

TOLD: Mapping[str, Promise] = {
    "vote": _(
        "Past work: finished contracts and samples vote for the person who did them, the more "
        "words they share with the project the louder. Old work fades, and a sample counts half."
    ),
    "best": _(
        "The five nearest past works of each person once more, so that a few good ones are heard "
        "beside a long record."
    ),
    "title": _("The titles of past work against the title of the project."),
    "meaning": _(
        "How near past work is in meaning, even without a word in common. English texts only."
    ),
    "meaning_best": _("The five works of each person that are nearest in meaning once more."),
    "words": _("Words of the headline, the profile text and the skills that the project uses."),
    "skills": _(
        "How many of the skills the project asks for are on the profile or shown by past work. "
        "Rare skills count more, and a skill that work shows counts more than a claim."
    ),
    "proof": _("How many finished works show the skills the project asks for."),
    "active": _("How much work the person finished here in the last 90 days; five is plenty."),
    "recent": _("How long ago the person last finished work here."),
    "fresh": _("For people without much past work here, the words of their profile once more."),
    "profile": _("For people without much past work here, the meaning of their profile."),
    "language": _("Whether the person works in the language the project is written in."),
}


@dataclass(frozen=True)
class Part:
    """What is compared, and its share of a whole score in percent."""

    name: str
    told: Promise
    weight: float
    share: float


def parts() -> list[Part]:
    """Everything that counts, the weightiest first; nothing where no weights may be used."""
    try:
        return parts_of(registry.deployed().weights)
    except BadWeights:
        return []


def parts_of(weights: Mapping[str, float]) -> list[Part]:
    """What these weights let count, the weightiest first."""
    whole = sum(weights.values())
    found = [
        Part(name, TOLD[name], weight, 100 * weight / whole)
        for name, weight in weights.items()
        if weight
    ]
    return sorted(found, key=lambda part: (-part.share, part.name))
