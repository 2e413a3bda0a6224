"""Everything we told a person."""

from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors
from accounts.models import Group, Notice
from accounts.services import notices
from marketplace.core.http import UserRequest, go_to

ICONS = {
    Group.MONEY: "wallet",
    Group.WORK: "briefcase",
    Group.MESSAGES: "message",
    Group.MATCHES: "search",
}


@dataclass(frozen=True)
class Line:
    """A notice in words."""

    notice: Notice
    text: str
    icon: str


@require_safe
@login_required
def notice_list(request: UserRequest) -> HttpResponse:
    """Newest first, grouped by day."""
    before = request.GET.get("before", "")
    rows, further = selectors.page_of_notices(
        request.user, before=int(before) if before.isdecimal() and len(before) < 18 else None
    )
    lines = [Line(row, notices.line_of(row), ICONS[Group(row.group)]) for row in rows]
    days = [
        (day, list(group))
        for day, group in groupby(lines, lambda line: timezone.localdate(line.notice.created_at))
    ]
    context = {
        "days": days,
        "next_url": f"{reverse('accounts:notices')}?before={further}" if further else "",
        "first_url": reverse("accounts:notices") if before else "",
    }
    return render(request, "accounts/notices.html", context)


@require_POST
@login_required
def open_notice(request: UserRequest, ref: str) -> HttpResponse:
    """Mark it read and go where it happened."""
    notice = selectors.notice_to_read(request.user, ref)
    notices.mark_read(notice)
    return go_to(request, notice.url)


@require_POST
@login_required
def read_all(request: UserRequest) -> HttpResponse:
    """Nothing is new any more."""
    if notices.mark_all_read(request.user):
        messages.success(request, _("All read."))
    return go_to(request, reverse("accounts:notices"))
