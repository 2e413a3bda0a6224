"""Notices of the market: whom we tell, and where the notice leads."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from accounts import selectors
from accounts.models import User
from accounts.services.notices import notify
from marketplace.core.money import Money
from projects.models import Bid, Project

GROUP = "work"


def tell_client(
    project: Project, kind: str, *, key: str, right: str = "hire", **facts: Any
) -> None:
    """Tell the people who may act for the client; the notice leads to the bids."""
    notify(
        selectors.people_of(project.client, right),
        kind,
        key=key,
        url=reverse("projects:manage", args=[project.slug, project.ref]),
        group=GROUP,
        facts={"project": project.title, **facts},
    )


def tell_bidder(bid: Bid, project: Project, kind: str, *, key: str, **facts: Any) -> None:
    """Tell the people of the freelancer; the notice leads to their bid."""
    notify(
        _people_of_bid(bid),
        kind,
        key=key,
        url=bid.get_absolute_url(),
        group=GROUP,
        facts={"project": project.title, "client": project.client.name, **facts},
    )


def _people_of_bid(bid: Bid) -> QuerySet[User]:
    return selectors.people_of(bid.freelancer)


def as_fact(amount: Money) -> dict[str, Any]:
    """An amount the way notices keep it."""
    return {"minor": amount.minor, "currency": amount.currency}
