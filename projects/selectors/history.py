"""The history of a contract in words a bookkeeper understands."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core import clock
from marketplace.core.display import day_text, money_text
from marketplace.core.money import Money
from projects.models import Contract, ContractEvent, Milestone
from projects.selectors.contracts import Seat

SHOWN = 40


@dataclass(frozen=True)
class Line:
    """One event as the timeline shows it."""

    text: str
    icon: str
    at: dt.datetime | None = None
    kind: str = ""
    note: str = ""
    on: dt.date | None = None


# kind → (icon, colour, words). Words may use the names and facts of `_words`.
KINDS: dict[str, tuple[str, str, Any]] = {
    "contract.agreed": ("file", "", gettext_lazy("Both of you accepted the terms")),
    "milestone.funded": (
        "lock",
        "held",
        gettext_lazy("%(client)s funded milestone %(n)s with %(amount)s"),
    ),
    "milestone.delivered": (
        "upload",
        "warn",
        gettext_lazy("%(freelancer)s delivered milestone %(n)s"),
    ),
    "milestone.changes_asked": (
        "edit",
        "",
        gettext_lazy("%(client)s asked for changes to milestone %(n)s"),
    ),
    "milestone.approved": (
        "check",
        "good",
        gettext_lazy("%(client)s approved milestone %(n)s, %(amount)s released"),
    ),
    "milestone.approved_by_silence": (
        "check",
        "good",
        gettext_lazy("Nobody replied in time, %(amount)s of milestone %(n)s released"),
    ),
    "milestone.released_by_custody": (
        "check",
        "good",
        gettext_lazy("%(amount)s of milestone %(n)s released at the custody stop"),
    ),
    "milestone.returned_by_custody": (
        "flag",
        "",
        gettext_lazy("%(amount)s of milestone %(n)s goes back at the custody stop"),
    ),
    "milestone.custody_warned": (
        "clock",
        "warn",
        gettext_lazy("We told you both how long the money of milestone %(n)s may stay with us"),
    ),
    "milestone.late": ("clock", "warn", gettext_lazy("Milestone %(n)s is late")),
    "milestone.very_late": (
        "clock",
        "warn",
        gettext_lazy("Milestone %(n)s is very late, %(client)s may call it off alone"),
    ),
    "milestone.money_returned": (
        "refresh",
        "",
        gettext_lazy("%(freelancer)s gave %(amount)s of milestone %(n)s back to %(client)s"),
    ),
    "milestone.part_returned": (
        "refresh",
        "",
        gettext_lazy(
            "%(freelancer)s gave %(amount)s of milestone %(n)s back to %(client)s, the rest stays "
            "held"
        ),
    ),
    "money.given_back": (
        "refresh",
        "",
        gettext_lazy("%(freelancer)s gave %(amount)s of milestone %(n)s back after its release"),
    ),
    "milestone.moved_on": (
        "calendar",
        "",
        gettext_lazy("Milestone %(n)s goes on. It was stopped, so it is now due %(day)s"),
    ),
    "milestone.returned_by_dormancy": (
        "flag",
        "",
        gettext_lazy("%(amount)s of milestone %(n)s goes back: nobody asked for it"),
    ),
    "dormancy.ended": ("refresh", "good", gettext_lazy("%(actor)s says milestone %(n)s goes on")),
    "dormancy.asked": (
        "flag",
        "warn",
        gettext_lazy("%(actor)s asks for the %(amount)s of milestone %(n)s"),
    ),
    "dormancy.open": (
        "scale",
        "warn",
        gettext_lazy("Nothing happens to the money of milestone %(n)s by silence any more"),
    ),
    "dormancy.released": (
        "check",
        "good",
        gettext_lazy("%(amount)s of milestone %(n)s released, it had been asleep"),
    ),
    "extension.asked": (
        "calendar",
        "warn",
        gettext_lazy("%(actor)s proposed %(day)s as the new due date of milestone %(n)s"),
    ),
    "extension.accepted": (
        "calendar",
        "good",
        gettext_lazy("%(actor)s agreed: milestone %(n)s is now due %(day)s"),
    ),
    "extension.declined": (
        "calendar",
        "",
        gettext_lazy("%(actor)s did not agree to a new due date for milestone %(n)s"),
    ),
    "extension.withdrawn": (
        "calendar",
        "",
        gettext_lazy("%(actor)s took back the new due date for milestone %(n)s"),
    ),
    "extension.lapsed": (
        "calendar",
        "",
        gettext_lazy("Nobody answered about a new due date for milestone %(n)s"),
    ),
    "part.asked": (
        "scale",
        "warn",
        gettext_lazy("%(actor)s proposed %(amount)s for milestone %(n)s, and %(back)s back"),
    ),
    "part.accepted": (
        "check",
        "good",
        gettext_lazy(
            "You agreed on milestone %(n)s: %(amount)s to %(freelancer)s, %(back)s back to "
            "%(client)s"
        ),
    ),
    "part.declined": (
        "x",
        "",
        gettext_lazy("%(actor)s did not agree to %(amount)s for milestone %(n)s"),
    ),
    "part.withdrawn": (
        "refresh",
        "",
        gettext_lazy("%(actor)s no longer proposes %(amount)s for milestone %(n)s"),
    ),
    "part.lapsed": (
        "clock",
        "",
        gettext_lazy("Nobody answered about %(amount)s for milestone %(n)s"),
    ),
    "carry.asked": (
        "scale",
        "warn",
        gettext_lazy(
            "%(actor)s proposed %(amount)s for milestone %(n)s, and to hold %(kept)s for "
            "“%(title)s”"
        ),
    ),
    "carry.accepted": (
        "check",
        "good",
        gettext_lazy(
            "You agreed on milestone %(n)s: %(amount)s to %(freelancer)s, %(kept)s stays held for "
            "“%(title)s”"
        ),
    ),
    "milestone.funded_by_rest": (
        "lock",
        "held",
        gettext_lazy("Milestone %(n)s is funded with %(amount)s that was left"),
    ),
    "bonus.paid": ("plus", "good", gettext_lazy("%(client)s paid a bonus of %(amount)s")),
    "bonus.paid_out": (
        "bank",
        "good",
        gettext_lazy("The bonus of %(amount)s left us for %(freelancer)s’s account"),
    ),
    "order.wanted": (
        "edit",
        "warn",
        gettext_lazy("%(actor)s asked for an extra round of changes to milestone %(n)s"),
    ),
    "order.granted": (
        "check",
        "good",
        gettext_lazy("%(actor)s does an extra round for milestone %(n)s without extra pay"),
    ),
    "order.offered": (
        "plus",
        "warn",
        gettext_lazy("%(actor)s offered “%(title)s” for %(amount)s"),
    ),
    "order.agreed": (
        "check",
        "",
        gettext_lazy("You agreed on “%(title)s” for %(amount)s, it starts when it is paid"),
    ),
    "order.in_force": (
        "check",
        "good",
        gettext_lazy("%(actor)s paid for “%(title)s”, it is part of the contract now"),
    ),
    "order.declined": ("x", "", gettext_lazy("%(actor)s declined “%(title)s”")),
    "order.withdrawn": ("refresh", "", gettext_lazy("%(actor)s took “%(title)s” back")),
    "order.lapsed": ("clock", "", gettext_lazy("Nobody answered about “%(title)s” in time")),
    "order.unpaid": ("clock", "", gettext_lazy("Nobody paid for “%(title)s” in time, it is off")),
    "dispute.custody_stop": (
        "scale",
        "warn",
        gettext_lazy("The money of milestone %(n)s reached the custody stop, a person decides now"),
    ),
    "money.paid_out": (
        "bank",
        "good",
        gettext_lazy("The money of milestone %(n)s left us for %(freelancer)s’s account"),
    ),
    "money.refunded": (
        "refresh",
        "",
        gettext_lazy("The refund for milestone %(n)s left us for %(client)s"),
    ),
    "cancellation.asked": (
        "flag",
        "warn",
        gettext_lazy("%(client)s asked to call off milestone %(n)s"),
    ),
    "cancellation.declined": (
        "x",
        "",
        gettext_lazy("%(freelancer)s wants to keep milestone %(n)s"),
    ),
    "contract.end_consent_lapsed": (
        "clock",
        "",
        gettext_lazy("The agreement to end the contract lapsed: other money was out for too long"),
    ),
    "cancellation.unanswered": (
        "clock",
        "warn",
        gettext_lazy("%(freelancer)s did not answer about milestone %(n)s, its money stays held"),
    ),
    "cancellation.withdrawn": (
        "refresh",
        "",
        gettext_lazy("%(client)s no longer wants to call off milestone %(n)s"),
    ),
    "milestone.cancelled": (
        "flag",
        "",
        gettext_lazy("Milestone %(n)s was called off, %(amount)s goes back to %(client)s"),
    ),
    "dispute.opened": (
        "scale",
        "warn",
        gettext_lazy("%(actor)s opened a dispute about milestone %(n)s, %(amount)s paused"),
    ),
    "dispute.statement": (
        "message",
        "",
        gettext_lazy("%(actor)s explained their side of the dispute"),
    ),
    "dispute.proposal": (
        "scale",
        "",
        gettext_lazy("%(actor)s proposed %(amount)s for %(freelancer)s"),
    ),
    "dispute.withdrawn": (
        "scale",
        "held",
        gettext_lazy("%(actor)s withdrew the dispute, %(amount)s is held again"),
    ),
    "dispute.settled": (
        "check",
        "good",
        gettext_lazy("You settled: %(amount)s to %(freelancer)s, %(back)s back to %(client)s"),
    ),
    "dispute.decided": (
        "scale",
        "good",
        gettext_lazy(
            "A moderator decided: %(amount)s to %(freelancer)s, %(back)s back to %(client)s"
        ),
    ),
    "payment.questioned": (
        "alert",
        "warn",
        gettext_lazy("%(client)s’s bank questions the card payment for milestone %(n)s"),
    ),
    "payment.cleared": (
        "check",
        "good",
        gettext_lazy("The card payment for milestone %(n)s stands, everything goes on"),
    ),
    "payment.taken_back": (
        "refresh",
        "warn",
        gettext_lazy("%(client)s’s bank took back the payment for milestone %(n)s"),
    ),
    "contract.completed": ("check", "good", gettext_lazy("The contract is completed")),
    "contract.ended_early": ("flag", "", gettext_lazy("The contract ended early")),
    "review.published": ("star", "", gettext_lazy("A review was published")),
}
# The silence that releases money has a rule; the timeline names it.
NOTES = {
    "milestone.approved": gettext_lazy("Rights to it pass to %(client)s when it is paid."),
    "milestone.approved_by_silence": gettext_lazy(
        "No reply within the review time counts as yes, as both agreed."
    ),
    "milestone.released_by_custody": gettext_lazy(
        "Work was delivered, and it had been with us as long as it may stay with us."
    ),
    "milestone.returned_by_custody": gettext_lazy(
        "Nothing was delivered in all the time it may stay with us."
    ),
}


RELEASE = gettext_lazy("%(amount)s of milestone %(n)s is released at the latest")
ASLEEP = gettext_lazy("If nobody does anything about milestone %(n)s, we ask %(client)s then")
CAN_SLEEP = (Milestone.Status.FUNDED, Milestone.Status.CHANGES_REQUESTED)
DORMANCY = {
    Milestone.Dormancy.AWAKE: ASLEEP,
    Milestone.Dormancy.FIRST: ASLEEP,
    Milestone.Dormancy.LAST: ASLEEP,
    Milestone.Dormancy.CLIENT: gettext_lazy(
        "If %(client)s says nothing about milestone %(n)s, %(freelancer)s may ask for the money"
    ),
    Milestone.Dormancy.FREELANCER: gettext_lazy(
        "If nobody asks for the money of milestone %(n)s, it goes back to %(client)s"
    ),
    Milestone.Dormancy.ASKED: gettext_lazy(
        "If %(client)s does not answer, %(amount)s of milestone %(n)s goes to %(freelancer)s"
    ),
}
DELIVERED_AND_SILENT = gettext_lazy(
    "If nobody asks for the money of milestone %(n)s, it waits until you two or a person decide"
)
CUSTODY = {
    Milestone.Status.FUNDED: gettext_lazy(
        "%(amount)s of milestone %(n)s goes back to %(client)s if nothing is delivered by then"
    ),
    Milestone.Status.SUBMITTED: RELEASE,
    Milestone.Status.CHANGES_REQUESTED: RELEASE,
    Milestone.Status.DISPUTED: gettext_lazy("Milestone %(n)s has to be settled or decided"),
}


def history_of(seat: Seat, *, limit: int = SHOWN) -> list[Line]:
    """What happened, newest first."""
    return [line_of(event, seat) for event in events_of(seat.contract, limit=limit)]


def events_of(contract: Contract, *, limit: int = SHOWN) -> list[ContractEvent]:
    """The newest events of a contract, with their milestones."""
    rows = ContractEvent.objects.filter(contract=contract).select_related("milestone")
    found = list(rows.order_by("-id")[:limit])
    for event in found:
        event.contract = contract
    return found


def line_of(event: ContractEvent, seat: Seat) -> Line:
    """One event in words for the reader."""
    icon, kind, words = KINDS[event.kind]
    known = _words(event, seat)
    note = NOTES.get(event.kind)
    return Line(
        text=str(words) % known,
        icon=icon,
        kind=kind,
        at=event.at,
        note=str(note) % known if note else "",
    )


def _words(event: ContractEvent, seat: Seat) -> dict[str, object]:
    contract = seat.contract
    amount = event.amount
    return {
        "client": contract.client.short_name,
        "freelancer": contract.freelancer.short_name,
        "actor": _actor(event, seat),
        "n": event.milestone.position if event.milestone else "",
        "amount": "" if amount is None else money_text(amount),
        "day": day_text(due) if (due := parse_date(event.facts.get("due_on", ""))) else "",
        "title": event.facts.get("title", ""),
        "kept": money_text(Money(event.facts.get("kept_minor", 0), contract.currency)),
        "back": money_text(Money(event.facts.get("back_minor", 0), contract.currency)),
    }


def _actor(event: ContractEvent, seat: Seat) -> str:
    side = event.facts.get("side", "")
    contract = seat.contract
    return contract.client.short_name if side == "client" else contract.freelancer.short_name


def coming(seat: Seat, milestones: list[Milestone]) -> list[Line]:
    """What happens next by itself, and when: it stands on top of the history."""
    lines = []
    for step in milestones:
        due = step.review_due_at
        ordered = vars(step).get("ordered")
        if step.status == Milestone.Status.SUBMITTED and ordered:
            text = _(
                "An extra round for milestone %(n)s is off if nobody acts; silence pays nothing"
            )
            lines.append(
                Line(
                    text % _names(seat, step),
                    "clock",
                    at=parse_datetime(ordered["due"]),
                    kind="next",
                )
            )
        elif step.status == Milestone.Status.SUBMITTED and due:
            text = (
                _("%(amount)s is released if you do not reply")
                if seat.is_client
                else _("%(amount)s is released if %(client)s does not reply")
            )
            words = {
                "amount": money_text(step.amount),
                "client": seat.contract.client.short_name,
            }
            lines.append(Line(text % words, "clock", at=due, kind="next"))
        clocks = (_question, _lateness, _dormancy, _custody)
        lines += [line for tell in clocks if (line := tell(seat, step))]
    return lines


def _names(seat: Seat, step: Milestone) -> dict[str, str]:
    return {
        "amount": money_text(step.amount),
        "n": str(step.position),
        "client": seat.contract.client.short_name,
        "freelancer": seat.contract.freelancer.short_name,
    }


def _lateness(seat: Seat, step: Milestone) -> Line | None:
    """Until when something has to be delivered, before the client may call it off alone."""
    since = step.very_late_at
    if step.status != Milestone.Status.FUNDED or since is None or since <= clock.now():
        return None
    text = (
        _("You may call milestone %(n)s off alone if nothing is delivered by then")
        if seat.is_client
        else _("%(client)s may call milestone %(n)s off alone if nothing is delivered by then")
    )
    return Line(text % _names(seat, step), "clock", at=since, kind="next")


def _question(seat: Seat, step: Milestone) -> Line | None:
    """Until when the freelancer answers a wish to call it off, and what silence does (C1, C2)."""
    question = vars(step).get("calling_off")
    if question is None or step.status not in Milestone.HELD:
        return None
    text = (
        _("%(amount)s of milestone %(n)s goes back to %(client)s if %(freelancer)s does not answer")
        if step.status == Milestone.Status.FUNDED
        else _("%(freelancer)s answers about milestone %(n)s by then; silence returns nothing")
    )
    return Line(text % _names(seat, step), "clock", at=parse_datetime(question["due"]), kind="next")


def _dormancy(seat: Seat, step: Milestone) -> Line | None:
    """What becomes of money nobody does anything about, and when (rule M11)."""
    due = step.dormant_due_at
    if step.status not in CAN_SLEEP or due is None:
        return None
    policy = seat.contract.policy
    if step.dormant in {Milestone.Dormancy.AWAKE, Milestone.Dormancy.FIRST}:
        # Nobody is asked before both were told twice.
        due += dt.timedelta(
            days=policy.dormant_last_notice_days
            if step.dormant
            else policy.dormant_first_notice_days
        )
    words = DORMANCY.get(Milestone.Dormancy(step.dormant))
    if words is None:
        return None
    if step.dormant == Milestone.Dormancy.FREELANCER and "delivered" in vars(step):
        words = words if vars(step)["delivered"] is None else DELIVERED_AND_SILENT
    return Line(str(words) % _names(seat, step), "clock", at=due, kind="next")


def _custody(seat: Seat, step: Milestone) -> Line | None:
    """The custody stop, and what it does as things stand (rule 2.1)."""
    stop = step.custody_ends_at
    status = Milestone.Status(step.status)
    if stop is None or status not in CUSTODY:
        return None
    return Line(
        str(CUSTODY[status]) % _names(seat, step),
        "clock",
        at=stop,
        kind="next",
        note=_("Longer than %(days)s days we may not hold money.")
        % {"days": seat.contract.policy.deposit_max_days},
    )
