"""Telling people: once per happening, in the product, by mail if they wish, and live."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.template import Context, Template
from django.template.loader import get_template, select_template
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import selectors
from accounts.models import Group, Notice, NoticePreference, User
from marketplace.core import audit, clock, live, mail, outbox
from marketplace.core.errors import DomainError, InvalidInput
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money

TOPIC = "notice"
SALT = "accounts.unsubscribe"
# A message read within this time needs no mail.
PATIENCE = dt.timedelta(minutes=10)
# The hour of the day, where the person is, for what can wait.
DIGEST_HOUR = 8
# Filters of the design system mark amounts and times up; a line of text has no markup.
MARKUP = re.compile(r"</?(?:bdi|time)(?: [^>]*)?>")

# --- Telling --------------------------------------------------------------------------------


@transaction.atomic
def notify(
    users: Iterable[User],
    kind: str,
    *,
    key: str,
    url: str,
    group: str,
    facts: Mapping[str, Any],
) -> None:
    """Tell each of them once that this happened; the same key again tells nobody twice.

    The words are templates/accounts/notices/<kind>.txt, a line; for the mail optionally
    <kind>.subject.txt, <kind>.body.txt and <kind>.button.txt. Facts fill them: text, numbers,
    Money, dates. Money and work go by mail at once, messages after ten minutes unread, matches
    in one mail a day; all but money only to people who have not switched it off.
    """
    get_template(f"accounts/notices/{kind}.txt")
    told = []
    for user in {user.pk: user for user in users}.values():
        notice, created = Notice.objects.get_or_create(
            user=user,
            key=key,
            defaults={
                "kind": kind,
                "group": Group(group),
                "url": url,
                "facts": {name: pack(value) for name, value in facts.items()},
            },
        )
        if created:
            told.append(user.pk)
            _mail_or_wait(notice, user)
    if told:
        live.nudge(told, "notices")


def _mail_or_wait(notice: Notice, user: User) -> None:
    if not selectors.wants_mail(user, notice.group):
        return
    if notice.group in {Group.MONEY, Group.WORK}:
        _put_mail([notice], user)
        return
    now = clock.now()
    due_at = now + PATIENCE if notice.group == Group.MESSAGES else _next_morning(user, now)
    outbox.put(TOPIC, f"notice:{notice.pk}", {"notice": notice.pk}, due_at=due_at)


def _next_morning(user: User, now: dt.datetime) -> dt.datetime:
    here = now.astimezone(ZoneInfo(user.time_zone))
    morning = here.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    if morning <= here:
        morning += dt.timedelta(days=1)
    return morning.astimezone(dt.UTC)


@outbox.handles(TOPIC)
def mail_what_waited(message: OutboxMessage) -> None:
    """One mail for all that still waits: of one thread, or of the day. Nothing if it was read."""
    notice = Notice.objects.select_related("user").filter(pk=message.payload["notice"]).first()
    with transaction.atomic():
        if notice and notice.user.is_active and selectors.wants_mail(notice.user, notice.group):
            thread = notice.url if notice.group == Group.MESSAGES else None
            waiting = selectors.not_mailed(notice.user, group=notice.group, url=thread)
            rows = list(waiting.select_for_update())
            if notice in rows:
                _put_mail(rows, notice.user)
        outbox.done(message)


def _put_mail(rows: list[Notice], user: User) -> None:
    """A mail about these notices of one group; it leads to the only one, or to where all are."""
    first = rows[0]
    same_place = len({notice.url for notice in rows}) == 1
    headers = {}
    context: dict[str, Any] = {}
    if first.group != Group.MONEY:
        link = settings.SITE_URL + reverse(
            "accounts:unsubscribe", args=[sign_off(user, first.group)]
        )
        context["unsubscribe_url"] = link
        headers = {
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    with translation.override(user.language), timezone.override(ZoneInfo(user.time_zone)):
        lines = [line_of(notice) for notice in rows]
        context |= {
            "lines": lines if len(lines) > 1 else [],
            "heading": lines[0] if len(lines) == 1 else _several(len(lines), first.group),
            "subject": _words(first, "subject") if len(lines) == 1 else "",
            "body": _words(first, "body") if len(lines) == 1 else "",
            "button": (_words(first, "button") if same_place else "") or _("Open"),
            "url": settings.SITE_URL + (first.url if same_place else reverse("accounts:notices")),
        }
    mail.put(
        f"notice:{user.pk}:{first.key}",
        to=user.email,
        template="email/notice",
        context=context,
        language=user.language,
        time_zone=user.time_zone,
        headers=headers,
    )
    Notice.objects.filter(pk__in=[notice.pk for notice in rows]).update(mailed_at=clock.now())


def _several(count: int, group: str) -> str:
    if group == Group.MESSAGES:
        return ngettext("%(n)d new message", "%(n)d new messages", count) % {"n": count}
    return ngettext("%(n)d new match", "%(n)d new matches", count) % {"n": count}


# --- Words ----------------------------------------------------------------------------------


def line_of(notice: Notice) -> str:
    """The one line that says what happened, in the active language."""
    return _words(notice, "")


def _words(notice: Notice, part: str) -> str:
    """The words of one part; an optional part that nobody wrote is empty."""
    names = [f"accounts/notices/{notice.kind}{f'.{part}' if part else ''}.txt"]
    if part:
        names.append("accounts/notices/_none.txt")
    template: Template = select_template(names).template
    facts = {name: unpack(value) for name, value in notice.facts.items()}
    text = str(template.render(Context(facts, autoescape=False)))
    text = MARKUP.sub("", text).strip()
    return text if part == "body" else " ".join(text.split())


def pack(value: Any) -> Any:
    """A fact as JSON."""
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, dt.datetime):
        return {"at": value.isoformat()}
    if isinstance(value, dt.date):
        return {"on": value.isoformat()}
    return value


def unpack(value: Any) -> Any:
    """The fact that `pack` packed."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"minor", "currency"}:
        return Money(value["minor"], value["currency"])
    if value.keys() == {"at"}:
        return parse_datetime(value["at"])
    if value.keys() == {"on"}:
        return parse_date(value["on"])
    return value


# --- Reading --------------------------------------------------------------------------------


def mark_read(notice: Notice) -> None:
    """The person has opened it."""
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=clock.now())


def mark_all_read(user: User) -> int:
    """The person has seen everything; returns how many were new."""
    return user.notices.filter(read_at=None).update(read_at=clock.now())


def mark_read_by_ref(user: User, refs: Iterable[str]) -> int:
    """The person has seen these; returns how many were new. Others' refs change nothing."""
    return user.notices.filter(ref__in=list(refs), read_at=None).update(read_at=clock.now())


def mark_read_at(user: User, url: str) -> None:
    """The person acted at this address, so what leads there is no news."""
    user.notices.filter(url=url, read_at=None).update(read_at=clock.now())


# --- Wishes ---------------------------------------------------------------------------------


@transaction.atomic
def set_mail_wishes(user: User, wishes: Mapping[str, bool]) -> None:
    """Switch mail on or off per group. Money stays on: it is part of the contract."""
    for group, by_mail in wishes.items():
        if Group(group) == Group.MONEY:
            continue
        NoticePreference.objects.update_or_create(
            user=user, group=group, defaults={"by_mail": by_mail}
        )
    audit.record(user, "user.mail_wishes_changed", user, **{k: bool(v) for k, v in wishes.items()})


def sign_off(user: User, group: str) -> str:
    """The token of an unsubscribe link; it lasts as long as the mail does."""
    return signing.dumps([user.ref, group], salt=SALT)


def read_sign_off(token: str) -> tuple[User, Group]:
    """Whose mails of which group the token stops; raises InvalidInput when it is forged."""
    try:
        ref, group = signing.loads(token, salt=SALT)
        return User.objects.get(ref=ref), Group(group)
    except (signing.BadSignature, ValueError, User.DoesNotExist) as error:
        raise InvalidInput(_("This link is not complete"), code="forged") from error


def set_by_link(token: str, *, by_mail: bool) -> Group:
    """Stop mails of the group the link names, or take that back. No sign-in needed."""
    user, group = read_sign_off(token)
    if group == Group.MONEY:
        raise DomainError(_("Mails about money are part of your contracts and cannot be stopped"))
    set_mail_wishes(user, {group: by_mail})
    return group
