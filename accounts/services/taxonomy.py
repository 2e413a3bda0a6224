"""The list of skills and how they hang together: links by staff, imports by operators."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Skill, SkillAlias, SkillCode, SkillLink, User
from accounts.selectors import broader_than
from accounts.services.skills import clean_skill_name, free_slug
from accounts.spelling import LONGEST, fold_skill
from marketplace.core import audit
from marketplace.core.errors import DomainError, InvalidInput

# What stands in brackets tells two concepts apart; people write the name without it.
BRACKETS = re.compile(r"\s*\([^)]*\)")


# --- Links ----------------------------------------------------------------------------------


@transaction.atomic
def link(skill: Skill, *, other: Skill, kind: str, by: User) -> SkillLink:
    """Say that a skill is part of another, or goes with it. What was said of the two goes.

    Raises InvalidInput for one skill twice and for a circle of skills that contain each other.
    """
    # In the order of their keys, so that two people cannot wait for each other.
    list(Skill.objects.select_for_update().filter(pk__in=[skill.pk, other.pk]).order_by("pk"))
    refuse_link(skill, other=other, kind=kind)
    _between(skill, other).delete()
    made = SkillLink.objects.create(skill=skill, other=other, kind=kind)
    audit.record(by, "skill.linked", skill, other=other.slug, kind=kind)
    return made


def refuse_link(skill: Skill, *, other: Skill, kind: str) -> None:
    """Raise InvalidInput (field "other") when `link` could not make this link."""
    if skill.pk == other.pk:
        raise InvalidInput(_("Choose two different skills"), field="other")
    if kind == SkillLink.Kind.BROADER and skill.pk in broader_than(other):
        raise InvalidInput(
            _("%(other)s is already part of %(skill)s. Part these two first")
            % {"other": other.name, "skill": skill.name},
            field="other",
        )


@transaction.atomic
def unlink(skill: Skill, *, other: Skill, by: User) -> None:
    """The two have nothing to do with each other. Again changes nothing."""
    if _between(skill, other).delete()[0]:
        audit.record(by, "skill.unlinked", skill, other=other.slug)


def _between(one: Skill, two: Skill) -> QuerySet[SkillLink]:
    pair = [one.pk, two.pk]
    return SkillLink.objects.filter(skill__in=pair, other__in=pair)


# --- Imports --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A skill in a file of a classification."""

    place: str
    scheme: str
    code: str
    name: str
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relation:
    """Two codes of a classification that a file links."""

    place: str
    scheme: str
    code: str
    kind: str
    other: str


@dataclass
class Imported:
    """What an import did, by kind, and what it left out, by place in the files."""

    counts: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)


class UnknownFile(DomainError):
    """A file whose first line is that of no classification we read."""


def read_file(path: Path) -> Iterator[Entry | Relation | str]:
    """The skills and links of an ESCO or O*NET file; a string says what is wrong with a line.

    Raises UnknownFile when the heading is none we know.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter="\t" if "\t" in first else ",")
        columns = set(rows.fieldnames or ())
        for needed, read in READERS:
            if needed <= columns:
                for row in rows:
                    place = f"{path.name}, line {rows.line_num}"
                    values = {name: (row.get(name) or "").strip() for name in columns}
                    yield from read(place, values)
                return
    raise UnknownFile(
        _("%(file)s is no file of ESCO or O*NET that can be read: its first line is different")
        % {"file": path.name}
    )


def _esco_skill(place: str, row: Mapping[str, str]) -> Iterator[Entry | Relation | str]:
    spellings = [*row["altLabels"].splitlines(), *row.get("hiddenLabels", "").splitlines()]
    yield _entry(place, "esco", row["conceptUri"], row["preferredLabel"], spellings)


def _esco_broader(place: str, row: Mapping[str, str]) -> Iterator[Entry | Relation | str]:
    yield _relation(place, "esco", row["conceptUri"], "broader", row["broaderUri"])


def _esco_related(place: str, row: Mapping[str, str]) -> Iterator[Entry | Relation | str]:
    yield _relation(place, "esco", row["originalSkillUri"], "related", row["relatedSkillUri"])


def _onet_technology(place: str, row: Mapping[str, str]) -> Iterator[Entry | Relation | str]:
    kind = row["Commodity Code"]
    tool = f"{kind}/{fold_skill(row['Example'])}"
    yield _entry(place, "onet", kind, row["Commodity Title"], ())
    yield _entry(place, "onet", tool, row["Example"], ())
    yield _relation(place, "onet", tool, "broader", kind)


def _onet_element(place: str, row: Mapping[str, str]) -> Iterator[Entry | Relation | str]:
    yield _entry(place, "onet", row["Element ID"], row["Element Name"], ())


def _entry(place: str, scheme: str, code: str, name: str, spellings: Iterable[str]) -> Entry | str:
    if not code or not name:
        return f"{place}: no code or no name"
    try:
        name = clean_skill_name(name)
    except InvalidInput as error:
        return f"{place}: {error}"
    return Entry(place, scheme, code, name, tuple(filter(None, map(str.strip, spellings))))


def _relation(place: str, scheme: str, code: str, kind: str, other: str) -> Relation | str:
    if not code or not other:
        return f"{place}: no code"
    return Relation(place, scheme, code, kind, other)


# Columns that tell a file, and how one of its lines is read.
READERS = (
    ({"conceptUri", "preferredLabel", "altLabels"}, _esco_skill),
    ({"conceptUri", "broaderUri"}, _esco_broader),
    ({"originalSkillUri", "relatedSkillUri"}, _esco_related),
    ({"Example", "Commodity Code", "Commodity Title"}, _onet_technology),
    ({"Element ID", "Element Name"}, _onet_element),
)


@transaction.atomic
def import_files(paths: Iterable[Path], *, dry_run: bool = False) -> Imported:
    """Bring the skills and links of ESCO or O*NET files into the list. Again changes nothing.

    A skill whose name is known already gets the code and the spellings that are free; nothing
    that is there is renamed, moved or removed. A dry run counts and changes nothing.
    """
    read = [each for path in paths for each in read_file(path)]
    done = Imported(left_out=[each for each in read if isinstance(each, str)])
    entries = [each for each in read if isinstance(each, Entry)]
    _import_skills(entries, done)
    _import_links([each for each in read if isinstance(each, Relation)], done)
    if dry_run:
        transaction.set_rollback(True)
    return done


def _import_skills(entries: list[Entry], done: Imported) -> None:
    by_code = {(row.scheme, row.code): row.skill_id for row in SkillCode.objects.all()}
    owners = dict(SkillAlias.objects.values_list("folded", "skill_id"))
    for entry in entries:
        key = (entry.scheme, entry.code)
        folded = fold_skill(entry.name)
        pk = by_code.get(key) or owners.get(folded)
        if pk is None:
            skill = Skill.objects.create(
                name=entry.name, slug=free_slug(entry.name), state=Skill.State.CURATED
            )
            pk = skill.pk
            done.counts["skills"] += 1
        if key not in by_code:
            SkillCode.objects.create(skill_id=pk, scheme=entry.scheme, code=entry.code)
            by_code[key] = pk
            done.counts["codes"] += 1
        spellings = [entry.name, BRACKETS.sub("", entry.name), *entry.spellings]
        for spelling in dict.fromkeys(map(fold_skill, filter(_fits, spellings))):
            if spelling and spelling not in owners:
                SkillAlias.objects.create(skill_id=pk, folded=spelling)
                owners[spelling] = pk
                done.counts["spellings"] += 1


def _fits(spelling: str) -> bool:
    """A longer one would be cut, and a cut one may be another's."""
    return len(spelling) <= LONGEST


def _import_links(relations: list[Relation], done: Imported) -> None:
    by_code = {(row.scheme, row.code): row.skill_id for row in SkillCode.objects.all()}
    linked = {frozenset(pair) for pair in SkillLink.objects.values_list("skill", "other")}
    above: dict[int, set[int]] = defaultdict(set)
    broader = SkillLink.objects.filter(kind=SkillLink.Kind.BROADER)
    for low, high in broader.values_list("skill", "other"):
        above[low].add(high)
    for each in relations:
        one = by_code.get((each.scheme, each.code))
        two = by_code.get((each.scheme, each.other))
        if one is None or two is None:
            done.left_out.append(f"{each.place}: links a skill that was not imported")
        elif one != two and frozenset((one, two)) not in linked:
            if each.kind == SkillLink.Kind.BROADER:
                if one in _reachable(two, above):
                    done.left_out.append(f"{each.place}: would make a circle")
                    continue
                above[one].add(two)
            SkillLink.objects.create(skill_id=one, other_id=two, kind=each.kind)
            linked.add(frozenset((one, two)))
            done.counts["links"] += 1


def _reachable(start: int, above: Mapping[int, set[int]]) -> set[int]:
    found: set[int] = set()
    waiting = [start]
    while waiting:
        for higher in above.get(waiting.pop(), ()):
            if higher not in found:
                found.add(higher)
                waiting.append(higher)
    return found
