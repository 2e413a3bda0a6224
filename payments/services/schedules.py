"""When a payee's Stripe account pays out by itself: chosen here, set at Stripe by the outbox.

What is wanted is the payee's choice, or nothing at all while payouts are paused. Each change of
what is wanted is a command of its own; a late one that overtook a newer one is followed by the
newest again, so that the last word is always the one we remember.
"""

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.selectors import require_right
from marketplace.core import audit, outbox
from marketplace.core.errors import InvalidInput
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import gateway
from payments.models import PayoutAccount
from payments.selectors.payouts import pause_of
from payments.services import commands
from payments.services.commands import command

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
Interval = PayoutAccount.Interval


@transaction.atomic
def choose(
    account: PayoutAccount,
    *,
    by: "User",
    interval: str,
    weekday: str = "",
    month_day: int | None = None,
    threshold: Money | None = None,
) -> None:
    """Pay out daily, weekly, monthly, or on demand and then by itself from `threshold` on.

    What does not belong to the interval is dropped. Raises NotAllowed, and InvalidInput.
    """
    require_right(by, account.party, "manage")
    if interval not in Interval.values:
        raise InvalidInput(_("Choose how often you want to be paid out"), field="interval")
    if interval == Interval.WEEKLY and weekday not in PayoutAccount.Weekday.values:
        raise InvalidInput(_("Choose a day from Monday to Friday"), field="weekday")
    if interval == Interval.MONTHLY and not (month_day and 1 <= month_day <= 31):
        raise InvalidInput(_("Choose a day from 1 to 31"), field="month_day")
    kept = threshold if interval == Interval.MANUAL else None
    if kept is not None and kept.minor <= 0:
        raise InvalidInput(_("Enter an amount above zero, or leave it empty"), field="threshold")
    locked = PayoutAccount.objects.select_for_update().get(pk=account.pk)
    locked.interval = interval
    locked.weekday = weekday if interval == Interval.WEEKLY else ""
    locked.month_day = month_day if interval == Interval.MONTHLY else None
    locked.threshold_minor = kept.minor if kept else None
    locked.threshold_currency = kept.currency if kept else ""
    locked.save(
        update_fields=[
            *("interval", "weekday", "month_day", "threshold_minor", "threshold_currency")
        ]
    )
    audit.record(by, "payout_schedule.chosen", locked, schedule=locked.chosen_schedule)
    plan(locked)
    account.refresh_from_db()


def plan(account: PayoutAccount) -> None:
    """Have Stripe set what is wanted now, if it is not what was asked for last.

    The caller holds the account's lock.
    """
    pause = pause_of(account)
    wanted = gateway.MANUAL if pause and pause.is_ours else account.chosen_schedule
    if account.stripe_id and not account.is_lost and wanted != account.schedule_asked:
        _ask(account, wanted)


def look(account: PayoutAccount) -> None:
    """Set the schedule again when Stripe has another one than we set. Raises gateway errors."""
    _compare(account.pk, gateway.payout_schedule(account=account.stripe_id))


@transaction.atomic
def _compare(pk: int, there: str) -> None:
    account = PayoutAccount.objects.select_for_update().get(pk=pk)
    settled = account.schedule_asked == account.schedule_set
    if not settled and _is_parked(account):
        _after_parking(account, there)
    elif settled and there != account.schedule_set:
        log.warning("%s has the schedule %s, not %s", account, there, account.schedule_set)
        _ask(account, account.schedule_asked)
    plan(account)


def _is_parked(account: PayoutAccount) -> bool:
    """Whether the newest command waits for a person; staff see it under *outbox messages*."""
    newest = OutboxMessage.objects.filter(key=_key(account))
    return newest.filter(state=OutboxMessage.State.PARKED).exists()


def _after_parking(account: PayoutAccount, there: str) -> None:
    """Stripe refused what we asked, perhaps for a reason that has gone: ask again, once a look."""
    if there == account.schedule_asked:
        account.schedule_set = there
        account.save(update_fields=["schedule_set"])
        return
    log.warning("%s: the schedule %s was refused, asking again", account, account.schedule_asked)
    audit.record(None, "payout_schedule.asked_again", account, rule="daily look")
    _ask(account, account.schedule_asked)


def _ask(account: PayoutAccount, schedule: str) -> None:
    account.schedule_asked = schedule
    account.schedule_attempt += 1
    account.save(update_fields=["schedule_asked", "schedule_attempt"])
    commands.give("payout_schedule", _key(account), account.pk)


def _key(account: PayoutAccount) -> str:
    return f"payout_schedule:{account.party_id}:{account.schedule_attempt}"


@command("payout_schedule")
def send(message: OutboxMessage) -> None:
    """Set what was asked for. An older command than the newest has nothing to say any more."""
    account = PayoutAccount.objects.get(pk=message.payload["id"])
    if _key(account) != message.key or account.is_lost:
        outbox.done(message)
        return
    asked = account.schedule_asked

    def find() -> str | None:
        there = gateway.payout_schedule(account=account.stripe_id)
        return there if there == asked else None

    try:
        commands.ask(
            message,
            lambda key: gateway.set_payout_schedule(asked, account=account.stripe_id, key=key),
            find=find,
        )
    except gateway.Refused as error:
        raise outbox.Hopeless(f"{error.code}: {error}") from error
    _set(account.pk, asked, message)


@transaction.atomic
def _set(pk: int, schedule: str, message: OutboxMessage) -> None:
    account = PayoutAccount.objects.select_for_update().get(pk=pk)
    account.schedule_set = schedule
    account.save(update_fields=["schedule_set"])
    if _key(account) != message.key:
        # A newer command may have been quicker, and ours then undid it: say the newest again.
        _ask(account, account.schedule_asked)
    outbox.done(message)
