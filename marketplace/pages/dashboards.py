"""Home: what needs me, and where my money is. One for each half of the product."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Party, Profile, User
from marketplace.core import clock
from marketplace.core.display import day_text, money_text
from matching.models import Match
from matching.selectors import matches
from payments.selectors import where_money_is
from payments.selectors.overviews import Earnings, earnings
from projects.models import Bid, Contract, Milestone, Project, Review
from projects.selectors.bids import bids_of
from projects.selectors.contracts import Seat, contracts_of
from projects.selectors.projects import projects_of
from projects.selectors.workspace import Workspace, workspace

S = Milestone.Status
# Enough to find what waits; the lists have the rest.
MOST_CONTRACTS = 40
SHOWN = 5


@dataclass(frozen=True)
class Todo:
    """One thing that waits for this person, the most urgent first."""

    title: str
    url: str
    party: Party
    meta: str
    pill: str = ""
    due: dt.datetime | None = None


@dataclass(frozen=True)
class Hint:
    """A step that makes somebody easier to find, done or not."""

    text: str
    done: bool
    url: str


@dataclass(frozen=True)
class WorkHome:
    """Home of a freelancer."""

    todos: list[Todo]
    money: list[Earnings]
    contracts: list[Workspace]
    bids: list[Bid]
    matches: list[Match]
    hints: list[Hint]
    is_new: bool


@dataclass(frozen=True)
class HireHome:
    """Home of a client."""

    todos: list[Todo]
    contracts: list[Workspace]
    projects: list[Project]
    is_new: bool


def work_home(user: User, party: Party) -> WorkHome:
    """What a freelancer has to do, has coming, and may want to look at."""
    seats = [seat for seat in contracts_of(user, limit=MOST_CONTRACTS)[0] if not seat.is_client]
    spaces = _workspaces(seats)
    money = earnings(user)
    bids, _after = bids_of(user, limit=SHOWN)
    profile = Profile.objects.prefetch_related("profile_skills", "portfolio").get(party=party)
    todos = [*_payout_todo(money, party), *_todos(spaces, _reviewed(seats))]
    return WorkHome(
        todos=_urgent_first(todos),
        money=money,
        contracts=_active(spaces)[:SHOWN],
        bids=bids,
        matches=matches.projects_for(party, limit=3).rows if matches.is_on() else [],
        hints=list(_hints(profile)),
        is_new=not seats and not bids,
    )


def hire_home(user: User) -> HireHome:
    """What a client has to review, pay for or read."""
    seats = [seat for seat in contracts_of(user, limit=MOST_CONTRACTS)[0] if seat.is_client]
    spaces = _workspaces(seats)
    projects, _after = projects_of(user, limit=10)
    todos = [*_bid_todos(projects), *_todos(spaces, _reviewed(seats))]
    return HireHome(
        todos=_urgent_first(todos),
        contracts=_active(spaces)[:SHOWN],
        projects=[p for p in projects if p.status in {"draft", "open"}][:SHOWN],
        is_new=not seats and not projects,
    )


def _workspaces(seats: Sequence[Seat]) -> list[Workspace]:
    steps = {seat.contract.pk: list(seat.contract.milestones.all()) for seat in seats}
    holds = [step.hold for group in steps.values() for step in group if step.hold]
    where = where_money_is(holds)
    return [workspace(seat, steps[seat.contract.pk], where) for seat in seats]


def _active(spaces: Iterable[Workspace]) -> list[Workspace]:
    return [space for space in spaces if space.seat.contract.status == Contract.Status.ACTIVE]


def _reviewed(seats: Sequence[Seat]) -> set[int]:
    """Contracts this person's side has reviewed already."""
    rows = Review.objects.filter(contract__in=[seat.contract for seat in seats])
    mine = {seat.contract.pk: seat.mine.pk for seat in seats}
    return {c for c, author in rows.values_list("contract", "author") if mine[c] == author}


def _urgent_first(todos: Iterable[Todo]) -> list[Todo]:
    last = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(todos, key=lambda todo: todo.due or last)


# --- What waits -----------------------------------------------------------------------------


def _todos(spaces: Iterable[Workspace], reviewed: set[int]) -> Iterator[Todo]:
    for space in spaces:
        seat = space.seat
        if seat.contract.status != Contract.Status.ACTIVE:
            if seat.contract.pk not in reviewed and (todo := _review_todo(space)):
                yield todo
            continue
        for step in space.steps:
            if todo := _step_todo(seat, step.milestone):
                yield todo


def _step_todo(seat: Seat, step: Milestone) -> Todo | None:
    words = {"title": step.title, "amount": money_text(step.amount)}
    titles = {
        ("client", S.SUBMITTED): _("Review “%(title)s”"),
        ("client", S.DISPUTED): _("%(amount)s is paused: follow the dispute"),
        ("freelancer", S.DISPUTED): _("%(amount)s is paused: follow the dispute"),
        ("client", S.FROZEN): _("%(amount)s is on hold: your bank questions the payment"),
        ("freelancer", S.CHANGES_REQUESTED): _("Deliver “%(title)s” again"),
        ("freelancer", S.FUNDED): _("Deliver “%(title)s”"),
    }
    title = titles.get((seat.side, S(step.status)))
    if title is None:
        return _fund_todo(seat, step, words) if seat.is_client else None
    due = step.review_due_at if step.status == S.SUBMITTED else None
    pill = ""
    if due:
        pill = _("Until %(day)s") % {"day": day_text(due)}
    elif step.status == S.FUNDED and step.due_on:
        pill = _("Due %(day)s") % {"day": day_text(step.due_on)}
    return Todo(
        title=title % words,
        url=reverse("projects:contract", kwargs={"ref": seat.contract.ref}),
        party=seat.other,
        meta=seat.contract.title,
        pill=pill,
        due=due,
    )


def _fund_todo(seat: Seat, step: Milestone, words: dict[str, str]) -> Todo | None:
    """Only the step that is next: paying ahead is nobody's duty."""
    before = [other for other in seat.contract.milestones.all() if other.position < step.position]
    waits = step.status == S.PLANNED and all(
        other.status in {S.APPROVED, S.SETTLED, S.CANCELLED} for other in before
    )
    if not waits:
        return None
    return Todo(
        title=_("Set aside %(amount)s for “%(title)s”") % words,
        url=reverse("projects:fund", kwargs={"ref": seat.contract.ref, "n": step.position}),
        party=seat.other,
        meta=_("%(name)s waits for it to start") % {"name": seat.other.short_name},
    )


def _review_todo(space: Workspace) -> Todo | None:
    seat, contract = space.seat, space.seat.contract
    if contract.ended_at is None or not any(s.milestone.approved_at for s in space.steps):
        return None
    due = contract.ended_at + dt.timedelta(days=contract.policy.review_window_days)
    if due < clock.now():
        return None
    return Todo(
        title=_("Review your work with %(name)s") % {"name": seat.other.name},
        url=reverse("projects:review", kwargs={"ref": contract.ref}),
        party=seat.other,
        meta=_("Neither of you sees the other’s review until both are in"),
        pill=_("Until %(day)s") % {"day": day_text(due)},
        due=due,
    )


def _bid_todos(projects: Iterable[Project]) -> Iterator[Todo]:
    for project in projects:
        unread = vars(project)["unread"]
        if project.status == Project.Status.OPEN and unread:
            words = {"n": unread, "title": project.title}
            yield Todo(
                title=ngettext(
                    "Read %(n)s new bid for “%(title)s”",
                    "Read %(n)s new bids for “%(title)s”",
                    unread,
                )
                % words,
                url=reverse("projects:manage", kwargs={"slug": project.slug, "ref": project.ref}),
                party=project.client,
                meta=_("Freelancers see that you read their bid"),
            )


def _payout_todo(money: Iterable[Earnings], party: Party) -> Iterator[Todo]:
    for sums in money:
        if sums.blocked:
            yield Todo(
                title=_("Set up payouts to receive %(amount)s")
                % {"amount": money_text(sums.blocked)},
                url=reverse("payments:payout-setup"),
                party=party,
                meta=_("The money is yours and waits. Stripe needs to know where to send it."),
            )


def _hints(profile: Profile) -> Iterator[Hint]:
    edit = reverse("accounts:profile")
    yield Hint(_("A headline"), bool(profile.headline), edit)
    yield Hint(_("At least three skills"), len(profile.profile_skills.all()) >= 3, edit)
    yield Hint(_("Your hourly range"), profile.rate_min_minor is not None, edit)
    yield Hint(_("A piece of work to show"), bool(profile.portfolio.all()), edit)
    yield Hint(_("A few sentences about you"), len(profile.bio) > 80, edit)
