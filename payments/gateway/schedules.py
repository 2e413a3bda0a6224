"""When a connected account pays out by itself."""

from typing import TYPE_CHECKING

from payments.gateway import connection

if TYPE_CHECKING:
    from stripe.params import BalanceSettingsUpdateParamsPaymentsPayoutsSchedule as Wanted

# Our words for a schedule: "manual", "daily", "weekly:monday", "monthly:15".
MANUAL = "manual"


def set_payout_schedule(schedule: str, *, account: str, key: str) -> str:
    """Pay out by this schedule from now on; the schedule Stripe then has."""
    with connection.our_errors():
        connection.client().v1.balance_settings.update(
            {"payments": {"payouts": {"schedule": _wanted(schedule)}}},
            {"stripe_account": account, "idempotency_key": key},
        )
    return schedule


def payout_schedule(*, account: str) -> str:
    """The schedule a connected account pays out by."""
    with connection.our_errors():
        settings = connection.client().v1.balance_settings.retrieve({}, {"stripe_account": account})
    payouts = settings.payments.payouts
    schedule = payouts.schedule if payouts else None
    interval = schedule.interval if schedule else None
    days: list[object] = []
    if schedule and interval == "weekly":
        days = list(schedule.weekly_payout_days or ())
    if schedule and interval == "monthly":
        days = list(schedule.monthly_payout_days or ())
    return ":".join([interval or "", *(str(day) for day in days)])


def _wanted(schedule: str) -> "Wanted":
    interval, _colon, day = schedule.partition(":")
    if interval == "weekly":
        return {"interval": "weekly", "weekly_payout_days": [day]}
    if interval == "monthly":
        return {"interval": "monthly", "monthly_payout_days": [int(day)]}
    return {"interval": interval}
