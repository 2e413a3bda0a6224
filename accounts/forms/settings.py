"""What people set for themselves."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, User
from accounts.names import LONGEST
from marketplace.core import clock
from marketplace.core.forms import Form


def time_zones() -> list[tuple[str, str]]:
    """`Europe/Berlin (UTC+01:00)`, by place. Only places: no abbreviations, no offsets."""
    now = clock.now()
    names = sorted(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))
    )
    return [("UTC", "UTC"), *((name, f"{_spoken(name)} ({_offset(name, now)})") for name in names)]


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace("/", " / ")


def _offset(name: str, now: dt.datetime) -> str:
    digits = f"{now.astimezone(ZoneInfo(name)):%z}"
    return f"UTC{digits[:3]}:{digits[3:5]}"


class SettingsForm(Form):
    """Name, language, time zone."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST,
        help_text=_("Others see it on bids, contracts and your profile."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name")},
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        help_text=_("Deadlines and times are shown in it."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        values = {name: getattr(user, name) for name in ("name", "language", "time_zone")}
        super().__init__(*args, initial=values, **kwargs)


HINTS = {
    Group.MONEY: _("Part of your contracts, so always by mail."),
    Group.WORK: _("At once."),
    Group.MESSAGES: _("After ten minutes unread, one mail per conversation."),
    Group.MATCHES: _("Once a day at 8:00."),
}


class MailForm(Form):
    """One tick per group of notices."""

    def __init__(self, *args: Any, wishes: dict[str, bool], **kwargs: Any) -> None:
        # A field named "matches" would hide the method of that name that scripts call on the form.
        super().__init__(*args, initial=wishes, prefix="mail", **kwargs)
        for group in Group:
            self.fields[group.value] = forms.BooleanField(
                label=group.label,
                help_text=HINTS[group],
                required=False,
                disabled=group == Group.MONEY,
                initial=wishes[group.value],
            )
