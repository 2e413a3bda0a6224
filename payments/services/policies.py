"""Which rules hold when."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.core import audit, clock
from marketplace.core.errors import InvalidInput
from payments.models import PlatformPolicy

if TYPE_CHECKING:
    from accounts.models import User


def current(at: dt.datetime | None = None) -> PlatformPolicy:
    """The policy in force at that moment, or now."""
    in_force = PlatformPolicy.objects.filter(starts_at__lte=at or clock.now())
    return in_force.latest("starts_at")


def check_start(starts_at: dt.datetime) -> None:
    """Raise InvalidInput for rules that would hold in the past: people agreed under others."""
    if starts_at <= clock.now():
        raise InvalidInput(
            _("New rules cannot start in the past. Choose a later time."), field="starts_at"
        )


@transaction.atomic
def announce(policy: PlatformPolicy, *, by: "User") -> None:
    """Write a new version of the rules, to hold from its start on. Raises InvalidInput."""
    check_start(policy.starts_at)
    policy.set_by = by
    policy.save(force_insert=True)
    audit.record(by, "policy.announced", policy, starts_at=policy.starts_at.isoformat())
