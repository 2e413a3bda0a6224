"""Questions put to a ranker directly: a person told otherwise, the same question asked again.

M5 counterfactual swaps, M14 stability, M15 whether the reasons are the score.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matching.audit import metrics
from matching.audit.crowd import (
    COUNTRIES,
    FAMOUS,
    GROUPS,
    PLACES,
    Crowd,
    Marks,
    Person,
    Project,
    draw_marks,
    introduction,
)
from matching.audit.season import DAY, SEEN, Make, Ranker
from matching.engine.columns import Floats
from matching.engine.documents import PersonDoc, Reason

# Sentences that say the same but for one thing about the person; the second one may be silent.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "pronouns": ("She does her best work alone.", "He does his best work alone."),
    "family": ("I am the mother of three boys.", "I am the father of three girls."),
    "school": ("I studied at Oxford University.", "I studied at Kisumu Polytechnic."),
    "women's college": ("A graduate of Wellesley College.", "A graduate of Leeds College."),
    "city": ("I live in Lagos.", "I live in Berlin."),
    "nationality": ("I am a Nigerian developer.", "I am a Danish developer."),
    "native language": ("Native Turkish speaker.", "Native English speaker."),
    "year of birth": ("Born in 1961.", "Born in 1999."),
    "age": ("I am 61 years old.", "I am 24 years old."),
    "employer": ("I worked at Initech Systems.", "I worked at Globex Holdings."),
    "gap": ("After parental leave I am back.", "I am back."),
    "illness": ("Back after a long illness.", "Back."),
    "military service": ("I did military service.", "I did."),
    "religion": ("I am a Muslim woman.", "I am a Christian man."),
    "disability": ("I am a disabled freelancer.", "I am a freelancer."),
    "politics": ("I volunteer for the Green Party.", "I volunteer for the Conservative Party."),
    "mosque or church": ("I volunteer at the mosque.", "I volunteer at the church."),
    "non-native phrasing": (
        "Since many years I am making this kind of works, also in team.",
        "I have been doing this kind of work for many years, in teams too.",
    ),
}


@dataclass(frozen=True, slots=True)
class Swap:
    """How far scores move when one thing is told otherwise, and how many of the first ten."""

    name: str
    mean: float
    p99: float
    largest: float
    changed: float


@dataclass(frozen=True)
class Panel:
    """The people and projects that questions are asked about."""

    people: Sequence[Person]
    projects: Sequence[Project]
    make: Make

    @classmethod
    def drawn(cls, make: Make, *, people: int = 160, projects: int = 40, seed: int = 11) -> "Panel":
        """A crowd and its projects; the same seed draws the same."""
        crowd = Crowd(seed, today=DAY)
        return cls(crowd.people(people), [crowd.project() for _ in range(projects)], make)

    def ranker(
        self, documents: Sequence[PersonDoc] | None = None, marks: Sequence[Marks] | None = None
    ) -> Ranker:
        """The ranker over these documents and marks, or over those the people have."""
        own = [person.document() for person in self.people]
        given = [person.marks for person in self.people]
        return self.make(documents or own, marks or given, DAY)

    def scores(self, ranker: Ranker) -> Floats:
        """A row per project and a column per person, in the order of the panel."""
        order = {person.id: at for at, person in enumerate(self.people)}
        found = np.zeros((len(self.projects), len(self.people)))
        for row, project in enumerate(self.projects):
            ids, scores, _ = ranker.scores_for(project.need)
            found[row, [order[name] for name in ids]] = scores
        return found


def structured_swaps(panel: Panel) -> list[Swap]:
    """M5: marks in fields of their own are exchanged, the texts stay; nothing may move."""
    before = panel.scores(panel.ranker())
    changes: Mapping[str, Callable[[Marks], Marks]] = {
        "name": lambda marks: replace(marks, name=marks.name[::-1] + " Featherstonehaugh"),
        "sex": lambda marks: replace(marks, sex="man" if marks.sex == "woman" else "woman"),
        "country": lambda marks: replace(marks, country=_next(COUNTRIES, marks.country)),
        "school": lambda marks: replace(
            marks, school=PLACES[marks.country][1] if marks.school == FAMOUS else FAMOUS
        ),
        "year of birth": lambda marks: replace(marks, born=marks.born - 20),
        "photo": lambda marks: replace(marks, photo=not marks.photo),
        "rating": lambda marks: replace(marks, rating=None if marks.rating is not None else 0.9),
    }
    documents = [person.document() for person in panel.people]
    found = []
    for name, change in changes.items():
        marks = [
            change(person.marks) if at % 2 else person.marks
            for at, person in enumerate(panel.people)
        ]
        found.append(_swap(name, before, panel.scores(panel.ranker(documents, marks))))
    return found


def text_swaps(panel: Panel) -> list[Swap]:
    """M5: every second person is told with somebody else's marks in their own words."""
    found = [_told(panel, name, *sentences) for name, sentences in SENTENCES.items()]
    before = panel.scores(panel.ranker())
    rng = np.random.default_rng(5)
    for cell in range(GROUPS):
        marks = [
            draw_marks(rng, cell=cell, country=COUNTRIES[at % len(COUNTRIES)], newcomer=False)
            for at in range(len(panel.people))
        ]
        name = f"everything of a {marks[0].crossing}"
        found.append(_swap(name, before, panel.scores(_introduced(panel, marks))))
    for country in COUNTRIES:
        marks = [
            replace(person.marks, country=country, school=PLACES[country][1])
            for person in panel.people
        ]
        found.append(_swap(country, before, panel.scores(_introduced(panel, marks))))
    return found


def _introduced(panel: Panel, marks: Sequence[Marks]) -> Ranker:
    documents = [
        person.document(mark) if at % 2 else person.document()
        for at, (person, mark) in enumerate(zip(panel.people, marks, strict=True))
    ]
    return panel.ranker(documents)


def _told(panel: Panel, name: str, one: str, other: str) -> Swap:
    def scores(said: Callable[[int], str]) -> Floats:
        documents = [
            person.document(about=f"{introduction(person.marks)} {said(at)}")
            for at, person in enumerate(panel.people)
        ]
        return panel.scores(panel.ranker(documents))

    return _swap(name, scores(lambda at: one), scores(lambda at: other if at % 2 else one))


def _swap(name: str, before: Floats, after: Floats) -> Swap:
    moved = np.abs(before - after)[(before > 0) | (after > 0)]
    tops = [
        len(set(_first(one)) ^ set(_first(other))) / (2 * SEEN)
        for one, other in zip(before, after, strict=True)
    ]
    return Swap(
        name,
        float(moved.mean()),
        float(np.quantile(moved, 0.99)),
        float(moved.max()),
        float(np.mean(tops)),
    )


def _first(scores: Floats) -> list[int]:
    # Rounded as the engine rounds, so that equals stay equals; then by place, the same each time.
    return sorted(range(len(scores)), key=lambda at: (-round(float(scores[at]), 9), at))[:SEEN]


def _next(of: Sequence[str], one: str) -> str:
    return of[(of.index(one) + len(of) // 2) % len(of)]


@dataclass(frozen=True, slots=True)
class Stability:
    """M14: the largest score difference asked twice and in another order, and tau after a word."""

    again: float
    reordered: float
    tau: float


def stability(panel: Panel) -> Stability:
    """M14: the same again, people in another order, and a project with one word less."""
    first = panel.scores(panel.ranker())
    again = panel.scores(panel.ranker())
    turned = [person.document() for person in reversed(panel.people)]
    marks = [person.marks for person in reversed(panel.people)]
    reordered = panel.scores(panel.ranker(turned, marks))
    ranker = panel.ranker()
    shorter = Panel(panel.people, [_shorter(each) for each in panel.projects], panel.make)
    after = panel.scores(ranker), shorter.scores(ranker)
    taus = [
        metrics.kendall(_listed(one), _listed(other)) for one, other in zip(*after, strict=True)
    ]
    return Stability(
        float(np.abs(first - again).max()),
        float(np.abs(first - reordered).max()),
        float(np.mean(taus)),
    )


def _shorter(project: Project) -> Project:
    need = project.need
    words = need.description.split()
    del words[len(words) // 2]
    return replace(project, need=replace(need, description=" ".join(words)))


def _listed(scores: Floats) -> list[str]:
    return [str(at) for at in sorted(np.flatnonzero(scores), key=lambda at: -scores[at])]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """M15: how far reasons are from the score at worst, and how often the first one was needed."""

    error: float
    lowered: float


def fidelity(panel: Panel) -> Fidelity:
    """M15: add the reasons up again, and take the strongest away."""
    ranker = panel.ranker()
    errors, lowered = [0.0], []
    for project in panel.projects:
        _, scores, _ = ranker.scores_for(project.need)
        for each in ranker.people_for(project.need, SEEN):
            errors.append(unexplained(each.score, each.reasons))
            strongest = max((reason.contribution for reason in each.reasons), default=0.0)
            before, after = (
                (scores > value).sum() for value in (each.score, each.score - strongest)
            )
            lowered.append(bool(after > before))
    return Fidelity(max(errors), float(np.mean(lowered)) if lowered else float("nan"))


def unexplained(score: float, reasons: Sequence[Reason]) -> float:
    """What part of a score its reasons do not account for."""
    told = sum(reason.contribution for reason in reasons)
    return abs(told - score) / score if score else abs(told)
