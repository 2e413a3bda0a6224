"""A freelancer's offer: send, edit, withdraw, and being read."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Party, User
from marketplace.core import audit, clock, text
from marketplace.core.display import clock_text, day_text, money_text
from marketplace.core.errors import (
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotAllowed,
    TooMany,
)
from marketplace.core.money import Money
from payments.services import policies
from projects.models import Bid, BidMilestone, Project
from projects.models.projects import AiPolicy
from projects.selectors.blind import name_for_client
from projects.services import locks
from projects.services.contracts import MilestonePlan, plan_problem
from projects.services.rights import belongs_to
from projects.services.telling import as_fact, tell_client
from projects.services.wanted import smallest_amount

LONGEST_MESSAGE = 1500
MOST_DAYS = 365
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Step:
    """A milestone the freelancer proposes; `days` are working days from the start."""

    title: str
    amount: Money
    days: int


@dataclass(frozen=True)
class _Offer:
    """The words of a bid, tidy: composed, nothing hidden."""

    price: Money
    days: int
    message: str
    ai_use: str
    milestones: Sequence[Step]

    def __post_init__(self) -> None:
        steps = [replace(step, title=text.line(step.title)) for step in self.milestones]
        object.__setattr__(self, "message", text.block(self.message))
        object.__setattr__(self, "milestones", steps)


@transaction.atomic
def send_bid(
    project: Project,
    *,
    by: User,
    price: Money,
    days: int,
    message: str,
    ai_use: str,
    milestones: Sequence[Step] = (),
) -> Bid:
    """The freelancer's one bid on this project; after a withdrawal the same bid comes back.

    Raises TooMany beyond the policy's quota, InvalidInput for a field, NotAllowed for the
    client's own people.
    """
    project = locks.project(project.pk)
    freelancer = _party_of(by)
    offer = _Offer(price, days, message, ai_use, milestones)
    if freelancer == project.client or belongs_to(by, project.client):
        raise NotAllowed(_("You cannot bid on your own project."))
    _refuse_closed(project)
    _refuse_unfit(project, offer)
    bid = _own_bid(project, freelancer)
    now = clock.now()
    _refuse_too_many(freelancer, now)
    written = {
        "sent_by": by,
        "price_minor": price.minor,
        "currency": price.currency,
        "days": days,
        "message": offer.message,
        "ai_use": ai_use,
        "sent_at": now,
    }
    if bid is None:
        bid = Bid.objects.create(project=project, freelancer=freelancer, **written)
    else:
        bid.move_to(
            Bid.Status.SENT,
            version=bid.version + 1,
            closed_at=None,
            edited_at=None,
            read_at=None,
            **written,
        )
    _write_steps(bid, offer.milestones)
    Project.objects.filter(pk=project.pk).update(bids_count=F("bids_count") + 1)
    audit.record(by, "bid.sent", bid, version=bid.version, **as_fact(price))
    tell_client(
        project,
        "bid_sent",
        # Once a day, however often it is withdrawn and sent again.
        key=f"bid-sent:{bid.ref}:{now:%Y-%m-%d}",
        freelancer=name_for_client(bid),
        price=as_fact(price),
    )
    return bid


@transaction.atomic
def edit_bid(
    bid: Bid,
    *,
    by: User,
    price: Money,
    days: int,
    message: str,
    ai_use: str,
    milestones: Sequence[Step] = (),
) -> Bid:
    """Change a bid nobody has answered. Its version rises, so that no client accepts old words."""
    project, bid = _lock(bid, by=by)
    offer = _Offer(price, days, message, ai_use, milestones)
    _refuse_closed(project)
    if not bid.is_live:
        raise InvalidTransition(_("This bid can no longer be changed."))
    _refuse_unfit(project, offer)
    # No status moves here, and the lock keeps it live.
    bid.sent_by, bid.price_minor, bid.days = by, price.minor, days
    bid.message, bid.ai_use = offer.message, ai_use
    bid.version, bid.edited_at = bid.version + 1, clock.now()
    bid.save(
        update_fields=[
            "sent_by",
            "price_minor",
            "days",
            "message",
            "ai_use",
            "version",
            "edited_at",
        ]
    )
    _write_steps(bid, offer.milestones)
    audit.record(by, "bid.edited", bid, version=bid.version, **as_fact(price))
    if bid.read_at:
        tell_client(
            project,
            "bid_edited",
            key=f"bid-edited:{bid.ref}:{bid.version}",
            freelancer=name_for_client(bid),
            price=as_fact(price),
        )
    return bid


@transaction.atomic
def withdraw_bid(bid: Bid, *, by: User) -> Bid:
    """Take the bid back; it may be sent again while the project is open."""
    project, bid = _lock(bid, by=by)
    if not bid.is_live:
        raise InvalidTransition(_("This bid can no longer be withdrawn."))
    bid.move_to(Bid.Status.WITHDRAWN, closed_at=clock.now())
    Project.objects.filter(pk=project.pk).update(bids_count=F("bids_count") - 1)
    audit.record(by, "bid.withdrawn", bid)
    # Nobody misses what they never saw.
    if bid.read_at:
        tell_client(
            project,
            "bid_withdrawn",
            key=f"bid-withdrawn:{bid.ref}:{bid.version}",
            freelancer=name_for_client(bid),
        )
    return bid


@transaction.atomic
def mark_read(bid: Bid, *, by: User) -> None:
    """The client has seen this bid; the freelancer's list says so. Again changes nothing."""
    if not belongs_to(by, bid.project.client):
        raise NotAllowed
    Bid.objects.filter(pk=bid.pk, read_at=None).update(read_at=clock.now())


# --- Rules ----------------------------------------------------------------------------------


def _lock(bid: Bid, *, by: User) -> tuple[Project, Bid]:
    project = locks.project(bid.project_id)
    bid = locks.bid(bid.pk)
    if not belongs_to(by, bid.freelancer):
        raise NotAllowed
    return project, bid


def _party_of(user: User) -> Party:
    if user.party is None:
        raise NotAllowed(_("Finish joining before you bid."))
    return user.party


def _own_bid(project: Project, freelancer: Party) -> Bid | None:
    pk = Bid.objects.filter(project=project, freelancer=freelancer).values_list("pk").first()
    if pk is None:
        return None
    bid = locks.bid(pk[0])
    if bid.is_live:
        raise InvalidTransition(_("You have already sent a bid here. You can edit it."))
    if bid.status != Bid.Status.WITHDRAWN:
        raise InvalidTransition(_("The client has already answered your bid."))
    return bid


def _refuse_closed(project: Project) -> None:
    if not project.is_open:
        raise DomainError(_("This project no longer takes bids."), code="not_open")


def _refuse_unfit(project: Project, offer: _Offer) -> None:
    _refuse_price(offer.price, project.currency)
    if not 1 <= offer.days <= MOST_DAYS:
        raise InvalidInput(
            _("Delivery time must be between 1 and %(most)s days") % {"most": MOST_DAYS},
            field="days",
        )
    _refuse_message(offer.message)
    if offer.ai_use not in Bid.AiUse.values:
        raise InvalidInput(_("Say whether you will use AI tools"), field="ai_use")
    if project.ai_policy == AiPolicy.NO and offer.ai_use == Bid.AiUse.ASSIST:
        raise InvalidInput(
            _("This client wants work without AI tools. Choose “No”, or discuss it first"),
            field="ai_use",
        )
    _refuse_steps(offer.price, offer.milestones)


def _refuse_message(message: str) -> None:
    if not message:
        raise InvalidInput(_("Say why you are right for this project"), field="message")
    over = len(message) - LONGEST_MESSAGE
    if over > 0:
        raise InvalidInput(
            ngettext(
                "Message is %(over)s character too long. The limit is %(limit)s",
                "Message is %(over)s characters too long. The limit is %(limit)s",
                over,
            )
            % {"over": over, "limit": f"{LONGEST_MESSAGE:,}"},
            field="message",
        )


def _refuse_price(price: Money, currency: str) -> None:
    if price.currency != currency:
        raise InvalidInput(
            _("Your price must be in %(currency)s") % {"currency": currency}, field="price"
        )
    least = smallest_amount(currency)
    if price < least:
        raise InvalidInput(
            _("Your price must be %(least)s or more") % {"least": money_text(least)}, field="price"
        )


def _refuse_steps(price: Money, milestones: Sequence[Step]) -> None:
    """No milestones are fine; the client plans them then."""
    if not milestones:
        return
    plan = [MilestonePlan(step.title, step.amount) for step in milestones]
    problem = plan_problem(price, plan, policies.current())
    if not problem and not all(1 <= step.days <= MOST_DAYS for step in milestones):
        problem = _("Give each milestone between 1 and %(most)s days") % {"most": MOST_DAYS}
    if problem:
        raise InvalidInput(problem, field="milestones")


def _refuse_too_many(freelancer: Party, now: dt.datetime) -> None:
    """Raise TooMany with the moment the next bid can go, when the policy's quota is used up."""
    # Two bids on two projects at once would both see the last free place.
    Party.objects.select_for_update(no_key=True).get(pk=freelancer.pk)
    policy = policies.current()
    mine = Bid.objects.filter(freelancer=freelancer)
    today = list(
        mine.filter(sent_at__gt=now - DAY)
        .order_by("-sent_at")
        .values_list("sent_at", flat=True)[: policy.bids_per_day_limit]
    )
    if len(today) >= policy.bids_per_day_limit:
        free_at = today[-1] + DAY
        raise TooMany(
            _("That is a lot of bids. You can send the next one at %(time)s")
            % {"time": clock_text(free_at)},
            retry_after=_seconds(free_at - now),
        )
    live = mine.filter(status__in=Bid.LIVE)
    if live.count() >= policy.bids_open_limit:
        ends = live.order_by("project__expires_at").values_list("project__expires_at", flat=True)
        free_at = ends.first() or now + DAY
        raise TooMany(
            _(
                "You have %(count)s bids waiting for an answer. You can send the next one when one"
                " is answered or withdrawn, by %(day)s at the latest"
            )
            % {"count": policy.bids_open_limit, "day": day_text(free_at)},
            retry_after=_seconds(free_at - now),
            code="too_many_open",
        )


def _seconds(wait: dt.timedelta) -> int:
    return max(1, int(wait.total_seconds()))


def _write_steps(bid: Bid, milestones: Sequence[Step]) -> None:
    bid.milestones.all().delete()
    BidMilestone.objects.bulk_create(
        BidMilestone(
            bid=bid,
            position=position,
            title=step.title,
            amount_minor=step.amount.minor,
            days=step.days,
        )
        for position, step in enumerate(milestones, start=1)
    )
