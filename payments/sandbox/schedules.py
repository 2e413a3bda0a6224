"""Balance settings: when a connected account pays out by itself."""

import datetime as dt

from payments.sandbox.contract import blank
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.state import PLATFORM, Body
from payments.sandbox.world import Call

DAILY: Body = {"interval": "daily"}
# Which list of days each interval needs; the others take none.
DAYS = {"weekly": "weekly_payout_days", "monthly": "monthly_payout_days"}


def retrieve(call: Call) -> Body:
    """GET /v1/balance_settings of the account that asks."""
    return _settings(_account(call))


def update(call: Call) -> Body:
    """POST /v1/balance_settings: only the schedule is played."""
    account = _account(call)
    wanted = call.params.get("payments", {}).get("payouts", {}).get("schedule", {})
    interval = wanted.get("interval")
    if interval:
        needed = DAYS.get(interval)
        if needed and not wanted.get(needed):
            raise StripeRefusal(
                f"You must provide {needed} with a {interval} schedule.",
                code="parameter_missing",
                param=f"payments[payouts][schedule][{needed}]",
            )
        account["_schedule"] = {
            "interval": interval,
            **({needed: wanted[needed]} if needed else {}),
        }
        call.state.save(account)
    return _settings(account)


def _account(call: Call) -> Body:
    if call.account == PLATFORM:
        raise StripeRefusal("The sandbox plays balance settings of connected accounts only.")
    return call.state.get("account", call.account)


def is_manual(account: Body) -> bool:
    """Whether the account pays out only when it is asked to."""
    return bool(account.get("_schedule", DAILY)["interval"] == "manual")


def names(account: Body, day: dt.datetime) -> bool:
    """Whether the schedule pays out on this day; the 31st is the last day of shorter months."""
    schedule = account.get("_schedule", DAILY)
    if schedule["interval"] == "weekly":
        return day.strftime("%A").lower() in schedule["weekly_payout_days"]
    if schedule["interval"] == "monthly":
        is_last = (day + dt.timedelta(days=1)).day == 1
        days = schedule["monthly_payout_days"]
        return day.day in days or (is_last and max(days) > day.day)
    return bool(schedule["interval"] == "daily")


def _settings(account: Body) -> Body:
    body = blank("balance_settings")
    body["payments"]["payouts"] = {
        # Empty, not null: the SDK trips over a null here.
        "automatic_transfer_rules_by_currency": {},
        "minimum_balance_by_currency": None,
        "schedule": {
            "monthly_payout_days": None,
            "weekly_payout_days": None,
            **account.get("_schedule", DAILY),
        },
        "statement_descriptor": None,
        "status": "enabled" if account["payouts_enabled"] else "disabled",
    }
    return body
