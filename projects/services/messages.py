"""What the two say to each other in a contract."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import clock, live
from marketplace.core.errors import InvalidInput
from marketplace.core.models import StoredFile
from projects.models import Contract, Message, MessageRead
from projects.models.contracts import Side
from projects.services import news
from projects.services.deliveries import own_files
from projects.services.sides import speaking

LONGEST = 4000
# Whoever reads the thread by then needs no notice about it.
TELL_AFTER = dt.timedelta(minutes=10)


@transaction.atomic
def send(contract: Contract, *, by: User, body: str, files: Sequence[StoredFile] = ()) -> Message:
    """Add a message to the thread; whoever has the page open sees it at once."""
    side = speaking(by, contract)
    body = body.strip()
    if not body and not files:
        raise InvalidInput(_("Write a message or attach a file"), field="body")
    if len(body) > LONGEST:
        raise InvalidInput(
            _("Message is %(over)s characters too long. The limit is %(limit)s")
            % {"over": len(body) - LONGEST, "limit": f"{LONGEST:,}"},
            field="body",
        )
    own_files(files, by=by)
    now = clock.now()
    message = Message.objects.create(
        contract=contract,
        author=by,
        side=side,
        body=body,
        sent_at=now,
        tell_at=now + TELL_AFTER,
    )
    message.files.set(files)
    mark_read(contract, by=by, up_to=message)
    live.nudge(people_of(contract.party(side.other)).values_list("pk", flat=True), "messages")
    return message


@transaction.atomic
def mark_read(contract: Contract, *, by: User, up_to: Message | None = None) -> None:
    """Remember how far `by` has read; never moves back. Without `up_to`: to the end."""
    speaking(by, contract)
    last = up_to or Message.objects.filter(contract=contract).order_by("-id").first()
    if last is None:
        return
    now = clock.now()
    read, created = MessageRead.objects.get_or_create(
        contract=contract, user=by, defaults={"last_message": last, "read_at": now}
    )
    if not created and read.last_message_id < last.pk:
        MessageRead.objects.filter(pk=read.pk, last_message__lt=last.pk).update(
            last_message=last, read_at=now
        )
    live.nudge([by.pk], "messages")


def tell_due() -> int:
    """Tell people about messages they have not read for a while; returns how many were due."""
    due = Message.objects.filter(tell_at__lte=clock.now()).order_by("id")
    return sum(_tell(message) for message in due.values_list("pk", flat=True)[:200])


@transaction.atomic
def _tell(pk: int) -> bool:
    message = (
        Message.objects.select_related("contract__client", "contract__freelancer")
        .select_for_update(of=("self",), skip_locked=True)
        .filter(pk=pk, tell_at__isnull=False)
        .first()
    )
    if message is None:
        return False
    Message.objects.filter(pk=pk).update(tell_at=None)
    contract, side = message.contract, Side(message.side)
    read_to = dict(
        MessageRead.objects.filter(contract=contract).values_list("user", "last_message")
    )
    for user in people_of(contract.party(side.other)):
        since = read_to.get(user.pk, 0)
        if since >= pk:
            continue
        notify(
            [user],
            "messages_waiting",
            # One notice for one unread stretch of the thread, however long it grows.
            key=f"messages:{contract.ref}:{since}",
            url=reverse("projects:contract-messages", kwargs={"ref": contract.ref}),
            group=news.MESSAGES,
            facts={"contract": contract.title, "from": contract.party(side).short_name},
        )
    return True
