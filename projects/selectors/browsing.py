"""Finding open projects: filters, order, cursor, and what to do about nothing found."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.core.cache import cache
from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Left

from accounts.models import ProfileSkill, Skill
from accounts.spelling import fold_skill
from marketplace.core import text
from marketplace.core.money import Money
from projects.models import Bid, Milestone, Project
from projects.selectors.projects import Reader, number_of, open_projects, party_id, rating_of

PAGE = 20
COUNT_CAP = 2000
MOST_SKILLS = 10
SUMMARY = 320
HELP_CAP = 100
SORTS = ("newest", "budget", "match")
NOTHING = ""
CURSOR = re.compile(r"(?P<ref>[2-9b-z]{10})(?:\.(?P<shared>[0-9]{1,3}))?")


@dataclass(frozen=True)
class Browse:
    """What somebody looks for. Amounts compare within one currency only."""

    currency: str
    q: str = ""
    skills: tuple[Skill, ...] = ()
    low: Money | None = None
    high: Money | None = None
    ai: str = ""
    sort: str = "newest"

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the order was asked for."""
        return bool(self.q or self.skills or self.low or self.high or self.ai)

    @property
    def compares_amounts(self) -> bool:
        """Whether projects in other currencies, or without a budget, are left out."""
        return self.sort == "budget" or self.low is not None or self.high is not None


@dataclass(frozen=True)
class Found:
    """One page. `after` is the cursor of the next one, empty at the end."""

    rows: list[Project]
    after: str
    count: int

    @property
    def is_capped(self) -> bool:
        """Whether there are more than we count."""
        return self.count > COUNT_CAP


def find(browse: Browse, reader: Reader, mine: frozenset[int], after: str = "") -> Found:
    """A page of projects and how many there are.

    Rows know `summary`, the client's `rating`, `reviews_count`, `has_paid`, `has_bid` (the
    reader did) and their skills. `mine` are the ids of the reader's skills, for the order.
    A cursor that leads nowhere gives an empty page.
    """
    asked = _matching(browse)
    count = asked.order_by().values("pk")[: COUNT_CAP + 1].count()
    match = CURSOR.fullmatch(after) if after else None
    if after and not match:
        return Found([], "", count)
    ref, shared = (match["ref"], match["shared"]) if match else ("", None)
    rows = asked if count else asked.none()
    if browse.sort == "match" and mine:
        page = _by_match(rows, reader, mine, ref, None if shared is None else int(shared))
    elif browse.sort == "budget":
        page = _page(_after(rows, ref, "budget_max_minor"), reader, "-budget_max_minor", "-pk")
    else:
        page = _page(_after(rows, ref, "published_at"), reader, "-published_at", "-pk")
    more = len(page) > PAGE
    page = page[:PAGE]
    prefetch_related_objects(page, "skills")
    return Found(page, _cursor(page[-1]) if more else "", count)


def _matching(browse: Browse) -> QuerySet[Project]:
    rows = open_projects()
    if browse.q:
        rows = rows.filter(search=SearchQuery(browse.q, config="english", search_type="websearch"))
    if browse.skills:
        link = Project.skills.through.objects
        ids = [skill.pk for skill in browse.skills]
        rows = rows.filter(Exists(link.filter(project=OuterRef("pk"), skill__in=ids)))
    if browse.compares_amounts:
        rows = rows.filter(currency=browse.currency, budget_max_minor__isnull=False)
    if browse.low:
        rows = rows.filter(budget_max_minor__gte=browse.low.minor)
    if browse.high:
        rows = rows.filter(budget_min_minor__lte=browse.high.minor)
    if browse.ai:
        rows = rows.filter(ai_policy=browse.ai)
    return rows


def _after(rows: QuerySet[Project], ref: str, field: str) -> QuerySet[Project]:
    """Rows behind the one with that ref, both descending."""
    if not ref:
        return rows
    last = Project.objects.filter(ref=ref)
    value, pk = Subquery(last.values(field)), Subquery(last.values("pk"))
    # The first condition is implied; it lets the index start at the right place.
    return rows.filter(**{f"{field}__lte": value}).filter(
        Q(**{f"{field}__lt": value}) | Q(pk__lt=pk)
    )


def _by_match(
    rows: QuerySet[Project], reader: Reader, mine: frozenset[int], ref: str, shared: int | None
) -> list[Project]:
    """Most of the reader's skills first, then everything else, newest first within each."""
    link = Project.skills.through.objects.filter(project=OuterRef("pk"), skill__in=mine)
    sharing: QuerySet[Any] = rows.filter(Exists(link)).annotate(shared=number_of(link, "project"))
    page: list[Project] = []
    if shared != 0:
        first = sharing
        if shared:
            first = sharing.filter(shared__lt=shared) | _after(
                sharing.filter(shared=shared), ref, "published_at"
            )
        page = _page(first, reader, "-shared", "-published_at", "-pk")
    if len(page) <= PAGE:
        rest: QuerySet[Any] = rows.filter(~Exists(link)).annotate(shared=Value(0))
        rest = _after(rest, ref if shared == 0 else "", "published_at")
        page += _page(rest, reader, "-published_at", "-pk")
    return page[: PAGE + 1]


def _page(rows: QuerySet[Project], reader: Reader, *order: str) -> list[Project]:
    funded = Milestone.objects.filter(contract__client=OuterRef("client"), funded_at__isnull=False)
    own = Bid.objects.filter(project=OuterRef("pk"), freelancer=party_id(reader))
    return list(
        rows.select_related("client")
        .defer("description", "search")
        .annotate(
            summary=Left("description", SUMMARY),
            has_paid=Exists(funded),
            has_bid=Exists(own.exclude(status=Bid.Status.WITHDRAWN)),
            **rating_of("client"),
        )
        .order_by(*order)[: PAGE + 1]
    )


def _cursor(row: Project) -> str:
    shared = vars(row).get("shared")
    return row.ref if shared is None else f"{row.ref}.{shared}"


# --- Help ---------------------------------------------------------------------------------


def without_each(browse: Browse) -> dict[str, int]:
    """How many projects there were without each filter that is on, counted to HELP_CAP."""
    fewer: dict[str, Browse] = {}
    if browse.q:
        fewer["q"] = replace(browse, q="")
    if browse.skills:
        fewer["skill"] = replace(browse, skills=())
    if browse.low:
        fewer["min"] = replace(browse, low=None)
    if browse.high:
        fewer["max"] = replace(browse, high=None)
    if browse.ai:
        fewer["ai"] = replace(browse, ai="")
    if not fewer:
        return {}
    parts = [
        _matching(without).order_by().annotate(name=Value(name)).values_list("name")[:HELP_CAP]
        for name, without in fewer.items()
    ]
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    found = Counter(name for (name,) in rows)
    return {name: found[name] for name in fewer}


# --- Skills to filter by --------------------------------------------------------------------


@dataclass(frozen=True)
class KnownSkills:
    """The reader's own skills, those that `words` named, and the words that named none."""

    mine: list[Skill]
    named: list[Skill]
    unknown: list[str]


def skills_for(reader: Reader, words: Sequence[str]) -> KnownSkills:
    """Look up slugs, names and other known spellings, and what the reader can do, at once."""
    said = [word for word in map(text.line, words[:MOST_SKILLS]) if word]
    asked = {word: {word, fold_skill(word)} for word in said}
    # An empty list in the condition of the join would empty the whole answer.
    keys = {NOTHING}.union(*asked.values())
    own = ProfileSkill.objects.filter(skill=OuterRef("pk"), profile__party=party_id(reader))
    rows = (
        Skill.objects.alias(hit=FilteredRelation("aliases", condition=Q(aliases__folded__in=keys)))
        .annotate(mine=Exists(own), spelling=F("hit__folded"))
        .filter(Q(mine=True) | Q(slug__in=keys) | Q(spelling__isnull=False))
        .order_by("name", "pk")
    )
    mine: dict[int, Skill] = {}
    named: dict[int, Skill] = {}
    known: set[str] = set()
    for skill in rows:
        if vars(skill)["mine"]:
            mine[skill.pk] = skill
        hits = {word for word in asked if {skill.slug, vars(skill)["spelling"]} & asked[word]}
        if hits:
            named[skill.pk] = skill
        known |= hits
    unknown = [word for word in asked if word not in known]
    return KnownSkills(list(mine.values()), list(named.values()), unknown)


def currencies() -> list[str]:
    """The currencies of open projects, up to a minute old."""
    key = "projects:currencies"
    found: list[str] | None = cache.get(key)
    if found is None:
        found = list(open_projects().order_by().values_list("currency", flat=True).distinct())
        found.sort()
        cache.set(key, found, 60)
    return found


def often_asked(*, limit: int = 8) -> list[Skill]:
    """The skills that open projects ask for most, up to a minute old."""
    key = "projects:often-asked"
    found: list[Skill] | None = cache.get(key)
    if found is None:
        link = Project.skills.through.objects.filter(project__in=open_projects().values("pk"))
        often = link.values("skill").annotate(n=Count("pk")).order_by("-n", "skill")
        ids = [row["skill"] for row in often[:limit]]
        found = list(Skill.objects.filter(pk__in=ids).order_by("name"))
        cache.set(key, found, 60)
    return found
