"""Who may ask for an act on money, who may decide on it, and who has to hear that it waits."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.errors import InvalidTransition, NotAllowed
from marketplace.core.money import Money
from payments.models.two_people import TwoPeople
from payments.services import policies
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
Status = TwoPeople.Status


def limit(currency: str) -> Money:
    """Up to this amount one person is enough."""
    return Money.parse(str(policies.current().reversal_limit), currency)


def check_person(by: "User", *, permission: str, parties: QuerySet[Party], doing: str) -> None:
    """Raise NotAllowed without the right, and for money of a party the person belongs to."""
    if not by.has_perm(permission):
        log.warning("user %s tried to %s without permission", by.pk, doing)
        raise NotAllowed
    if parties.filter(memberships__user=by).exists():
        log.warning("user %s tried to %s of their own", by.pk, doing)
        raise NotAllowed(_("This is about money of your own. Somebody else has to do it."))


def check_second(row: TwoPeople, by: "User") -> None:
    """Raise NotAllowed for whoever asked: nobody is their own second pair of eyes."""
    if by == row.asked_by:
        log.warning("user %s tried to decide on %s of their own", by.pk, row)
        raise NotAllowed(_("You asked for this, so another person has to decide on it."))


def lock(row: TwoPeople, *, check: Callable[[], None]) -> None:
    """Wait for our turn on a row to be decided on; raises InvalidTransition when it is decided."""
    row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())
    check()
    if row.status != Status.ASKED:
        raise InvalidTransition


def refuse(row: TwoPeople, *, by: "User", reason: str) -> None:
    """Leave everything as it is, and say why. The caller holds the lock."""
    row.move_to(Status.REFUSED, decided_by=by, decided_at=clock.now(), answer=check_reason(reason))
    audit.record(by, f"{row._meta.model_name}.refused", row)


def call_second(row: TwoPeople, *, permission: str) -> None:
    """Tell everybody who may decide on it that it waits."""
    notify(
        [person for person in staff_who_may(permission) if person != row.asked_by],
        "second_person_wanted",
        key=f"second:{row._meta.model_name}:{row.ref}",
        url=reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk]),
        group="work",
        facts={
            "what": row._meta.model_name,
            "amount": row.amount,
            "name": row.asked_by.get_short_name(),
        },
    )
