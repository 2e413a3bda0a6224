"""Whose work for whom says little: for oneself, for each other, and for one's many companies.

A client is told from another by who manages it, not by its name: three companies of one person
are one client. Work between two who hire each other is all of one client, and work for a party
that the freelancer belongs to is nobody's. Longer circles are left alone: in a market where many
both hire and work, everybody stands in one.
"""

from collections import defaultdict
from collections.abc import Collection

from accounts.models import Membership
from projects.models import Contract

# Stands for all clients of a freelancer for whom that freelancer's own clients work.
EACH_OTHER = "each other"
# With more people than this, asking for everybody is cheaper than naming them.
NAMED = 10_000

# A freelancer's party and a client's.
Pair = tuple[int, int]


def clients_heard(pairs: Collection[Pair]) -> dict[Pair, str]:
    """Under which client the work of each pair is heard; work for oneself is not here."""
    people, manager = _people_of({party for pair in pairs for party in pair})
    hires = _hires_by({manager[freelancer] for freelancer, _ in pairs if freelancer in manager})
    heard: dict[Pair, str] = {}
    for freelancer, client in pairs:
        if people[freelancer] & people[client]:
            continue
        one, other = manager.get(freelancer), manager.get(client)
        if (one, other) in hires:
            heard[freelancer, client] = EACH_OTHER
        else:
            heard[freelancer, client] = f"party {client}" if other is None else f"user {other}"
    return heard


def _people_of(parties: Collection[int]) -> tuple[dict[int, set[int]], dict[int, int]]:
    """By party, its people, and the one who manages it; of several the oldest account."""
    people: dict[int, set[int]] = defaultdict(set)
    manager: dict[int, int] = {}
    rows = Membership.objects.filter(party__in=parties).order_by("-user")
    for party, user, manages in rows.values_list("party", "user", "can_manage"):
        people[party].add(user)
        if manages:
            manager[party] = user
    return people, manager


def _hires_by(users: Collection[int]) -> set[tuple[int, int]]:
    """Who of these users has had finished work done by whom, whatever the companies."""
    rows = Contract.objects.filter(
        status=Contract.Status.COMPLETED,
        client__memberships__can_manage=True,
        freelancer__memberships__can_manage=True,
    )
    if len(users) <= NAMED:
        rows = rows.filter(client__in=Membership.objects.filter(user__in=users).values("party"))
    found = rows.values_list("client__memberships__user", "freelancer__memberships__user")
    return set(found.distinct())
