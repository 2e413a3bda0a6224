"""What the two say to each other in a contract."""

from collections.abc import Sequence
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import people_of
from accounts.services.notices import mark_read_at, notify
from marketplace.core import clock, live, text
from marketplace.core.errors import InvalidInput
from marketplace.core.models import StoredFile
from projects.models import Contract, Message, MessageRead
from projects.services import news
from projects.services.sides import speaking
from projects.services.uploads import keep

LONGEST = 4000


@transaction.atomic
def send(
    contract: Contract,
    *,
    by: User,
    body: str,
    files: Sequence[StoredFile] = (),
    uploads: "Sequence[File[Any]]" = (),
) -> Message:
    """Add a message to the thread; whoever has the page open sees it at once.

    The others get one notice per unread stretch of the thread, however long it grows.
    """
    side = speaking(by, contract)
    body = text.short_block(body, limit=LONGEST, field="body")
    if not body and not files and not uploads:
        raise InvalidInput(_("Write a message or attach a file"), field="body")
    kept = keep(uploads, files, by=by)
    message = Message.objects.create(
        contract=contract, author=by, side=side, body=body, sent_at=clock.now()
    )
    message.files.set(kept)
    mark_read(contract, by=by, up_to=message)
    read_to = dict(
        MessageRead.objects.filter(contract=contract).values_list("user", "last_message")
    )
    others = list(people_of(contract.party(side.other)))
    for user in others:
        notify(
            [user],
            "message",
            key=f"message:{contract.ref}:{read_to.get(user.pk, 0)}",
            url=thread_url(contract),
            group=news.MESSAGES,
            facts={"contract": contract.title, "from": contract.party(side).short_name},
        )
    live.nudge([user.pk for user in others], "messages")
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
    if not created:
        MessageRead.objects.filter(pk=read.pk, last_message__lt=last.pk).update(
            last_message=last, read_at=now
        )
    mark_read_at(by, thread_url(contract))


def thread_url(contract: Contract) -> str:
    """Where the thread is read."""
    return reverse("projects:contract-messages", kwargs={"ref": contract.ref})
