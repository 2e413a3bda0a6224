"""Rows as the engine's documents, without names and places, and who must not be ranked."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from accounts.models import Membership, Party, PortfolioItem, Profile, ProfileSkill
from marketplace.core import clock
from matching.engine import redact
from matching.engine.documents import HistoryItem, Need, PersonDoc
from matching.models import MatchWishes
from matching.selectors.rings import clients_heard
from projects.models import Bid, Contract, Project, Review
from projects.selectors.projects import number_of, open_projects

# Work somebody enters themselves proves less than work finished here.
SAMPLE_WEIGHT = 0.5

# A transaction that was open when the reading began may still have written: what it wrote is
# dated so long before, at most.
OPEN = dt.timedelta(seconds=5)

Stamp = tuple[object, ...]


def findable() -> QuerySet[Profile]:
    """Freelancers a client may be shown: visible, with a headline, active, taking work."""
    return Profile.objects.filter(
        ~Q(headline=""), is_visible=True, party__person__is_active=True
    ).exclude(availability=Profile.Availability.BUSY)


def suggestable() -> QuerySet[Profile]:
    """Those of them who have not switched suggestions off."""
    return findable().exclude(party__match_wishes__is_on=False)


# --- Documents ------------------------------------------------------------------------------


def people() -> list[PersonDoc]:
    """Everybody who may be suggested, in a few queries."""
    return _people(suggestable(), own=False)


def people_among(parties: Iterable[int]) -> list[PersonDoc]:
    """Those of these parties who may be suggested."""
    return _people(suggestable().filter(party__in=list(parties)), own=False)


def party_ids() -> list[int]:
    """Everybody who may be suggested."""
    return list(suggestable().values_list("party", flat=True))


def person(party: Party, *, with_record: bool = False) -> PersonDoc | None:
    """One active freelancer for their own eyes: every past work may be named.

    `with_record` reads finished work even of somebody who does not want it used.
    """
    profiles = Profile.objects.filter(party=party, party__person__is_active=True)
    found = _people(profiles, own=True, with_record=with_record)
    return found[0] if found else None


def needs() -> list[Need]:
    """Every open project."""
    rows = open_projects().select_related("client").prefetch_related("skills")
    return [need(project) for project in rows]


def need(project: Project) -> Need:
    """A project, without the name of its client in the text."""
    return Need(
        id=str(project.pk),
        title=_nameless(project.title, [project.client]),
        description=_nameless(project.description, [project.client]),
        skills=tuple(skill.name for skill in project.skills.all()),
        posted_at=project.published_at.date() if project.published_at else None,
        client=str(project.client_id),
        language=project.content_language.split("-")[0],
    )


def _people(
    profiles: QuerySet[Profile], *, own: bool, with_record: bool = False
) -> list[PersonDoc]:
    parties = profiles.values("party")
    unused = {} if with_record else _unused_work(parties)
    works = _finished_work(parties.exclude(party__in=unused), own=own)
    samples: dict[int, list[HistoryItem]] = defaultdict(list)
    shown = PortfolioItem.objects.filter(profile__in=profiles.values("pk"))
    for sample in shown.select_related("profile__party"):
        samples[sample.profile.party_id].append(_sample(sample))
    claimed: dict[int, list[str]] = defaultdict(list)
    skills = ProfileSkill.objects.filter(profile__in=profiles.values("pk")).order_by("-level", "pk")
    for party, name in skills.values_list("profile__party", "skill__name"):
        claimed[party].append(name)
    return [
        PersonDoc(
            id=str(profile.party_id),
            title=_nameless(profile.headline, [profile.party]),
            bio=_nameless(profile.bio, [profile.party]),
            # What works show, the engine counts itself.
            skills=tuple((name, 0) for name in claimed[profile.party_id]),
            history=(*works[profile.party_id], *samples[profile.party_id]),
            unused_works=unused.get(profile.party_id, 0),
        )
        for profile in profiles.select_related("party")
    ]


def _unused_work(parties: QuerySet[Profile, Any]) -> dict[int, int]:
    """The freelancers who do not want finished work used, with how much there is of it."""
    against = MatchWishes.objects.filter(party__in=parties, uses_record=False)
    finished = Contract.objects.filter(
        freelancer=OuterRef("party"), status=Contract.Status.COMPLETED
    )
    counted = against.annotate(finished=number_of(finished, "freelancer"))
    return dict(counted.values_list("party", "finished"))


def _finished_work(parties: QuerySet[Profile, Any], *, own: bool) -> dict[int, list[HistoryItem]]:
    """Completed contracts per freelancer. Others see named only what a review made public."""
    published = Review.objects.filter(
        contract=OuterRef("pk"), author=OuterRef("client"), published_at__isnull=False
    )
    contracts = (
        Contract.objects.filter(freelancer__in=parties, status=Contract.Status.COMPLETED)
        .select_related("project", "client", "freelancer")
        .prefetch_related("project__skills")
        .annotate(is_public=Exists(published))
        .order_by("pk")
    )
    heard = clients_heard({(each.freelancer_id, each.client_id) for each in contracts})
    works: dict[int, list[HistoryItem]] = defaultdict(list)
    for contract in contracts:
        client = heard.get((contract.freelancer_id, contract.client_id))
        if client is None:
            continue
        both = [contract.freelancer, contract.client]
        works[contract.freelancer_id].append(
            HistoryItem(
                title=_nameless(contract.title, both),
                shown_as=contract.title,
                text=_nameless(contract.project.description, both),
                skills=tuple(skill.name for skill in contract.project.skills.all()),
                date=contract.ended_at.date() if contract.ended_at else None,
                public=own or vars(contract)["is_public"],
                client=client,
            )
        )
    return works


def _sample(sample: PortfolioItem) -> HistoryItem:
    """A sample without a day: when it was entered says nothing about when it was made."""
    owner = [sample.profile.party]
    return HistoryItem(
        title=_nameless(sample.title, owner),
        shown_as=sample.title,
        text=_nameless(sample.description, owner),
        weight=SAMPLE_WEIGHT,
    )


def _nameless(text: str, parties: Iterable[Party]) -> str:
    """The text without these names: a person's word by word, a company's as a whole."""
    for party in parties:
        names = party.name.split() if party.kind == Party.Kind.PERSON else [party.name]
        text = redact.without_names(text, names)
    return text


# --- Who must not be ranked -----------------------------------------------------------------


def out_of_reach(project: Project) -> set[str]:
    """Parties that must not be suggested: the client's people, and whoever has bid already.

    And whoever switched suggestions off: a worker can be a little behind with building.
    """
    bidders = Bid.objects.filter(project=project).values_list("freelancer_id", flat=True)
    against = MatchWishes.objects.filter(is_on=False).values_list("party_id", flat=True)
    return {*of_client(project), *map(str, bidders), *map(str, against)}


def of_client(project: Project) -> set[str]:
    """The client's party and every other one that somebody of it belongs to."""
    return {str(pk) for pk in _sharing_people_with([project.client_id])}


def not_for(party: Party) -> set[str]:
    """Projects that must not be suggested: those of the party's own people, and their bids."""
    own = Project.objects.filter(client__in=_sharing_people_with([party.pk]))
    bids = Bid.objects.filter(freelancer=party)
    return {
        str(pk)
        for pk in (
            *own.filter(status=Project.Status.OPEN).values_list("pk", flat=True),
            *bids.values_list("project_id", flat=True),
        )
    }


def _sharing_people_with(parties: list[int]) -> set[int]:
    """These parties and every other one that somebody of theirs belongs to."""
    users = Membership.objects.filter(party__in=parties).values("user")
    return {
        *parties,
        *Membership.objects.filter(user__in=users).values_list("party_id", flat=True),
    }


def gone(parties: Iterable[str]) -> set[str]:
    """Those of these parties who must not be suggested any more at this moment.

    They were erased, hid their profile or switched suggestions off since everybody was read.
    """
    asked = set(parties)
    there = suggestable().filter(party__in=map(int, asked)).values_list("party", flat=True)
    return asked - set(map(str, there))


# --- Has anything changed? ------------------------------------------------------------------


def people_stamp() -> Stamp:
    """Differs as soon as `people()` would: who shows what, and what is finished."""
    profiles = suggestable().aggregate(n=Count("pk"), last=Max("updated_at"))
    wishes = MatchWishes.objects.aggregate(last=Max("changed_at"))
    finished = Contract.objects.filter(status=Contract.Status.COMPLETED)
    contracts = finished.aggregate(n=Count("pk"), last=Max("ended_at"))
    reviews = Review.objects.filter(published_at__isnull=False).aggregate(n=Count("pk"))
    return (_today(), *profiles.values(), *wishes.values(), *contracts.values(), *reviews.values())


def is_big() -> bool:
    """Whether there are too many people to read all of them whenever somebody changes."""
    most: int = settings.MATCH_FILES_FROM
    return suggestable().order_by()[:most].count() >= most


def changed_since(moment: dt.datetime) -> dict[int, dt.datetime]:
    """Whoever shows, has finished or wishes something else since then, and when they last did.

    Not whoever is shown no more: nobody who is gone competes for a place.
    """
    found: dict[int, dt.datetime] = {}
    profiles = suggestable().filter(updated_at__gte=moment).values_list("party", "updated_at")
    wishes = MatchWishes.objects.filter(changed_at__gte=moment).values_list("party", "changed_at")
    finished = Contract.objects.filter(status=Contract.Status.COMPLETED, ended_at__gte=moment)
    reviews = Review.objects.filter(published_at__gte=moment)
    for rows in (
        profiles,
        wishes,
        finished.values_list("freelancer", "ended_at"),
        reviews.values_list("contract__freelancer", "published_at"),
    ):
        for party, at in rows:
            # All of them are asked for by their time, so none is without one.
            if at and at >= found.get(party, moment):
                found[party] = at
    return found


def needs_stamp() -> Stamp:
    """Differs as soon as other projects are open. An edit does not show here."""
    return (_today(), *open_projects().aggregate(n=Count("pk"), last=Max("published_at")).values())


def _today() -> dt.date:
    return clock.now().date()
