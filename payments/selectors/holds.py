"""Where the money of holds is, in the words of the money bar."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import JSONObject
from django.utils.dateparse import parse_datetime

from marketplace.core import clock
from marketplace.core.money import Money
from payments.models import Funding, Hold, Refund, Transfer

Status = Hold.Status


@dataclass(frozen=True)
class HoldMoney:
    """Where the money of one hold is.

    `state` is one of not_funded, on_its_way, held, paused, frozen, released_on_its_way, paid_out,
    refunded, split. `awarded` and `returned` are the two parts of the amount once it ended, with
    what was `given_back` later counted as returned; `paid_out` and `refunded` say whether they have
    arrived.
    """

    amount: Money
    state: str
    awarded: Money
    returned: Money
    paid_out: bool
    refunded: bool
    # While a security hold runs: until when, and by which rule (a value of Transfer.Wait).
    available_at: dt.datetime | None = None
    wait: str = ""
    given_back: Money | None = None

    @property
    def why_waiting(self) -> str:
        """The rule behind the security hold in words; empty when none runs."""
        return str(Transfer.Wait(self.wait).label) if self.wait else ""


@dataclass(frozen=True)
class Segment:
    """One piece of the money bar."""

    state: str
    money: Money


def where_money_is(holds: Iterable[Hold]) -> dict[int, HoldMoney]:
    """For each hold where its money is now; one query, however many holds."""
    mine = {"hold": OuterRef("pk")}
    on_its_way = Funding.objects.filter(
        parts__hold=OuterRef("pk"), status__in=[Funding.Status.OPEN, Funding.Status.PROCESSING]
    )
    unsent = Transfer.objects.filter(**mine).exclude(status__in=Transfer.DONE)
    unrefunded = Refund.objects.filter(**mine).exclude(status=Refund.Status.SUCCEEDED)
    waiting = Transfer.objects.filter(**mine, status=Transfer.Status.WAITING)
    by_id = {hold.pk: hold for hold in holds}
    found = Hold.objects.filter(pk__in=by_id).values_list(
        "pk",
        Exists(on_its_way),
        Exists(unsent),
        Exists(unrefunded),
        Subquery(waiting.values(json=JSONObject(due="due_at", why="wait"))[:1]),
    )
    return {
        pk: _money_of(
            by_id[pk],
            coming=coming,
            paid_out=not unsent,
            refunded=not unrefunded,
            wait=wait or {},
        )
        for pk, coming, unsent, unrefunded, wait in found
    }


def _money_of(
    hold: Hold, *, coming: bool, paid_out: bool, refunded: bool, wait: dict[str, str]
) -> HoldMoney:
    ended = hold.ended_at is not None
    returned = hold.amount - hold.kept if ended else Money.zero(hold.currency)
    return HoldMoney(
        amount=hold.amount,
        state=_state(hold, coming=coming, paid_out=paid_out),
        awarded=hold.kept,
        returned=returned,
        paid_out=bool(hold.kept) and paid_out,
        refunded=bool(returned) and refunded,
        available_at=parse_datetime(wait["due"]) if wait else None,
        wait=wait.get("why", ""),
        given_back=hold.given_back or None,
    )


def _state(hold: Hold, *, coming: bool, paid_out: bool) -> str:
    match hold.status:
        case Status.PENDING:
            return "on_its_way" if coming else "not_funded"
        case Status.CANCELLED:
            return "not_funded"
        case _ if hold.given_back:
            return "split" if hold.kept else "refunded"
        case Status.RELEASED:
            return "paid_out" if paid_out else "released_on_its_way"
        case _:
            return hold.status


# What the bar shows; it has no colour for the last steps of a journey.
BAR = {"paused": "disputed", "frozen": "disputed", "released_on_its_way": "paid_out"}


def segments(money: HoldMoney) -> list[Segment]:
    """The pieces of a hold in the money bar; a split one has two."""
    if money.state == "split":
        return [Segment("paid_out", money.awarded), Segment("refunded", money.returned)]
    return [Segment(BAR.get(money.state, money.state), money.amount)]


# --- How long it has been there -------------------------------------------------------------

KEPT = {Status.HELD, Status.PAUSED, Status.FROZEN}


def days_held(hold: Hold) -> int | None:
    """Whole days since the money came; nothing when none is here."""
    if hold.status not in KEPT or hold.held_at is None:
        return None
    return (clock.now() - hold.held_at).days


def days_left(hold: Hold) -> int | None:
    """Days until the money must have gone, by the policy of the hold; below zero it is late."""
    held = days_held(hold)
    return None if held is None else hold.policy.deposit_max_days - held


def held_for(holds: QuerySet[Hold], days: int | None) -> QuerySet[Hold]:
    """Those whose money is here for so many days or more; for None longer than they may be."""
    limit: Any = F("policy__deposit_max_days") if days is None else Value(days)
    age = ExpressionWrapper(limit * Value(dt.timedelta(days=1)), DurationField())
    return holds.filter(
        status__in=KEPT,
        held_at__lte=ExpressionWrapper(Value(clock.now()) - age, DateTimeField()),
    )
