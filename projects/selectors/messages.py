"""Threads, for the people of both sides."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils.dateparse import parse_datetime

from accounts.models import Party, User
from projects.models import Contract, ContractEvent, Message, MessageRead
from projects.models.contracts import Side
from projects.selectors.contracts import Seat, contracts_with_seat, seat_at
from projects.selectors.history import line_of
from projects.selectors.workspace import FileLink

SHOWN = 50


@dataclass(frozen=True)
class Line:
    """A message, or an event, as the thread shows it."""

    sent_at: Any
    body: str = ""
    author: Party | None = None
    mine: bool = False
    files: list[FileLink] = field(default_factory=list)
    seen: bool = False
    is_new: bool = False
    event: str = ""
    icon: str = ""
    id_attr: str = ""


@dataclass(frozen=True)
class Thread:
    """The newest part of a conversation, oldest first; `earlier` leads to the part before."""

    lines: list[Line]
    earlier: str
    newest: str


def thread_of(seat: Seat, *, before: str = "", events: bool = True) -> Thread:
    """Messages and events of a contract in the order of time: three queries."""
    contract = seat.contract
    hanging = Message.files.through.objects.filter(message=OuterRef("pk")).order_by("pk")
    files = hanging.values(
        json=JSONObject(
            ref="storedfile__ref",
            name="storedfile__name",
            size="storedfile__size",
            scan="storedfile__scan",
        )
    )
    reads = MessageRead.objects.filter(contract=OuterRef("contract"))
    rows = Message.objects.filter(contract=contract).annotate(
        attached=ArraySubquery(files),
        mine_to=Subquery(reads.filter(user=seat.user).values("last_message")),
        other_to=Subquery(
            reads.filter(user__memberships__party=seat.other)
            .order_by()
            .values("contract")
            .annotate(to=Max("last_message"))
            .values("to")
        ),
    )
    if before:
        rows = rows.filter(pk__lt=Subquery(Message.objects.filter(ref=before).values("pk")))
    page = list(rows.order_by("-pk")[: SHOWN + 1])
    shown = page[:SHOWN][::-1]
    lines = [_line(message, seat) for message in shown]
    if events and not before:
        since = shown[0].sent_at if len(page) > SHOWN else contract.created_at
        lines += _events(seat, since)
        lines.sort(key=lambda line: line.sent_at)
    return Thread(
        lines=lines,
        earlier=shown[0].ref if len(page) > SHOWN else "",
        newest=shown[-1].ref if shown else "",
    )


def _line(message: Message, seat: Seat) -> Line:
    known = vars(message)
    side = Side(message.side)
    mine = message.author_id == seat.user.pk
    return Line(
        sent_at=message.sent_at,
        body=message.body,
        author=seat.contract.party(side),
        mine=mine,
        files=[FileLink.of(file) for file in known["attached"]],
        seen=mine and (known["other_to"] or 0) >= message.pk,
        is_new=not mine and (known["mine_to"] or 0) < message.pk,
        id_attr=f"m-{message.ref}",
    )


def _events(seat: Seat, since: Any) -> list[Line]:
    rows = ContractEvent.objects.filter(contract=seat.contract, at__gte=since)
    lines = []
    for event in rows.select_related("milestone").order_by("-id")[:SHOWN]:
        event.contract = seat.contract
        told = line_of(event, seat)
        lines.append(Line(sent_at=event.at, event=told.text, icon=told.icon))
    return lines


@dataclass(frozen=True)
class ThreadRow:
    """A conversation in the list of all."""

    seat: Seat
    body: str
    sent_at: Any
    mine: bool
    files: int

    @property
    def unread(self) -> int:
        return self.seat.unread


def threads_of(user: User, *, after: int = 0, limit: int = 20) -> tuple[list[ThreadRow], int]:
    """The user's conversations, the newest message first, and the cursor of the next page."""
    last = Message.objects.filter(contract=OuterRef("pk")).order_by("-pk")
    files = Message.files.through.objects.filter(message=OuterRef("pk")).values("pk")
    rows = contracts_with_seat(user).annotate(
        last_id=Subquery(last.values("pk")[:1]),
        last=Subquery(
            last.annotate(attached=ArraySubquery(files)).values(
                json=JSONObject(
                    body="body", sent_at="sent_at", author="author_id", files="attached"
                )
            )[:1]
        ),
    )
    rows = rows.filter(last_id__isnull=False).defer("terms")
    if after:
        rows = rows.filter(last_id__lt=after)
    page = list(rows.order_by("-last_id")[: limit + 1])
    shown: Sequence[Contract] = page[:limit]
    lines = []
    for contract in shown:
        message = vars(contract)["last"]
        lines.append(
            ThreadRow(
                seat=seat_at(contract, user),
                body=message["body"],
                sent_at=parse_datetime(message["sent_at"]),
                mine=message["author"] == user.pk,
                files=len(message["files"]),
            )
        )
    return lines, vars(shown[-1])["last_id"] if len(page) > limit else 0
