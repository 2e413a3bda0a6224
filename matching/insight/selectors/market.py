"""Demand and supply of skills, for everybody to see, and nothing about anybody.

Whatever fewer people than the policy's floor stand behind is None here and not known to pages.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.http import Http404

from accounts.models import Skill
from marketplace.core import clock
from marketplace.core.text import line
from matching.insight.models import SkillMonth, SkillYear
from matching.insight.selectors.nights import counted_until, months_before
from payments.services import policies

PAGE = 50
WINDOWS = (6, 12, 24)
USUAL_WINDOW = 12
LONGEST_NAME = 60


@dataclass(frozen=True)
class Figures:
    """What is known of a skill over some time. None: too few people stand behind it."""

    posted: int | None
    bids_per_project: Decimal | None
    hired_percent: int | None
    available: int | None


NOTHING = Figures(None, None, None, None)


@dataclass(frozen=True)
class SkillRow:
    """A skill in the list of what is asked for."""

    skill: Skill
    figures: Figures


@dataclass(frozen=True)
class MonthRow:
    """A skill in one month."""

    month: dt.date
    figures: Figures


@dataclass(frozen=True)
class MarketPage:
    """One page of the list, the most asked first; `after` is the cursor of the next one."""

    rows: Sequence[SkillRow]
    # What the names were looked for with, tidied.
    name: str
    after: str
    people: int
    until: dt.datetime | None


@dataclass(frozen=True)
class SkillMarket:
    """One skill, its year and its months, the oldest first."""

    skill: Skill
    year: Figures
    months: Sequence[MonthRow]
    people: int
    until: dt.datetime | None


def market(*, name: str = "", after: str = "", limit: int = PAGE) -> MarketPage:
    """The most asked skills of the last twelve months that enough clients asked for."""
    people = policies.current().insight_people
    name, after = line(name)[:LONGEST_NAME], line(after)
    rows = SkillYear.objects.filter(clients__gte=people).select_related("skill")
    if name:
        rows = rows.filter(skill__name__icontains=name)
    if after:
        last = SkillYear.objects.filter(skill__slug=after).first()
        if last is not None:
            further = Q(posted=last.posted, skill__gt=last.pk)
            rows = rows.filter(Q(posted__lt=last.posted) | further)
    found = list(rows.order_by("-posted", "skill")[: limit + 1])
    page = found[:limit]
    return MarketPage(
        rows=[SkillRow(row.skill, _figures(row, people)) for row in page],
        name=name,
        after=page[-1].skill.slug if len(found) > limit else "",
        people=people,
        until=counted_until(),
    )


def skill_market(slug: str, *, months: int) -> SkillMarket:
    """One listed skill, month by month; 404 for a skill nobody curated."""
    skill = listed_skill(slug)
    people = policies.current().insight_people
    until = counted_until()
    this = clock.now().date()
    wanted = [months_before(this, back) for back in range(months - 1, -1, -1)]
    rows = {row.month: row for row in SkillMonth.objects.filter(skill=skill, month__gte=wanted[0])}
    by_month = {month: _figures(row, people) for month, row in rows.items()}
    year = SkillYear.objects.filter(pk=skill.pk).first()
    return SkillMarket(
        skill=skill,
        year=_figures(year, people) if year else by_month.get(wanted[-1], NOTHING),
        months=[MonthRow(month, by_month.get(month, NOTHING)) for month in wanted],
        people=people,
        until=until,
    )


def listed_skill(slug: str) -> Skill:
    """A curated skill by its slug; 404 for what anybody may have typed."""
    skill = Skill.objects.filter(slug=line(slug), state=Skill.State.CURATED).first()
    if skill is None:
        raise Http404
    return skill


def _figures(row: SkillYear | SkillMonth, people: int) -> Figures:
    if row.clients < people:
        return Figures(None, None, None, _enough(row.available, people))
    return Figures(
        posted=row.posted,
        bids_per_project=_per_project(row.bids, row.posted) if row.bidders >= people else None,
        hired_percent=round(100 * row.hired / row.posted),
        available=_enough(row.available, people),
    )


def _per_project(bids: int, posted: int) -> Decimal:
    return (Decimal(bids) / posted).quantize(Decimal("0.1"))


def _enough(number: int | None, people: int) -> int | None:
    return None if number is None or number < people else number
