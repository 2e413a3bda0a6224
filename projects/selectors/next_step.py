"""The next step for one side: one thing to do, by when, and what happens if nobody does it."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.core import clock
from marketplace.core.display import day_text, days_left_text, money_text
from projects.models import Contract, Milestone
from projects.selectors.contracts import Seat

S = Milestone.Status
Dormancy = Milestone.Dormancy
# Stages in which somebody is asked what shall become of the money.
ASLEEP = (Dormancy.CLIENT, Dormancy.FREELANCER, Dormancy.ASKED)


@dataclass(frozen=True)
class Action:
    """A link or button of the banner."""

    label: str
    url: str
    primary: bool = False
    danger: bool = False
    dialog: str = ""
    method: str = ""
    icon: str = ""


@dataclass(frozen=True)
class NextStep:
    """The banner: whose turn it is, by when, and what happens if nobody acts."""

    title: str
    text: str
    icon: str
    kind: str = ""
    note: str = ""
    pill: str = ""
    actions: Sequence[Action] = field(default=())
    milestone: Milestone | None = None


def next_step(seat: Seat, milestones: Sequence[Milestone], *, reviewed: bool) -> NextStep:
    """The one banner of the page. `reviewed` says whether this side has written its review."""
    if seat.contract.status != Contract.Status.ACTIVE:
        return _after_the_end(seat, milestones, reviewed=reviewed)
    by_status: dict[str, Milestone] = {}
    for step in milestones:
        by_status.setdefault(step.status, step)
    for status in ORDER[seat.side]:
        if found := by_status.get(status):
            return TELLERS[status](seat, found)
    raise AssertionError("an active contract has a milestone that goes on")


def _link(name: str, step: Milestone) -> str:
    return reverse(f"projects:{name}", kwargs={"ref": step.contract.ref, "n": step.position})


def _trouble(step: Milestone) -> Action:
    url = reverse(
        "projects:dispute-new",
        kwargs={"ref": step.contract.ref, "n": step.position, "step": 1},
    )
    return Action(_("Something is wrong"), url)


def _words(seat: Seat, step: Milestone) -> dict[str, str]:
    return {
        "title": step.title,
        "amount": money_text(step.amount),
        "client": seat.contract.client.short_name,
        "freelancer": seat.contract.freelancer.short_name,
        "n": str(step.position),
        "days": str(seat.contract.review_days),
    }


# --- One teller per status ------------------------------------------------------------------


def _planned(seat: Seat, step: Milestone) -> NextStep:
    words = _words(seat, step)
    if seat.is_client:
        return NextStep(
            title=_("Set aside %(amount)s so that %(freelancer)s can start “%(title)s”") % words,
            text=_(
                "You pay now. We hold the money until you approve the work. Until then "
                "nothing happens and you owe nothing."
            ),
            icon="lock",
            pill=_("Waiting for your payment"),
            actions=[Action(_("Fund this milestone"), _link("fund", step), primary=True)]
            if seat.moves_money
            else [],
            milestone=step,
        )
    return NextStep(
        title=_("“%(title)s” is not funded yet") % words,
        text=_("If you start now, there is no money behind it. It is %(client)s’s turn to pay.")
        % words,
        icon="ring",
        kind="plain",
        pill=_("Not funded, do not start"),
        actions=[
            Action(
                _("Ask %(client)s to fund it") % words, _link("ask-to-fund", step), method="post"
            )
        ],
        milestone=step,
    )


def _funding(seat: Seat, step: Milestone) -> NextStep:
    words = _words(seat, step)
    if seat.is_client:
        return NextStep(
            title=_("The payment for “%(title)s” has been started") % words,
            text=_(
                "If you have not paid yet, go on to Stripe. If you have, we are waiting for "
                "Stripe’s answer. If nothing arrives within a day, no money has moved and you can "
                "try again."
            ),
            icon="clock",
            pill=_("Payment on its way"),
            actions=[Action(_("Go on"), _link("fund", step), primary=True)],
            milestone=step,
        )
    return NextStep(
        title=_("%(client)s is paying for “%(title)s”") % words,
        text=_("Wait until the money is here. We tell you at once."),
        icon="clock",
        kind="plain",
        pill=_("Payment on its way"),
        milestone=step,
    )


def _funded(seat: Seat, step: Milestone) -> NextStep:
    words = _words(seat, step) | {"due": day_text(step.due_on) if step.due_on else ""}
    if question := vars(step).get("calling_off"):
        return _calling_off(seat, step, parse_datetime(question["due"]))
    if step.dormant in ASLEEP:
        return _dormant(seat, step)
    very_late = step.very_late_at
    if very_late and very_late <= clock.now():
        return _very_late(seat, step)
    if not seat.is_client:
        return NextStep(
            title=_("Funded, go ahead: %(amount)s is set aside for “%(title)s”") % words,
            text=(
                _("Deliver by %(due)s. After that %(client)s has %(days)s days to approve it.")
                if step.due_on
                else _("When you deliver, %(client)s has %(days)s days to approve it.")
            )
            % words,
            icon="lock",
            kind="good",
            pill=_("Your turn"),
            actions=[Action(_("Deliver for review"), _link("deliver", step), primary=True)],
            milestone=step,
        )
    text = (
        _("%(freelancer)s plans to deliver by %(due)s. Then you have %(days)s days to review it.")
        if step.due_on
        else _("When %(freelancer)s delivers, you have %(days)s days to review it.")
    )
    return NextStep(
        title=_("%(amount)s is set aside. %(freelancer)s is working on “%(title)s”") % words,
        text=text % words,
        note=_(
            "If you stop before anything is delivered and %(freelancer)s agrees, everything comes "
            "back to you."
        )
        % words,
        icon="lock",
        kind="plain",
        pill=_("Held"),
        actions=[Action(_("Call it off"), _link("call-off", step)), _trouble(step)]
        if seat.moves_money
        else [],
        milestone=step,
    )


def _dormant(seat: Seat, step: Milestone) -> NextStep:
    """Nobody has done anything for long: what the reader can say, and what silence does."""
    due = step.dormant_due_at or step.custody_ends_at or clock.now()
    words = _words(seat, step) | {"due": day_text(due)}
    mine = (step.dormant == Dormancy.FREELANCER) != seat.is_client
    text = {
        Dormancy.CLIENT: _(
            "Nobody has done anything for long. %(client)s has until %(due)s to say whether it "
            "goes on. After that %(freelancer)s may ask for the money."
        ),
        Dormancy.FREELANCER: _(
            "%(client)s has not answered. %(freelancer)s has until %(due)s to ask for the money."
        ),
        Dormancy.ASKED: _(
            "%(freelancer)s asks for the money. If %(client)s does not answer by %(due)s, it is "
            "released to %(freelancer)s."
        ),
    }[Dormancy(step.dormant)]
    return NextStep(
        title=_("What shall become of the %(amount)s for “%(title)s”?") % words,
        text=text % words,
        icon="clock",
        kind="warn" if mine else "plain",
        pill=_("Your answer is needed") if mine else _("Waiting for an answer"),
        actions=[Action(_("Read and answer"), _link("dormant", step), primary=True)]
        if seat.moves_money
        else [],
        milestone=step,
    )


def _very_late(seat: Seat, step: Milestone) -> NextStep:
    words = _words(seat, step)
    if seat.is_client:
        return NextStep(
            title=_("“%(title)s” is very late") % words,
            text=_(
                "Nothing was delivered. You may call it off alone and get everything back, wait, "
                "or agree on a new date."
            ),
            icon="clock",
            kind="warn",
            pill=_("Very late"),
            actions=[
                Action(_("Call it off"), _link("call-off", step), primary=True),
                Action(_("Propose a new due date"), _link("extend", step)),
                _trouble(step),
            ]
            if seat.moves_money
            else [],
            milestone=step,
        )
    return NextStep(
        title=_("“%(title)s” is very late. Please deliver it") % words,
        text=_(
            "%(client)s may call it off alone until you deliver or agree on a new date. The "
            "%(amount)s is still set aside."
        )
        % words,
        icon="clock",
        kind="warn",
        pill=_("Your turn"),
        actions=[
            Action(_("Deliver for review"), _link("deliver", step), primary=True),
            *(
                [Action(_("Propose a new due date"), _link("extend", step))]
                if seat.moves_money
                else []
            ),
        ],
        milestone=step,
    )


def _calling_off(seat: Seat, step: Milestone, due: dt.datetime | None) -> NextStep:
    words = _words(seat, step) | {"due": day_text(due or clock.now())}
    if seat.is_client:
        return NextStep(
            title=_("You asked to call off “%(title)s”") % words,
            text=(
                _(
                    "%(freelancer)s has until %(due)s to answer. If they say nothing, everything "
                    "you paid for it comes back to you then."
                )
                if step.status == S.FUNDED
                else _(
                    "%(freelancer)s has until %(due)s to answer. Work was delivered, so silence "
                    "returns nothing: then you two settle, or you open a dispute."
                )
            )
            % words,
            icon="clock",
            kind="plain",
            pill=_("Waiting for an answer"),
            actions=[Action(_("See or take back the request"), _link("call-off", step))],
            milestone=step,
        )
    return NextStep(
        title=_("%(client)s asks to call off “%(title)s”. Please answer by %(due)s") % words,
        text=(
            _(
                "If you do nothing, the money goes back to %(client)s then. If you deliver before, "
                "the request is off the table."
            )
            if step.status == S.FUNDED
            else _("You delivered, so nothing goes back without your yes or a decision.")
        )
        % words,
        icon="flag",
        kind="warn",
        pill=_("Your answer is needed"),
        actions=[Action(_("Read and answer"), _link("call-off", step), primary=True)],
        milestone=step,
    )


def _submitted(seat: Seat, step: Milestone) -> NextStep:
    if question := vars(step).get("calling_off"):
        return _calling_off(seat, step, parse_datetime(question["due"]))
    # The custody stop may come before the end of the review.
    ends = [at for at in (step.review_due_at, step.custody_ends_at) if at]
    due = min(ends, default=clock.now())
    words = _words(seat, step) | {"due": day_text(due), "left": days_left_text(due)}
    if not seat.is_client:
        return NextStep(
            title=_("You delivered “%(title)s”. It is %(client)s’s turn") % words,
            text=_("If %(client)s does not reply by %(due)s, %(amount)s is released to you.")
            % words,
            icon="eye",
            kind="plain",
            pill=_("In review"),
            actions=[_trouble(step)] if seat.moves_money else [],
            milestone=step,
        )
    actions = []
    if seat.moves_money:
        actions.append(
            Action(
                _("Approve and release %(amount)s") % words,
                _link("approve", step),
                primary=True,
                dialog="approve",
            )
        )
    if seat.reviews_work:
        actions.append(Action(_("Ask for changes"), _link("changes", step)))
    if seat.moves_money:
        actions.append(_trouble(step))
    return NextStep(
        title=_("%(freelancer)s delivered “%(title)s”. Please review it by %(due)s.") % words,
        text=_(
            "%(left)s. If you do nothing, the %(amount)s we hold goes to %(freelancer)s on %(due)s."
        )
        % (words | {"left": words["left"][:1].upper() + words["left"][1:]}),
        icon="eye",
        kind="warn",
        pill=_("Waiting for your review"),
        actions=actions,
        milestone=step,
    )


def _changes_requested(seat: Seat, step: Milestone) -> NextStep:
    if question := vars(step).get("calling_off"):
        return _calling_off(seat, step, parse_datetime(question["due"]))
    if step.dormant in ASLEEP:
        return _dormant(seat, step)
    words = _words(seat, step)
    left = max(0, seat.contract.change_rounds - step.changes_asked)
    if seat.is_client:
        return NextStep(
            title=_("You asked for changes to “%(title)s”") % words,
            text=_(
                "It is %(freelancer)s’s turn. The review time starts anew with the next delivery. "
                "The %(amount)s stays held."
            )
            % words,
            note=ngettext(
                "%(left)s round of changes is left.", "%(left)s rounds of changes are left.", left
            )
            % {"left": left},
            icon="edit",
            kind="plain",
            pill=_("Changes asked for"),
            actions=[_trouble(step)] if seat.moves_money else [],
            milestone=step,
        )
    return NextStep(
        title=_("%(client)s asks for changes to “%(title)s”") % words,
        text=_("The %(amount)s stays held for you. Deliver again when it is done.") % words,
        icon="edit",
        kind="warn",
        pill=_("Your turn"),
        actions=[
            Action(_("Deliver again"), _link("deliver", step), primary=True),
            *([_trouble(step)] if seat.moves_money else []),
        ],
        milestone=step,
    )


def _disputed(seat: Seat, step: Milestone) -> NextStep:
    dispute = vars(step)["disputed"]
    answer, decide = (
        parse_datetime(dispute[name]) or clock.now() for name in ("answer_due_at", "decide_due_at")
    )
    words = _words(seat, step) | {"answer": day_text(answer), "decide": day_text(decide)}
    mine = dispute["opened_for"] == seat.mine.pk
    page = Action(
        _("Open the dispute"), reverse("projects:dispute", args=[dispute["ref"]]), primary=True
    )
    if clock.now() >= answer:
        text = _("A moderator decides by %(decide)s. You two can still settle at any time.")
    elif mine:
        text = _(
            "The other side has until %(answer)s to answer. If you do not settle, a moderator "
            "decides by %(decide)s."
        )
    else:
        text = _(
            "You have until %(answer)s to accept, suggest another split or explain. If you say "
            "nothing, a moderator decides on what is there."
        )
    return NextStep(
        title=_("%(amount)s of “%(title)s” is paused") % words,
        text=text % words,
        icon="scale",
        kind="warn",
        pill=_("Disputed, paused"),
        actions=[page],
        milestone=step,
    )


def _frozen(seat: Seat, step: Milestone) -> NextStep:
    words = _words(seat, step)
    if seat.is_client:
        text = _(
            "Your bank questions the card payment for it. Until the bank has answered, nobody can "
            "move this money. If it was a mistake, ask your bank to withdraw the claim."
        )
    else:
        text = _(
            "%(client)s’s bank questions the card payment for it. Pause your work on it: until the "
            "bank has answered, nobody can release this money. We send the bank what you delivered "
            "and tell you what it decides."
        )
    return NextStep(
        title=_("%(amount)s of “%(title)s” is on hold") % words,
        text=text % words,
        icon="alert",
        kind="warn",
        pill=_("On hold, payment questioned"),
        milestone=step,
    )


def _after_the_end(seat: Seat, milestones: Sequence[Milestone], *, reviewed: bool) -> NextStep:
    contract = seat.contract
    done = contract.status == Contract.Status.COMPLETED
    title = _("This contract is completed") if done else _("This contract ended early")
    paid = any(step.hold and step.hold.awarded_minor for step in milestones)
    end = contract.ended_at
    until = end + dt.timedelta(days=contract.policy.review_window_days) if end else None
    if paid and until and not reviewed and clock.now() < until and seat.moves_money:
        return NextStep(
            title=title,
            text=_(
                "How was it with %(other)s? Your review stays hidden until both are in, or "
                "until %(day)s."
            )
            % {"other": seat.other.short_name, "day": day_text(until)},
            icon="star",
            kind="good",
            pill=contract.get_status_display(),
            actions=[
                Action(
                    _("Review %(other)s") % {"other": seat.other.short_name},
                    reverse("projects:review", kwargs={"ref": contract.ref}),
                    primary=True,
                )
            ],
        )
    return NextStep(
        title=title,
        text=_("Nothing is left to do here. Everything stays here to read."),
        icon="check-circle" if done else "flag",
        kind="good" if done else "plain",
        pill=contract.get_status_display(),
    )


TELLERS: dict[str, Callable[[Seat, Milestone], NextStep]] = {
    S.PLANNED: _planned,
    S.FUNDING: _funding,
    S.FUNDED: _funded,
    S.SUBMITTED: _submitted,
    S.CHANGES_REQUESTED: _changes_requested,
    S.DISPUTED: _disputed,
    S.FROZEN: _frozen,
}
# What comes first when several milestones go on: what the reader can do, then what they wait for.
ORDER = {
    "client": (
        S.SUBMITTED,
        S.DISPUTED,
        S.FROZEN,
        S.FUNDING,
        S.CHANGES_REQUESTED,
        S.FUNDED,
        S.PLANNED,
    ),
    "freelancer": (
        S.CHANGES_REQUESTED,
        S.DISPUTED,
        S.FROZEN,
        S.FUNDED,
        S.SUBMITTED,
        S.FUNDING,
        S.PLANNED,
    ),
}
