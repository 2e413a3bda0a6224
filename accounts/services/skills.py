"""The list of skills: found under many spellings, growing with its users, kept tidy by staff."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.curated import slug_for
from accounts.models import Profile, ProfileSkill, Skill, SkillAlias, SkillLink, User
from accounts.selectors import broader_than, skills_named, suggest_skills
from accounts.services import profiles
from accounts.spelling import LONGEST, fold_skill
from marketplace.core import audit, text
from marketplace.core.errors import InvalidInput
from marketplace.core.ids import new_ref

__all__ = [
    "curate",
    "find_or_propose",
    "merge",
    "set_by_name",
    "skills_named",
    "suggest_skills",
]


@transaction.atomic
def find_or_propose(names: Iterable[str]) -> list[Skill]:
    """The skills of these names, each once and in order; unknown ones are added as proposed.

    Raises InvalidInput (field "skills") for a name that is empty, too long or no word.
    """
    wanted = {fold_skill(name): clean_skill_name(name) for name in names if name.strip()}
    known = dict(SkillAlias.objects.filter(folded__in=wanted).values_list("folded", "skill"))
    skills = Skill.objects.in_bulk(known.values())
    found = [
        skills[known[folded]] if folded in known else _propose(name, folded)
        for folded, name in wanted.items()
    ]
    return list(dict.fromkeys(found))


def clean_skill_name(name: str) -> str:
    """The name to keep; raises InvalidInput when it cannot be a skill."""
    name = text.line(name).strip(" ,;")
    if not any(c.isalnum() for c in name):
        raise InvalidInput(_("“%(name)s” is not a skill") % {"name": name}, field="skills")
    if len(name) > LONGEST:
        raise InvalidInput(
            _("“%(name)s…” is too long for a skill. Use at most %(limit)d characters")
            % {"name": name[:30], "limit": LONGEST},
            field="skills",
        )
    return name


def _propose(name: str, folded: str) -> Skill:
    """Two people may propose the same skill at once: the second gets the first one's."""
    try:
        with transaction.atomic():
            skill = Skill.objects.create(name=name, slug=free_slug(name))
            SkillAlias.objects.create(skill=skill, folded=folded)
            return skill
    except IntegrityError:
        return SkillAlias.objects.select_related("skill").get(folded=folded).skill


def free_slug(name: str) -> str:
    """A slug no other skill has: a random tail when it is taken."""
    slug = slug_for(name)
    return f"{slug}-{new_ref()}" if Skill.objects.filter(slug=slug).exists() else slug


@transaction.atomic
def curate(skill: Skill, *, by: User) -> None:
    """A proposed skill joins the list that is suggested first."""
    Skill.objects.filter(pk=skill.pk).update(state=Skill.State.CURATED)
    audit.record(by, "skill.curated", skill)


@transaction.atomic
def merge(skill: Skill, *, into: Skill, by: User) -> None:
    """Make one skill another spelling of `into`: whoever had or asked for it now has `into`."""
    if skill.pk == into.pk:
        raise InvalidInput(_("Choose two different skills"))
    keep = Skill.objects.select_for_update().get(pk=into.pk)
    holders = list(ProfileSkill.objects.filter(skill=skill).values_list("profile", flat=True))
    # Every table that points at skills, also those of apps above this one.
    for relation in _pointing_at_skills():
        _repoint(relation.related_model, relation.field.name, skill, keep)
    for above in SkillLink.objects.filter(skill=keep, kind=SkillLink.Kind.BROADER):
        # Something may have been between the two, and would now be above and below.
        if keep.pk in broader_than(above.other):
            above.delete()
    audit.record(by, "skill.merged", keep, merged=skill.slug)
    skill.delete()
    for profile in profiles.profiles_by_id(holders):
        profiles.find_under_new_words(profile)


def _pointing_at_skills() -> list[Any]:
    """The foreign keys to skills, those of many-to-many tables included."""
    relations: list[Any] = list(Skill._meta.get_fields(include_hidden=True))
    return [found for found in relations if found.auto_created and found.one_to_many]


def _repoint(model: Any, name: str, old: Skill, new: Skill) -> None:
    """Point rows at the new skill; a row whose owner has it already goes."""
    for row in model._base_manager.filter(**{name: old}):
        try:
            with transaction.atomic():
                model._base_manager.filter(pk=row.pk).update(**{name: new})
        except IntegrityError:
            row.delete()


@transaction.atomic
def set_by_name(profile: Profile, *, by: User, named: Sequence[tuple[str, int]]) -> None:
    """Replace the skills of a profile by (name, level) pairs; unknown names are proposed.

    A skill named twice keeps the last level.
    """
    pairs = [(find_or_propose([name])[0], level) for name, level in named if name.strip()]
    profiles.set_skills(profile, by=by, skills=pairs)
