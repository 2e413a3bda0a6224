"""Typed text kept on the server, so that nobody loses it."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest

from marketplace.core import clock
from marketplace.core.models import Draft


def _owner(request: HttpRequest) -> dict[str, Any]:
    if request.user.is_authenticated:
        return {"user": request.user, "session_key": ""}
    if not request.session.session_key:
        request.session.create()
    # The session key rotates at sign-in; this one stays until the draft is claimed.
    key = request.session.setdefault("draft_owner", request.session.session_key)
    return {"user": None, "session_key": key}


def save(request: HttpRequest, kind: str, values: dict[str, Any], *, subject: str = "") -> Draft:
    """Keep these values for this person or session, replacing earlier ones of the same form."""
    draft, _created = Draft.objects.update_or_create(
        **_owner(request),
        kind=kind,
        subject=subject,
        defaults={"values": values, "updated_at": clock.now()},
    )
    return draft


@transaction.atomic
def add(
    request: HttpRequest, kind: str, values: dict[str, Any], *, unless: str = "", without: str = ""
) -> None:
    """Put these values over those that are kept, whatever else is being added at the same moment.

    Nothing happens to a draft in which `unless` is set; `without` is taken out of it.
    """
    owner = _owner(request)
    draft, _created = Draft.objects.select_for_update().get_or_create(
        **owner, kind=kind, subject="", defaults={"updated_at": clock.now()}
    )
    if unless and draft.values.get(unless):
        return
    draft.values = draft.values | values
    draft.values.pop(without, None)
    draft.updated_at = clock.now()
    draft.save(update_fields=["values", "updated_at"])


def find(request: HttpRequest, kind: str, *, subject: str = "") -> Draft | None:
    """This person's draft of this form, or None. Reading makes no session and no row."""
    if request.user.is_authenticated:
        mine = Draft.objects.filter(user=request.user)
    elif key := request.session.get("draft_owner"):
        mine = Draft.objects.filter(session_key=key)
    else:
        return None
    return mine.filter(kind=kind, subject=subject).first()


def claim(request: HttpRequest) -> None:
    """After sign-in: what was typed before now belongs to the person."""
    key = request.session.pop("draft_owner", None)
    if not key:
        return
    if not request.user.is_authenticated:
        return
    for draft in Draft.objects.filter(session_key=key):
        Draft.objects.filter(user=request.user, kind=draft.kind, subject=draft.subject).delete()
        Draft.objects.filter(pk=draft.pk).update(user=request.user, session_key="")


def forget(request: HttpRequest, kind: str, *, subject: str = "") -> None:
    """The form was sent; its draft has served its purpose."""
    if draft := find(request, kind, subject=subject):
        draft.delete()
