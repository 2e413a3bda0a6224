"""Bids, for the two sides that may see them and nobody else."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.shortcuts import get_object_or_404

from accounts.models import Membership, ProfileSkill, User
from projects.models import Bid, BidMilestone, Contract, Project
from projects.selectors.blind import steps_without_name, with_number, without_name
from projects.selectors.projects import number_of, party_id, rating_of

TABS = {
    "new": (Bid.Status.SENT,),
    "shortlist": (Bid.Status.SHORTLISTED,),
    "not-chosen": (Bid.Status.NOT_CHOSEN,),
}
GROUPS = {
    "waiting": Bid.LIVE,
    "won": (Bid.Status.ACCEPTED,),
    "ended": (Bid.Status.NOT_CHOSEN, Bid.Status.WITHDRAWN, Bid.Status.EXPIRED),
}
MOST_COMPARED = 4


# --- One bid --------------------------------------------------------------------------------


def bid_to_see(user: User, ref: str) -> Bid:
    """A bid for its freelancer and for the client's people; 404 for everybody else.

    It knows `is_own` (the reader is the freelancer), `can_hire` and `contract_ref`.
    """
    client = _people("project__client", user)
    chooses = Exists(client.filter(can_hire=True))
    rows = _rows().annotate(is_own=Exists(_people("freelancer", user)), can_hire=chooses)
    allowed = Q(is_own=True) | Exists(client.filter(Q(can_post=True) | Q(can_hire=True)))
    bid = get_object_or_404(with_number(rows.filter(allowed)), ref=ref)
    return bid if vars(bid)["is_own"] else without_name(bid)


def bid_to_change(user: User, ref: str) -> Bid:
    """The user's own bid; 404 otherwise."""
    return get_object_or_404(_rows().filter(Exists(_people("freelancer", user))), ref=ref)


def bid_to_choose(user: User, ref: str) -> Bid:
    """A bid on a project of the user's party, which knows `can_hire`; 404 otherwise."""
    client = _people("project__client", user)
    allowed = Exists(client.filter(Q(can_post=True) | Q(can_hire=True)))
    rows = _rows().annotate(can_hire=Exists(client.filter(can_hire=True)))
    return without_name(get_object_or_404(with_number(rows.filter(allowed)), ref=ref))


def bid_to_hire(user: User, project_ref: str, ref: str) -> Bid:
    """A bid of that project for somebody who may hire; 404 otherwise. Knows `contract_ref`."""
    client = _people("project__client", user).filter(can_hire=True)
    rows = with_number(_rows().filter(Exists(client)))
    return without_name(get_object_or_404(rows, ref=ref, project__ref=project_ref))


def _rows() -> QuerySet[Bid]:
    contract = Contract.objects.filter(bid=OuterRef("pk")).values("ref")
    rows = Bid.objects.select_related("project__client", "freelancer__profile")
    return rows.annotate(contract_ref=Subquery(contract)).defer("project__search")


def _people(party: str, user: User) -> QuerySet[Membership]:
    return Membership.objects.filter(party=OuterRef(party), user=user)


# --- A freelancer's own ---------------------------------------------------------------------


def bids_of(
    user: User, group: str = "", *, after: str = "", limit: int = 20
) -> tuple[list[Bid], str]:
    """The user's own bids, newest first, and the cursor of the next page ("" at the end)."""
    rows = _rows().filter(freelancer=party_id(user))
    if group:
        rows = rows.filter(status__in=GROUPS[group])
    if after:
        rows = rows.filter(pk__lt=Subquery(Bid.objects.filter(ref=after).values("pk")))
    page = list(rows.defer("project__description", "project__search").order_by("-pk")[: limit + 1])
    return page[:limit], page[limit - 1].ref if len(page) > limit else ""


def bid_counts(user: User) -> dict[str, int]:
    """How many of the user's bids are in each group."""
    mine = Bid.objects.filter(freelancer=party_id(user))
    return mine.aggregate(
        **{name: Count("pk", filter=Q(status__in=statuses)) for name, statuses in GROUPS.items()}
    )


def milestones_of(bid: Bid) -> list[BidMilestone]:
    """The steps the freelancer proposed, if any, without names where the bid has none."""
    return steps_without_name(bid, bid.milestones.select_related("bid"))


def is_introduced(user: User) -> bool:
    """Whether the user's profile has a first line and a skill."""
    named = ProfileSkill.objects.filter(profile__party=party_id(user))
    return named.exclude(profile__headline="").exists()


# --- The client's choice --------------------------------------------------------------------


def bids_on(
    project: Project, tab: str, *, after: str = "", limit: int = 20
) -> tuple[list[Bid], str]:
    """The bids of one tab, newest first, and the cursor of the next page ("" at the end).

    Rows know the freelancer's `rating`, `reviews_count`, `finished` contracts and `skills_had`
    of the skills the project asks for. The caller has checked who asks.
    """
    rows = _to_choose(project).filter(status__in=TABS[tab])
    if after:
        rows = rows.filter(pk__lt=Subquery(Bid.objects.filter(ref=after).values("pk")))
    page = [without_name(bid) for bid in rows.order_by("-pk")[: limit + 1]]
    return page[:limit], page[limit - 1].ref if len(page) > limit else ""


def bids_to_compare(project: Project, refs: Sequence[str]) -> list[Bid]:
    """Up to four bids that can still be chosen, in the order of `refs`, with their milestones."""
    wanted = list(dict.fromkeys(refs))[:MOST_COMPARED]
    rows = _to_choose(project).filter(ref__in=wanted, status__in=Bid.LIVE)
    found = {bid.ref: without_name(bid) for bid in rows.prefetch_related("milestones")}
    for bid in found.values():
        steps_without_name(bid, bid.milestones.all())
    return [found[ref] for ref in wanted if ref in found]


def _to_choose(project: Project) -> QuerySet[Bid]:
    asked = Project.skills.through.objects.filter(project=project.pk).values("skill")
    had = ProfileSkill.objects.filter(profile__party=OuterRef("freelancer"), skill__in=asked)
    finished = Contract.objects.filter(
        freelancer=OuterRef("freelancer"), status=Contract.Status.COMPLETED
    )
    return (
        with_number(Bid.objects.filter(project=project))
        .select_related("project", "freelancer__profile")
        .defer("project__description", "project__search")
        .annotate(
            skills_had=number_of(had, "profile__party"),
            finished=number_of(finished, "freelancer"),
            **rating_of("freelancer"),
        )
    )


@dataclass(frozen=True)
class TabCounts:
    """How many bids wait in each tab of a hiring round, and how many were not read yet."""

    new: int
    unread: int
    shortlist: int
    not_chosen: int
    skills: int


def tab_counts(project: Project) -> TabCounts:
    """The numbers on the tabs, and how many skills the project asks for, in one query."""
    asked = Project.skills.through.objects.filter(project=OuterRef("pk"))
    row = (
        Project.objects.filter(pk=project.pk)
        .values(
            new=Count("bids", filter=Q(bids__status=Bid.Status.SENT)),
            unread=Count("bids", filter=Q(bids__status=Bid.Status.SENT, bids__read_at=None)),
            shortlist=Count("bids", filter=Q(bids__status=Bid.Status.SHORTLISTED)),
            not_chosen=Count("bids", filter=Q(bids__status=Bid.Status.NOT_CHOSEN)),
            skills_asked=number_of(asked, "project"),
        )
        .get()
    )
    return TabCounts(
        row["new"], row["unread"], row["shortlist"], row["not_chosen"], row["skills_asked"]
    )
