"""Skills that are asked for together with those a freelancer has, and that they do not name."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from accounts.models import Profile, Skill
from marketplace.core import clock
from matching.insight.models import DismissedSkill, SkillMonth, SkillPair
from matching.insight.selectors.nights import counted_until, months_before
from payments.services import policies

SHOWN = 10
# Evidence shown for one suggestion, and pairs looked at for all of them.
EVIDENCE = 3
MOST_PAIRS = 300
# Three whole months against the three before; fewer postings than this say nothing.
TREND_MONTHS = 3
TREND_LEAST = 10
RISING, FALLING = 1.2, 0.8


@dataclass(frozen=True)
class Evidence:
    """`together` of the `asked` projects that ask for a skill of theirs ask for the other, too."""

    skill: Skill
    together: int
    asked: int


@dataclass(frozen=True)
class Gap:
    """A skill to think about, with what speaks for it."""

    skill: Skill
    evidence: Sequence[Evidence]
    # rising, steady, falling; empty when too little is known.
    trend: str


@dataclass(frozen=True)
class Gaps:
    """What a freelancer's page of suggested skills shows."""

    has_skills: bool
    found: Sequence[Gap]
    dismissed: Sequence[Skill]
    until: dt.datetime | None


def gaps_of(profile: Profile) -> Gaps:
    """The strongest suggestions first; the same few queries for any number of them.

    `profile` comes with its skills (`accounts.selectors.profile_to_edit`).
    """
    mine = [row.skill_id for row in profile.profile_skills.all()]
    gone = DismissedSkill.objects.filter(profile=profile).select_related("skill")
    dismissed = [row.skill for row in gone.order_by("skill__name")]
    without = [*mine, *(skill.pk for skill in dismissed)]
    pairs = SkillPair.objects.filter(skill__in=mine).exclude(other__in=without)
    strongest = pairs.select_related("skill", "other").order_by("-weight", "pk")[:MOST_PAIRS]
    by_other: dict[Skill, list[SkillPair]] = defaultdict(list)
    for pair in strongest:
        by_other[pair.other].append(pair)
    # What goes with several of their skills counts for each of them.
    best = sorted(
        by_other.items(), key=lambda item: (-sum(pair.weight for pair in item[1]), item[0].name)
    )[:SHOWN]
    trends = _trends([skill.pk for skill, _pairs in best])
    return Gaps(
        has_skills=bool(mine),
        found=[
            Gap(
                skill=skill,
                evidence=[
                    Evidence(each.skill, each.together, each.asked) for each in of[:EVIDENCE]
                ],
                trend=trends.get(skill.pk, ""),
            )
            for skill, of in best
        ],
        dismissed=[skill for skill in dismissed if skill.pk not in mine],
        until=counted_until(),
    )


def _trends(skills: Sequence[int]) -> dict[int, str]:
    """Whether more or fewer projects ask for a skill than three months before."""
    this = months_before(clock.now().date(), 0)
    middle, first = months_before(this, TREND_MONTHS), months_before(this, 2 * TREND_MONTHS)
    rows = SkillMonth.objects.filter(skill__in=skills, month__gte=first, month__lt=this)
    enough = rows.filter(clients__gte=policies.current().insight_people)
    before, now = (
        _posted(enough.filter(month__lt=middle)),
        _posted(enough.filter(month__gte=middle)),
    )
    return {
        skill: _trend(now[skill], before[skill])
        for skill in before.keys() & now.keys()
        if min(now[skill], before[skill]) >= TREND_LEAST
    }


def _posted(rows: QuerySet[SkillMonth]) -> dict[int, int]:
    summed = rows.values_list("skill").annotate(n=Sum("posted")).order_by("skill")
    return {skill: int(n) for skill, n in summed}


def _trend(now: int, before: int) -> str:
    if now >= RISING * before:
        return "rising"
    return "falling" if now <= FALLING * before else "steady"
