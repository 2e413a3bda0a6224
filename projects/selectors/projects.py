"""Projects as people find and see them. Fetching for somebody is the permission check."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Avg, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts import selectors
from accounts.models import Membership, Party, ProfileSkill, Skill, User
from marketplace.core import clock
from marketplace.core.models import StoredFile
from marketplace.core.money import Money
from projects.models import Bid, Contract, Dispute, Milestone, Project, Review

Reader = User | AnonymousUser
# Statuses that are an answer of the client.
ANSWERED = (Bid.Status.ACCEPTED, Bid.Status.NOT_CHOSEN)
# Of a description, when looking for skills in it.
MOST_WORDS = 400
RATING = (F("stars_work") + F("stars_communication") + F("stars_fairness")) / 3.0


# --- For whom -------------------------------------------------------------------------------


def project_to_see(reader: Reader, ref: str) -> Project:
    """A published project for everybody, a draft for its client's people; 404 otherwise.

    It knows `is_mine` (the reader is one of the client's people) and the reader's own bid:
    `own_bid_ref`, `own_bid_status`, `own_bid_minor`.
    """
    own = Bid.objects.filter(project=OuterRef("pk"), freelancer=party_id(reader))
    rows = Project.objects.select_related("client").annotate(
        is_mine=Exists(_memberships(reader)),
        own_bid_ref=Subquery(own.values("ref")),
        own_bid_status=Subquery(own.values("status")),
        own_bid_minor=Subquery(own.values("price_minor")),
    )
    return get_object_or_404(
        rows.filter(~Q(status=Project.Status.DRAFT) | Q(is_mine=True)), ref=ref
    )


def project_to_bid_on(reader: Reader, ref: str) -> Project:
    """An open project, for anybody but its client's people; 404 otherwise."""
    project = project_to_see(reader, ref)
    if project.status == Project.Status.DRAFT or vars(project)["is_mine"]:
        raise Http404
    return project


def project_to_manage(user: User, ref: str) -> Project:
    """A project of a party for which the user may post or hire; 404 for strangers.

    It knows `can_post`, `can_hire` and `contract_ref`.
    """
    mine = _memberships(user)
    rows = Project.objects.select_related("client").annotate(
        can_post=Exists(mine.filter(can_post=True)),
        can_hire=Exists(mine.filter(can_hire=True)),
        contract_ref=_contract_ref(),
    )
    return get_object_or_404(rows.filter(Q(can_post=True) | Q(can_hire=True)), ref=ref)


def projects_of(user: User, *, after: str = "", limit: int = 20) -> tuple[list[Project], str]:
    """Projects the user may manage, newest first, with `waiting` (bids without an answer)."""
    mine = Membership.objects.filter(Q(can_post=True) | Q(can_hire=True), user=user)
    rows = Project.objects.filter(client__in=mine.values("party")).select_related("client")
    rows = rows.exclude(status=Project.Status.CANCELLED, published_at=None)
    if after:
        rows = rows.filter(pk__lt=Subquery(Project.objects.filter(ref=after).values("pk")))
    waiting = Count("bids", filter=Q(bids__status__in=Bid.LIVE))
    unread = Count("bids", filter=Q(bids__status__in=Bid.LIVE, bids__read_at=None))
    known = rows.annotate(waiting=waiting, unread=unread, contract_ref=_contract_ref())
    page: list[Project] = [
        *known.defer("description", "search").order_by("-pk")[: limit + 1],
    ]
    return page[:limit], page[limit - 1].ref if len(page) > limit else ""


def newest_of(user: User, *, since: dt.datetime) -> Project | None:
    """The project this person published last, if that was after `since`."""
    mine = Project.objects.filter(posted_by=user, published_at__gt=since)
    return mine.order_by("-published_at").first()


def files_of(project: Project) -> list[StoredFile]:
    """What the client attached."""
    return list(project.files.order_by("pk"))


# --- What is shown with it ------------------------------------------------------------------


def skills_asked(project: Project, reader: Reader) -> list[Skill]:
    """The project's skills; `have` says whether the reader's profile names them."""
    have = ProfileSkill.objects.filter(skill=OuterRef("pk"), profile__party=party_id(reader))
    return list(project.skills.annotate(have=Exists(have)).order_by("name"))


def skills_in(words: str) -> list[Skill]:
    """Well-known skills that a text mentions, in the order it does."""
    said = re.findall(r"[\w+#./-]+", words)[:MOST_WORDS]
    grams = (
        " ".join(said[start : start + length]).rstrip(".")
        for start in range(len(said))
        for length in (3, 2, 1)
    )
    known = selectors.skills_named(dict.fromkeys(grams))
    return [skill for skill in known if skill.state == Skill.State.CURATED]


@dataclass(frozen=True)
class ClientFacts:
    """What is true of a client's past here; None and zero mean that there is none."""

    rating: float | None
    reviews: int
    hires: int
    paid: Money
    approves_in: dt.timedelta | None
    bids_answered: int
    bids_ended: int
    disputes: int


def client_facts(client: Party, currency: str) -> ClientFacts:
    """The facts of one client, amounts in `currency`, in one query."""
    reviews = Review.objects.filter(subject=OuterRef("pk"), published_at__isnull=False)
    approved = Milestone.objects.filter(
        contract__client=OuterRef("pk"), status=Milestone.Status.APPROVED
    )
    contracts = Contract.objects.filter(client=OuterRef("pk"))
    bids = Bid.objects.filter(project__client=OuterRef("pk"))
    answered = bids.filter(status__in=ANSWERED)
    ended = bids.filter(status__in=[*ANSWERED, Bid.Status.EXPIRED])
    disputes = Dispute.objects.filter(milestone__contract__client=OuterRef("pk"))
    row = (
        Party.objects.filter(pk=client.pk)
        .values(
            rating=_one(reviews, Avg(RATING), "subject"),
            reviews_count=_one(reviews, Count("pk"), "subject"),
            hires=_one(contracts, Count("pk"), "client"),
            paid=_one(
                approved.filter(contract__currency=currency),
                Sum("amount_minor"),
                "contract__client",
            ),
            approves_in=_one(
                approved.filter(submitted_at__isnull=False),
                Avg(F("approved_at") - F("submitted_at")),
                "contract__client",
            ),
            answered=_one(answered, Count("pk"), "project__client"),
            ended=_one(ended, Count("pk"), "project__client"),
            disputes=_one(disputes, Count("pk"), "milestone__contract__client"),
        )
        .get()
    )
    return ClientFacts(
        rating=row["rating"],
        reviews=row["reviews_count"] or 0,
        hires=row["hires"] or 0,
        paid=Money(int(row["paid"] or 0), currency),
        approves_in=row["approves_in"],
        bids_answered=row["answered"] or 0,
        bids_ended=row["ended"] or 0,
        disputes=row["disputes"] or 0,
    )


def similar_to(project: Project, *, limit: int = 3) -> list[Project]:
    """Open projects that ask for the same skills, the most alike first."""
    shared = Count("skills", filter=Q(skills__in=project.skills.values("pk")))
    rows = open_projects().exclude(pk=project.pk).filter(skills__in=project.skills.values("pk"))
    ids = rows.annotate(shared=shared).order_by("-shared", "-published_at").values("pk")[:limit]
    found = Project.objects.filter(pk__in=Subquery(ids)).select_related("client")
    return list(found.defer("description", "search").order_by("-published_at"))


def open_projects() -> QuerySet[Project]:
    """Everything that takes bids now."""
    return Project.objects.filter(status=Project.Status.OPEN, expires_at__gt=clock.now())


def rating_of(party_field: str) -> dict[str, Any]:
    """Annotations `rating` and `reviews_count` of the party a row points to."""
    reviews = Review.objects.filter(subject=OuterRef(party_field), published_at__isnull=False)
    return {
        "rating": _one(reviews, Avg(RATING), "subject"),
        "reviews_count": number_of(reviews, "subject"),
    }


def number_of(rows: QuerySet[Any], group: str) -> Coalesce:
    """How many of the rows belong to the outer row."""
    return Coalesce(_one(rows, Count("pk"), group), 0)


def _one(rows: QuerySet[Any], value: Any, group: str) -> Subquery:
    """`value` over the rows that belong to the outer row."""
    return Subquery(rows.order_by().values(group).annotate(_value=value).values("_value"))


def _contract_ref() -> Subquery:
    contracts = Contract.objects.filter(project=OuterRef("pk"))
    return Subquery(contracts.order_by("-pk").values("ref")[:1])


def _memberships(reader: Reader) -> QuerySet[Membership]:
    return Membership.objects.filter(party=OuterRef("client"), user=reader.pk)


def party_id(reader: Reader) -> int | None:
    """The party a signed-in reader is."""
    return None if reader.is_anonymous else reader.party_id
