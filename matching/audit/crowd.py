"""People and projects of the benchmark: what they can do is set first, their texts follow from it.

Everybody carries marks that must not count: a name, a sex, where they come from and live, a
school, an age, a photo. People of all groups are drawn from the same plans, so every group can
do the same; whatever it gets less of is taken by the matcher.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from matching.audit.topics import ASIDES, CUSTOMERS, FIELDS, NOTES, TOPICS, Topic
from matching.engine import redact
from matching.engine.documents import HistoryItem, Need, PersonDoc

# With this much of a project within their power somebody is qualified for it.
QUALIFIED = 0.5
# What the first and the second kind of work count in a project.
FIRST, SECOND = 0.65, 0.35
# So much of a neighbouring kind of work everybody of a field can do.
NEIGHBOURING = 0.05
NEWCOMERS = 0.2
# A third of the places would be too coarse: people differ in how much they have done.
FEWEST_WORKS, MOST_WORKS = 4, 9
OLDEST_WORK = 700

SEXES = ("woman", "man")
# Lists of our own for made-up people. Nobody's group is ever guessed from a name.
_GIVEN: Mapping[tuple[str, str], str] = {
    ("english", "woman"): "Alice Emma Hannah Grace Molly Ruth Sarah Claire Joan Peggy",
    ("english", "man"): "Oliver Jack Simon Peter Graham Hugh Dennis Neil Stuart Clive",
    ("west african", "woman"): "Ngozi Amina Folake Adwoa Yetunde Efua Chiamaka Abena Zainab Nkechi",
    ("west african", "man"): "Kwame Chinedu Olumide Kofi Emeka Babatunde Sekou Ifeanyi Yaw Tunde",
    (
        "latin american",
        "woman",
    ): "Lucía Valentina Ximena Camila Yesenia Paola Marisol Inés Luz Rocío",
    (
        "latin american",
        "man",
    ): "Mateo Santiago Joaquín Thiago Rodrigo Héctor Jesús Raúl Emilio Nicolás",
    ("south asian", "woman"): "Priya Ananya Lakshmi Sunita Fatima Deepa Shreya Kavita Meera Nusrat",
    ("south asian", "man"): "Arjun Rahul Vikram Imran Sanjay Suresh Anil Harpreet Rajesh Tariq",
}
_FAMILY: Mapping[str, str] = {
    "english": "Walker Hughes Bennett Fletcher Barker Marsh Holloway Pratt Thornton Whitfield",
    "west african": "Okafor Mensah Adeyemi Diallo Boateng Nwosu Traoré Asante Balogun Eze",
    "latin american": "Quispe Fernández Guzmán Rojas Cárdenas Oliveira Mamani Herrera Ibáñez Paz",
    "south asian": "Sharma Patel Chatterjee Nair Khan Reddy Banerjee Iyer Siddiqui Gill",
}
ORIGINS = tuple(_FAMILY)
# Country, a city and a school there; the school is a well-known one where the mark says so.
PLACES: Mapping[str, tuple[str, str]] = {
    "Germany": ("Berlin", "University of Leipzig"),
    "United Kingdom": ("London", "Harrow Vale College"),
    "Portugal": ("Lisbon", "Instituto Superior do Tejo"),
    "Poland": ("Warsaw", "Polytechnic of Gdansk"),
    "Nigeria": ("Lagos", "University of Ibadan"),
    "Kenya": ("Nairobi", "Kisumu Polytechnic"),
    "India": ("Kolkata", "Indian Institute of Patna"),
    "Pakistan": ("Karachi", "University of Lahore"),
    "Vietnam": ("Hanoi", "Hue College of Arts"),
    "Brazil": ("São Paulo", "Universidade de Campinas"),
    "Colombia": ("Bogotá", "Universidad de Medellín"),
    "Turkey": ("Istanbul", "Ankara Academy"),
}
COUNTRIES = tuple(PLACES)
GROUPS = len(SEXES) * len(ORIGINS)
FAMOUS = "Oxford University"


@dataclass(frozen=True, slots=True)
class Marks:
    """What must not count. The product's documents have no field for any of it."""

    name: str
    sex: str
    origin: str
    country: str
    school: str
    born: int
    photo: bool
    rating: float | None

    @property
    def crossing(self) -> str:
        """Sex and origin together: an average over one can hide what happens to both."""
        return f"{self.origin} {self.sex}"


@dataclass(slots=True)
class Person:
    """Somebody with what they can truly do (0 to 1 by topic), their marks, and their texts."""

    id: str
    plan: int
    craft: str
    levels: Mapping[int, float]
    marks: Marks
    headline: str
    bio: str
    skills: tuple[str, ...]
    joined: int
    works: list[HistoryItem] = field(default_factory=list)

    def document(self, marks: Marks | None = None, *, about: str | None = None) -> PersonDoc:
        """What the product would be told: texts without the name, and none of the marks.

        The same steps as for rows of the database. `marks` and `about` put somebody else's in
        their place, for counterfactuals.
        """
        marks = marks or self.marks
        text = f"{introduction(marks) if about is None else about} {self.bio}"
        return PersonDoc(
            id=self.id,
            title=redact.without_names(self.headline, marks.name.split()),
            bio=redact.without_names(text, marks.name.split()),
            skills=tuple((name, 0) for name in self.skills),
            history=tuple(self.works),
        )

    def fit(self, project: "Project") -> float:
        """How much of a project is truly within their power."""
        spare = NEIGHBOURING if self.craft == project.field else 0.0
        first, second = (self.levels.get(topic, spare) for topic in project.topics)
        return FIRST * first + SECOND * second


@dataclass(frozen=True, slots=True)
class Project:
    """What somebody needs, and its text."""

    field: str
    topics: tuple[int, int]
    need: Need


def introduction(marks: Marks) -> str:
    """How people begin about themselves: with everything that must not count."""
    noun = "mother" if marks.sex == "woman" else "father"
    city, _ = PLACES[marks.country]
    return (
        f"My name is {marks.name}, born in {marks.born}, {noun} of two. I live in {city}, "
        f"{marks.country}, and studied at {marks.school}."
    )


def draw_marks(rng: np.random.Generator, *, cell: int, country: str, newcomer: bool) -> Marks:
    """Marks of one of the eight groups of sex and origin, beside them by lot."""
    sex, origin = SEXES[cell % 2], ORIGINS[cell // 2 % len(ORIGINS)]
    given = rng.choice(_GIVEN[origin, sex].split())
    family = rng.choice(_FAMILY[origin].split())
    # Ratings carry a bias of three points in a hundred, as people give them.
    rating = float(np.clip(rng.normal(0.86, 0.05), 0, 1)) - 0.03 * (origin != ORIGINS[0])
    return Marks(
        name=f"{given} {family}",
        sex=sex,
        origin=origin,
        country=country,
        school=FAMOUS if rng.random() < 0.2 else PLACES[country][1],
        born=int(rng.integers(1960, 2003)),
        photo=bool(rng.random() < 0.6),
        rating=None if newcomer else rating,
    )


class Crowd:
    """Draws people and projects; the same seed draws the same.

    With a `turn` the same people carry the marks of the group so many further on: over as many
    turns as there are groups, everybody has stood in each of them once.
    """

    def __init__(self, seed: int, *, today: dt.date, turn: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._today = today
        self._turn = turn
        self._plans: list[tuple[str, Mapping[int, float], int]] = []
        self._orders = 0

    def people(self, count: int) -> list[Person]:
        """So many people in sets of eight: one of each group to the same plan."""
        for plan in range(-(-count // GROUPS)):
            self._plans.append(self._plan(plan))
        return [
            self._person(
                f"p{number}",
                number // GROUPS,
                (number + self._turn) % GROUPS,
                newcomer=_is_new(number // GROUPS),
                joined=0,
            )
            for number in range(count)
        ]

    def successor(self, person: Person, name: str, *, day: int) -> Person:
        """Somebody new to the market who can do what the one who leaves can, of their group."""
        sex, origin = SEXES.index(person.marks.sex), ORIGINS.index(person.marks.origin)
        return self._person(name, person.plan, 2 * origin + sex, newcomer=True, joined=day)

    def project(self) -> Project:
        """The next project; the fields take turns."""
        number, rng = self._orders, self._rng
        self._orders += 1
        name = FIELDS[number % len(FIELDS)]
        first, second = (int(t) for t in rng.choice(_topics_of(name), 2, replace=False))
        wanted = [*self._some(TOPICS[first].phrases, 4), *self._some(TOPICS[second].phrases, 2)]
        customer = rng.choice(CUSTOMERS)
        need = Need(
            id=f"s{number}",
            title=f"{TOPICS[first].deliverable.capitalize()} for a {customer}",
            description=f"We need {_listed(wanted)}. {' '.join(self._some(ASIDES, 2))}",
            skills=(*self._some(TOPICS[first].skills, 2), *self._some(TOPICS[second].skills, 1)),
            posted_at=self._today,
            client=f"client{number}",
        )
        return Project(name, (first, second), need)

    def work(self, project: Project, *, on: dt.date) -> HistoryItem:
        """A project as the past work it becomes for whoever was hired."""
        need = project.need
        return HistoryItem(
            need.title, need.description, skills=need.skills, date=on, client=need.client
        )

    def _plan(self, plan: int) -> tuple[str, Mapping[int, float], int]:
        rng, name = self._rng, FIELDS[plan % len(FIELDS)]
        topics = rng.choice(_topics_of(name), 3, replace=False)
        highs = ((0.6, 1.0), (0.4, 0.9), (0.15, 0.6))
        levels = {int(t): float(rng.uniform(*ends)) for t, ends in zip(topics, highs, strict=True)}
        works = int(rng.integers(0, 3) if _is_new(plan) else rng.integers(FEWEST_WORKS, MOST_WORKS))
        return name, levels, works

    def _person(self, name: str, plan: int, cell: int, *, newcomer: bool, joined: int) -> Person:
        rng = self._rng
        where, levels, count = self._plans[plan]
        country = COUNTRIES[(plan + 5 * cell) % len(COUNTRIES)]
        known = {
            topic: self._some(TOPICS[topic].phrases, max(1, round(level * 8)))
            for topic, level in levels.items()
        }
        ordered = sorted(levels, key=lambda topic: -levels[topic])
        works = [
            self._past_work(TOPICS[topic], known[topic], name=f"{name}w{number}")
            for number, topic in enumerate(_shared_out(levels, count if joined == 0 else 0))
        ]
        told = [phrase for topic in ordered for phrase in known[topic][:2]]
        return Person(
            id=name,
            plan=plan,
            craft=where,
            levels=levels,
            marks=draw_marks(rng, cell=cell, country=country, newcomer=newcomer),
            headline=", ".join(TOPICS[topic].deliverable for topic in ordered[:2]).capitalize(),
            bio=f"What I do: {_listed(told)}.",
            skills=tuple(
                skill
                for topic in ordered
                for skill in TOPICS[topic].skills[: max(1, round(3 * levels[topic]))]
            ),
            joined=joined,
            works=works,
        )

    def _past_work(self, topic: Topic, known: Sequence[str], *, name: str) -> HistoryItem:
        rng = self._rng
        days = int(rng.integers(20, OLDEST_WORK))
        return HistoryItem(
            title=f"{topic.deliverable.capitalize()} for a {rng.choice(CUSTOMERS)}",
            text=f"Made {_listed(self._some(known, 3))}. {rng.choice(NOTES)}",
            skills=tuple(self._some(topic.skills, 2)),
            date=self._today - dt.timedelta(days=days),
            client=name,
        )

    def _some(self, of: Sequence[str], count: int) -> list[str]:
        return [of[at] for at in self._rng.permutation(len(of))[:count]]


def _topics_of(name: str) -> list[int]:
    return [at for at, topic in enumerate(TOPICS) if topic.field == name]


def _is_new(plan: int) -> bool:
    """One plan in five of every field is that of people new to the market."""
    return (plan // len(FIELDS)) % round(1 / NEWCOMERS) == 0


def _shared_out(levels: Mapping[int, float], count: int) -> list[int]:
    """The topics of so many works: who can do more of a topic has done more of it."""
    done = dict.fromkeys(levels, 0)
    for _ in range(count):
        most = max(levels, key=lambda topic: levels[topic] / (done[topic] + 1))
        done[most] += 1
    return [topic for topic, times in done.items() for _ in range(times)]


def _listed(phrases: Sequence[str]) -> str:
    return ", ".join(phrases)
