"""The client's choice: keep an eye on a bid, turn it down, hire exactly one."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from payments.services import suspicion
from projects import signals
from projects.models import Bid, Contract, Project
from projects.models.bids import NotChosenReason
from projects.selectors.blind import is_blind, steps_without_name
from projects.services import contracts, locks
from projects.services.contracts import MilestonePlan
from projects.services.rights import belongs_to, require
from projects.services.telling import as_fact, tell_bidder

LONGEST_REASON = 200
FRIDAY = 4


@transaction.atomic
def shortlist(bid: Bid, *, by: User) -> Bid:
    """Put the bid on the short list; the freelancer is told once. Again changes nothing."""
    project, bid = _lock(bid, by=by)
    if bid.status == Bid.Status.SHORTLISTED:
        return bid
    shows_name = is_blind(bid)
    now = clock.now()
    bid.move_to(
        Bid.Status.SHORTLISTED,
        read_at=bid.read_at or now,
        name_shown_at=bid.name_shown_at or now,
    )
    audit.record(by, "bid.shortlisted", bid, shows_name=shows_name)
    tell_bidder(bid, project, "bid_shortlisted", key=f"bid-shortlisted:{bid.ref}:{bid.version}")
    return bid


@transaction.atomic
def unshortlist(bid: Bid, *, by: User) -> Bid:
    """Take the bid off the short list, silently. Again changes nothing."""
    _project, bid = _lock(bid, by=by)
    if bid.status == Bid.Status.SENT:
        return bid
    if bid.status != Bid.Status.SHORTLISTED:
        raise InvalidTransition
    bid.move_to(Bid.Status.SENT)
    audit.record(by, "bid.unshortlisted", bid)
    return bid


@transaction.atomic
def set_blind(project: Project, *, by: User, hide: bool) -> Project:
    """Hide the names of bids until they are on the short list, or show all of them again.

    Both are on the record, so showing everybody at once is a choice somebody made.
    """
    require(by, project.client, "hire")
    project = locks.project(project.pk)
    if project.status not in {Project.Status.DRAFT, Project.Status.OPEN}:
        raise InvalidTransition
    if project.is_blind != hide:
        project.is_blind = hide
        project.save(update_fields=["is_blind"])
        audit.record(by, "project.names_hidden" if hide else "project.names_shown", project)
    return project


@transaction.atomic
def decline(bid: Bid, *, by: User, reason: str) -> Bid:
    """Turn the bid down. `reason`, one of ours or their own words, is shown to the freelancer."""
    project, bid = _lock(bid, by=by)
    reason = text.line(reason)
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput(
            _("Give a reason of at most %(most)s characters") % {"most": LONGEST_REASON},
            field="reason",
        )
    bid.move_to(
        Bid.Status.NOT_CHOSEN,
        closed_at=clock.now(),
        read_at=bid.read_at or clock.now(),
        not_chosen_reason=reason,
    )
    audit.record(by, "bid.declined", bid)
    _tell_not_chosen(bid, project)
    return bid


@transaction.atomic
def reconsider(bid: Bid, *, by: User) -> Bid:
    """Take back a “not chosen” while the project is open; the freelancer is told."""
    project, bid = _lock(bid, by=by)
    if bid.status != Bid.Status.NOT_CHOSEN:
        raise InvalidTransition
    bid.move_to(Bid.Status.SENT, closed_at=None, not_chosen_reason="")
    back = audit.record(by, "bid.reconsidered", bid)
    tell_bidder(bid, project, "bid_reconsidered", key=f"bid-reconsidered:{back.pk}")
    return bid


@transaction.atomic
def hire(bid: Bid, *, by: User, milestones: Sequence[MilestonePlan], seen_version: int) -> Contract:
    """Accept the version of the bid that the client looked at, and draw up the contract.

    Exactly one bid of a project is ever accepted: the project's lock lets one caller through,
    the others find it in progress and get a DomainError. The other bidders are told. Raises
    InvalidInput (field "milestones") when the plan does not sum to the price.
    """
    project, bid = _lock(bid, by=by)
    if belongs_to(by, bid.freelancer):
        raise NotAllowed(_("You cannot hire yourself."))
    if is_blind(bid):
        raise DomainError(
            _("Put this bid on the short list first. Until then its name is hidden, also from you.")
        )
    if bid.version != seen_version:
        raise InvalidTransition(
            _("%(name)s changed this bid a moment ago. Here is the current version.")
            % {"name": bid.freelancer.short_name}
        )
    now = clock.now()
    others = [other for other in locks.live_bids(project) if other.pk != bid.pk]
    bid.move_to(Bid.Status.ACCEPTED, closed_at=now, read_at=bid.read_at or now)
    project.move_to(Project.Status.IN_PROGRESS)
    contract = contracts.draw_up(bid, by=by, milestones=milestones)
    audit.record(by, "bid.accepted", bid, version=bid.version, **as_fact(bid.price))
    tell_bidder(
        bid, project, "bid_accepted", key=f"bid-accepted:{bid.ref}", price=as_fact(bid.price)
    )
    suspicion.look_at_hire(
        contract.client,
        contract.freelancer,
        subject=contract,
        url=reverse("admin:projects_contract_change", args=[contract.pk]),
        by=by,
    )
    for other in others:
        other.move_to(
            Bid.Status.NOT_CHOSEN, closed_at=now, not_chosen_reason=NotChosenReason.ANOTHER
        )
        _tell_not_chosen(other, project)
    signals.project_closed.send(Project, project=project)
    return contract


def proposed_plan(bid: Bid) -> list[MilestonePlan]:
    """What the contract would be if both just follow the bid, were it hired today."""
    today = timezone.localtime(clock.now()).date()
    steps = steps_without_name(bid, bid.milestones.all())
    if not steps:
        title = bid.project.title
        return [MilestonePlan(title, bid.price, in_working_days(today, bid.days))]
    return [
        MilestonePlan(
            step.title,
            Money(step.amount_minor, bid.currency),
            in_working_days(today, step.days),
        )
        for step in steps
    ]


def in_working_days(start: dt.date, days: int) -> dt.date:
    """The day that many working days (Monday to Friday) after `start`."""
    # A start on a weekend counts from the Friday before.
    day = start - dt.timedelta(days=max(0, start.weekday() - FRIDAY))
    weeks, rest = divmod(days, 5)
    weekend = 2 if day.weekday() + rest > FRIDAY else 0
    return day + dt.timedelta(weeks=weeks, days=rest + weekend)


def _tell_not_chosen(bid: Bid, project: Project) -> None:
    """Our own reasons are told in the reader's language when the notice is read."""
    tell_bidder(
        bid,
        project,
        "bid_not_chosen",
        key=f"bid-not-chosen:{bid.ref}:{bid.version}",
        reason="" if bid.not_chosen_reason in NotChosenReason.values else bid.not_chosen_reason,
        code=bid.not_chosen_reason if bid.not_chosen_reason in NotChosenReason.values else "",
    )


def _lock(bid: Bid, *, by: User) -> tuple[Project, Bid]:
    project = locks.project(bid.project_id)
    bid = locks.bid(bid.pk)
    require(by, project.client, "hire")
    if project.status != Project.Status.OPEN:
        raise DomainError(_("This project no longer takes bids."), code="not_open")
    return project, bid
