"""The skills every installation starts with: our own list, in data/skills.json."""

import json
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from accounts.spelling import fold_skill
from marketplace.core import text

DATA = Path(__file__).resolve().parent / "data"
SOURCE = DATA / "skills.json"
LINKS = DATA / "skill_links.json"


def areas() -> list[dict[str, Any]]:
    """Fields of work: `area`, `name` and `skills`, a mapping of name to other spellings."""
    return list(json.loads(SOURCE.read_text(encoding="utf-8")))


def load(skill_model: Any, alias_model: Any) -> tuple[int, int]:
    """Bring the tables up to the file; returns how many (skills, spellings) were added.

    Nothing is removed or renamed, so running it again is harmless: a spelling that is taken stays
    with its skill, and a proposed skill that the file names becomes curated. The models are
    arguments because a migration passes those of its time.
    """
    owners: dict[str, int] = dict(alias_model.objects.values_list("folded", "skill_id"))
    listed = {
        name: (group["area"], dict.fromkeys([fold_skill(name), *map(fold_skill, others)]))
        for group in areas()
        for name, others in group["skills"].items()
    }
    new = [name for name in listed if fold_skill(name) not in owners]
    added = skill_model.objects.bulk_create(
        skill_model(name=name, slug=slug_for(name), area=listed[name][0], state="curated")
        for name in new
    )
    owners |= {fold_skill(skill.name): skill.pk for skill in added}
    aliases = [alias_model(skill=skill, folded=fold_skill(skill.name)) for skill in added]
    for name, (area, spellings) in listed.items():
        pk = owners[fold_skill(name)]
        missing = [folded for folded in spellings if folded not in owners]
        aliases += [alias_model(skill_id=pk, folded=folded) for folded in missing]
        owners |= dict.fromkeys(missing, pk)
        if name not in new:
            # By name: somebody may have merged it into another skill, which stays where it is.
            same = skill_model.objects.filter(pk=pk, name__iexact=name)
            same.update(state="curated", area=area)
    alias_model.objects.bulk_create(aliases)
    return len(added), len(aliases)


def load_links(skill_model: Any, link_model: Any) -> int:
    """Link the skills as data/skill_links.json says; returns how many links were added.

    Pairs that are linked already stay as they are, and names that are gone are left out.
    """
    listed = json.loads(LINKS.read_text(encoding="utf-8"))
    pairs = [(low, "broader", high) for high, lows in listed["narrower"].items() for low in lows]
    pairs += [(one, "related", two) for one, twos in listed["related"].items() for two in twos]
    by_name = dict(skill_model.objects.filter(state="curated").values_list("name", "pk"))
    linked = {frozenset(pair) for pair in link_model.objects.values_list("skill", "other")}
    new = [
        link_model(skill_id=by_name[one], kind=kind, other_id=by_name[two])
        for one, kind, two in pairs
        if {one, two} <= by_name.keys() and frozenset((by_name[one], by_name[two])) not in linked
    ]
    return len(link_model.objects.bulk_create(new))


def slug_for(name: str) -> str:
    """`c-plus-plus`, `c-sharp`, `dot-net`: what a name looks like in an address."""
    spoken = name.replace("+", " plus ").replace("#", " sharp ")
    if spoken.startswith("."):
        spoken = f"dot {spoken[1:]}"
    return slugify(text.fold(spoken.replace(".", " ").replace("/", " ")))[:58] or "skill"
