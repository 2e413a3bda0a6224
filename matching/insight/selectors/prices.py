"""What work like this came to: the nearest finished contracts in the same currency.

Near is who asked for the same skills, then who used the same words. Where anybody lives is not
looked at, and other currencies are never converted. A skill that few contracts asked for is not
looked at either: what it adds to a range or takes from it would be those few contracts' prices.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.http import Http404

from accounts.models import Skill
from marketplace.core.money import Money
from matching.insight.models import FinishedPrice
from matching.insight.prices import Range, Sample, price_range
from payments.models import PlatformPolicy
from payments.services import policies
from projects.models import Project
from projects.selectors.projects import Reader, project_to_see

# The nearest contracts that are looked at; with more the far ones would say as much as the near.
NEAREST = 60
# Of so many with the most skills in common, the newest first, the words are looked at.
READ = 1000
# Words of a title are looked for in what other projects said; more of them only take time.
MOST_WORDS = 12
# Words beside skills: never more than half of what the same skills count.
WORDS = 0.5


@dataclass(frozen=True)
class PriceHint:
    """What similar finished work came to, in one currency; no range where there is too little."""

    currency: str
    skills: Sequence[Skill]
    # Those of them that enough finished contracts asked for.
    compared: Sequence[Skill]
    # How many skills a contract had to share.
    shared: int
    range: Range | None
    needed: int
    people: int
    months: int
    nearest: int = NEAREST

    @property
    def low(self) -> Money | None:
        """A quarter came to less."""
        return self._money("low")

    @property
    def median(self) -> Money | None:
        """Half came to less, half to more."""
        return self._money("median")

    @property
    def high(self) -> Money | None:
        """A quarter came to more."""
        return self._money("high")

    @property
    def median_from(self) -> Money | None:
        """Where the median of all such work may begin."""
        return self._money("median_from")

    @property
    def median_to(self) -> Money | None:
        """Where the median of all such work may end."""
        return self._money("median_to")

    def place_of(self, amount: Money) -> str:
        """`below`, `within` or `above` the middle half; empty when nothing can be said."""
        if self.range is None or amount.currency != self.currency:
            return ""
        if amount.minor < self.range.low:
            return "below"
        return "above" if amount.minor > self.range.high else "within"

    def _money(self, name: str) -> Money | None:
        return None if self.range is None else Money(getattr(self.range, name), self.currency)


def for_project(project: Project) -> PriceHint:
    """For what is asked of bidders: four queries."""
    skills = list(project.skills.order_by("name"))
    return for_work(skills, title=project.title, currency=project.currency)


def for_work(skills: Sequence[Skill], *, title: str, currency: str) -> PriceHint:
    """For work that needs these skills, in two queries besides the policy's."""
    policy = policies.current()
    compared = _well_known(skills, currency=currency, policy=policy)
    shared = 1 if len(compared) < 3 else 2
    found: Range | None = None
    if compared:
        samples = _nearest(compared, title=title, currency=currency, shared=shared)
        found = price_range(
            samples, contracts=policy.insight_contracts, people=policy.insight_people
        )
    return PriceHint(
        currency=currency,
        skills=skills,
        compared=compared,
        shared=shared,
        range=found,
        needed=policy.insight_contracts,
        people=policy.insight_people,
        months=policy.insight_months,
    )


def project_with_prices(reader: Reader, ref: str) -> Project:
    """An open project; 404 for any other.

    Of a project that is over, the nearest finished contract is its own, and what that came to
    could be told from the range of the same skills without it.
    """
    project = project_to_see(reader, ref)
    if not project.is_open:
        raise Http404
    return project


def _well_known(
    skills: Sequence[Skill], *, currency: str, policy: PlatformPolicy
) -> Sequence[Skill]:
    """The skills that pass the floors of a range each by itself."""
    if not skills:
        return []
    wanted = [skill.pk for skill in skills]
    each = Func(F("skills"), function="unnest", output_field=BigIntegerField(), set_returning=True)
    known = (
        FinishedPrice.objects.filter(currency=currency, skills__overlap=wanted)
        .values(asked=each)
        .annotate(
            contracts=Count("pk"),
            clients=Count("client", distinct=True),
            freelancers=Count("freelancer", distinct=True),
        )
        .filter(
            contracts__gte=policy.insight_contracts,
            clients__gte=policy.insight_people,
            freelancers__gte=policy.insight_people,
        )
    )
    enough = {row["asked"] for row in known}
    return [skill for skill in skills if skill.pk in enough]


def _nearest(skills: Sequence[Skill], *, title: str, currency: str, shared: int) -> list[Sample]:
    size = Func(F("skills"), function="cardinality", output_field=IntegerField())
    together = Cast(size + Value(len(skills)) - F("shared"), FloatField())
    rows = FinishedPrice.objects.filter(
        currency=currency, skills__overlap=[skill.pk for skill in skills]
    )
    alike = (
        rows.annotate(shared=_in_common(skills))
        .filter(shared__gte=shared)
        .annotate(near=ExpressionWrapper(F("shared") / together, output_field=FloatField()))
    )
    if words := _words(title):
        # Reading what every project with a common skill says would take too long.
        newest = alike.order_by("-near", "-pk").values("pk")[:READ]
        said = SearchRank(F("project__search"), words, normalization=Value(32))
        near = ExpressionWrapper(F("near") + Value(WORDS) * said, output_field=FloatField())
        alike = alike.filter(pk__in=newest).annotate(nearer=near).order_by("-nearer", "-pk")
    else:
        alike = alike.order_by("-near", "-pk")
    found = alike.values_list("price_minor", "client_id", "freelancer_id")[:NEAREST]
    return [Sample(*row) for row in found]


def _in_common(skills: Sequence[Skill]) -> Combinable:
    """How many of the skills a contract's project asked for: one test each, no intersection."""
    counted: Combinable = Value(0)
    for skill in skills:
        counted = counted + Case(When(skills__contains=[skill.pk], then=1), default=0)
    return counted


def _words(title: str) -> SearchQuery | None:
    """Any word of the title; the database leaves out the ones that say nothing."""
    said = [word for word in re.findall(r"\w+", title.casefold()) if word != "or"]
    if not said:
        return None
    return SearchQuery(
        " or ".join(dict.fromkeys(said[:MOST_WORDS])), config="english", search_type="websearch"
    )
