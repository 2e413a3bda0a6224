"""Which rankings no nudge brought up to date."""

import datetime as dt

from django.db.models import DateTimeField, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from accounts.models import Party, Profile
from marketplace.core import clock
from matching.models import FOR_NOW, MatchRun, MatchWishes
from matching.selectors import registry
from projects.models import Contract, Project
from projects.selectors.projects import open_projects

# Lists follow what happens on the other side at this pace; what people change about their
# own project or profile is ranked at once.
REFRESH_PROJECTS = dt.timedelta(minutes=10)
REFRESH_PEOPLE = dt.timedelta(hours=6)


def projects() -> QuerySet[Project]:
    """Open projects without a ranking since they were published, or with an overtaken one."""
    newest = Profile.objects.aggregate(at=Max("updated_at"))["at"]
    finished = Contract.objects.aggregate(at=Max("ended_at"))["at"]
    overtaken = Q(pk__in=[])
    wished = MatchWishes.objects.aggregate(at=Max("changed_at"))["at"]
    for change in filter(None, (newest, finished, wished)):
        overtaken |= Q(people_of__lt=min(change, clock.now() - REFRESH_PROJECTS))
    return (
        _ranked_projects()
        .filter(Q(ranked_at=None) | Q(ranked_at__lt=F("published_at")) | overtaken | _weighed())
        .order_by(F("ranked_at").asc(nulls_first=True), "pk")
    )


def parties() -> QuerySet[Party]:
    """Freelancers without a ranking since their profile changed, or with an overtaken one."""
    finished = Contract.objects.filter(freelancer=OuterRef("pk")).order_by()
    ended = finished.values("freelancer").annotate(at=Max("ended_at")).values("at")
    newest = open_projects().aggregate(at=Max("published_at"))["at"]
    overtaken = Q(pk__in=[])
    if newest:
        overtaken = Q(projects_of__lt=min(newest, clock.now() - REFRESH_PEOPLE))
    return (
        _ranked_parties()
        .annotate(changed_at=Greatest(F("profile__updated_at"), Subquery(ended)))
        .filter(Q(ranked_at=None) | Q(ranked_at__lt=F("changed_at")) | overtaken | _weighed())
        .order_by(F("ranked_at").asc(nulls_first=True), "pk")
    )


def projects_for_now() -> QuerySet[Project]:
    """Open projects ranked by words because not all texts had been read."""
    return (
        _ranked_projects().filter(Q(engine__endswith=FOR_NOW)).order_by(F("ranked_at").asc(), "pk")
    )


def parties_for_now() -> QuerySet[Party]:
    """Freelancers ranked by words because not all texts had been read."""
    return (
        _ranked_parties().filter(Q(engine__endswith=FOR_NOW)).order_by(F("ranked_at").asc(), "pk")
    )


def _weighed() -> Q:
    """Ranked before the weights changed."""
    since = registry.active_since()
    return Q(ranked_at__lt=since) if since else Q(pk__in=[])


def _ranked_projects() -> QuerySet[Project]:
    """Open projects with their last ranking: its time, from when its people are, its engine."""
    last = MatchRun.objects.filter(project=OuterRef("pk")).order_by("-pk")
    return open_projects().annotate(
        ranked_at=Subquery(last.values("at")[:1], output_field=DateTimeField()),
        people_of=Subquery(last.values("as_of")[:1], output_field=DateTimeField()),
        engine=Subquery(last.values("engine")[:1]),
    )


def _ranked_parties() -> QuerySet[Party]:
    """Freelancers who want suggestions, with their last ranking as above."""
    last = MatchRun.objects.filter(party=OuterRef("pk")).order_by("-pk")
    wanting = Party.objects.exclude(match_wishes__is_on=False)
    return wanting.filter(profile__isnull=False, person__is_active=True).annotate(
        ranked_at=Subquery(last.values("at")[:1], output_field=DateTimeField()),
        projects_of=Subquery(last.values("as_of")[:1], output_field=DateTimeField()),
        engine=Subquery(last.values("engine")[:1]),
    )
