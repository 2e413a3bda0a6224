"""The skills every installation starts with: our own list, in data/skills.json."""

import json
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from accounts.spelling import fold_skill
from marketplace.core import text

SOURCE = Path(__file__).resolve().parent / "data" / "skills.json"


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
            skill_model.objects.filter(pk=pk).update(state="curated", area=area)
    alias_model.objects.bulk_create(aliases)
    return len(added), len(aliases)


def slug_for(name: str) -> str:
    """`c-plus-plus`, `c-sharp`, `dot-net`: what a name looks like in an address."""
    spoken = name.replace("+", " plus ").replace("#", " sharp ")
    if spoken.startswith("."):
        spoken = f"dot {spoken[1:]}"
    return slugify(text.fold(spoken.replace(".", " ").replace("/", " ")))[:58] or "skill"
