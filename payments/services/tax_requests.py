"""Ask payees for what tax offices must be told: twice reminded, then payouts to banks wait.

Directive (EU) 2021/514, annex V, section IV A 2, and rules.md, "DAC7". What was earned stays the
payee's: it reaches their account at Stripe as always, and goes to the bank once they have answered.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import people_of, require_right, staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock, text
from marketplace.core.errors import InvalidInput, InvalidTransition
from payments.models import PayoutAccount, TaxRequest
from payments.models.tax_requests import REMINDERS
from payments.selectors import tax_requests as selectors
from payments.services import policies, schedules, two_people
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

Status = TaxRequest.Status
RULE = "DAC7"
PERMISSION = "payments.act_on_tax_request"
LONGEST_APPEAL = 2000


def ask_all(*, limit: int = 1000) -> int:
    """Ask everybody who earned something this year and has not told us; returns how many.

    Beat calls it every day; whoever was asked is not asked again.
    """
    now, asked = clock.now(), 0
    # The report about a year is due in the January after it.
    years = (now.year - 1, now.year) if now.month == 1 else (now.year,)
    for year in years:
        for party in selectors.parties_to_ask(year).order_by("pk")[:limit]:
            asked += _ask(party, year)
    return asked


@transaction.atomic
def _ask(party: Party, year: int) -> bool:
    now, policy = clock.now(), policies.current()
    # Two sweeps at once take turns.
    Party.objects.select_for_update(no_key=True).get(pk=party.pk)
    if not selectors.parties_to_ask(year).filter(pk=party.pk).exists():
        return False
    request = TaxRequest.objects.create(
        party=party,
        policy=policy,
        year=year,
        asked_at=now,
        due_at=now + dt.timedelta(days=policy.tax_reminder_days),
    )
    audit.record(None, "tax_request.asked", request, rule=RULE, policy=policy.pk)
    _tell(request, "tax_details_wanted")
    return True


def run_due(*, limit: int = 100) -> int:
    """Send the reminders and begin the pauses whose time has come; returns how many."""
    done = 0
    while done < limit and _go_on():
        done += 1
    return done


@transaction.atomic
def _go_on() -> bool:
    now = clock.now()
    found = TaxRequest.objects.filter(status=Status.ASKED, due_at__lte=now).order_by("due_at")
    first = found.first()
    if first is None:
        return False
    account = _lock_account(first.party_id)
    request = found.select_for_update(of=("self",)).filter(pk=first.pk).first()
    if request is None:
        # Another sweep was quicker.
        return True
    if not selectors.parties_lacking_details().filter(pk=request.party_id).exists():
        _end(request, account)
        return True
    if request.reminders < REMINDERS:
        _remind(request, now)
        return True
    review = dt.timedelta(days=request.policy.tax_review_days)
    request.move_to(Status.PAUSED, paused_at=now, review_due_at=now + review, due_at=None)
    audit.record(
        None, "tax_request.paused", request, rule=RULE, policy=request.policy_id,
        asked=request.asked_at.isoformat(), reminders=request.reminders,
    )  # fmt: skip
    if account:
        schedules.plan(account)
    _tell(request, "tax_details_paused")
    return True


def _remind(request: TaxRequest, now: dt.datetime) -> None:
    """Once more; each reminder leaves its days, however late it went out."""
    policy = request.policy
    request.reminders += 1
    next_at = now + dt.timedelta(days=policy.tax_reminder_days)
    if request.reminders == REMINDERS:
        next_at = max(next_at, request.asked_at + dt.timedelta(days=policy.tax_pause_days))
    request.due_at = next_at
    request.save(update_fields=["reminders", "due_at"])
    audit.record(None, "tax_request.reminded", request, rule=RULE, number=request.reminders)
    _tell(request, "tax_details_reminder")


@transaction.atomic
def look_for_answer(party: Party) -> None:
    """End what the party is asked for, once nothing is missing; payouts go on. Safe to repeat."""
    if selectors.parties_lacking_details().filter(pk=party.pk).exists():
        return
    account = _lock_account(party.pk)
    request = (
        TaxRequest.objects.select_for_update()
        .filter(party=party, status__in=TaxRequest.OPEN)
        .first()
    )
    if request:
        _end(request, account)


def look_for_answers() -> int:
    """The same for everybody who is asked: an address may come by another page."""
    waiting = TaxRequest.objects.filter(status__in=TaxRequest.OPEN).exclude(
        party__in=selectors.parties_lacking_details()
    )
    found = list(waiting.select_related("party"))
    for request in found:
        look_for_answer(request.party)
    return len(found)


def _end(request: TaxRequest, account: PayoutAccount | None) -> None:
    was_paused = request.status == Status.PAUSED
    request.move_to(Status.ANSWERED, ended_at=clock.now(), due_at=None)
    audit.record(None, "tax_request.answered", request, rule=RULE)
    if was_paused:
        _go_on_paying(request, account)


def _go_on_paying(request: TaxRequest, account: PayoutAccount | None) -> None:
    if account:
        schedules.plan(account)
    _tell(request, "tax_details_over")


@transaction.atomic
def appeal(request: TaxRequest, *, by: "User", said: str) -> None:
    """The payee says why the pause is wrong; our people are told. Again once it was answered.

    Raises NotAllowed without the right over the party's payouts, InvalidInput for nothing said,
    InvalidTransition when nothing is paused or an appeal waits for its answer.
    """
    require_right(by, request.party, "manage")
    request.refresh_from_db(from_queryset=TaxRequest.objects.select_for_update())
    if request.status != Status.PAUSED or request.appeal_waits:
        raise InvalidTransition
    said = text.short_block(said, limit=LONGEST_APPEAL, field="said")
    if not said:
        raise InvalidInput(_("Say what keeps you, in a sentence or two"), field="said")
    request.appeal, request.appealed_by, request.appealed_at = said, by, clock.now()
    request.save(update_fields=["appeal", "appealed_by", "appealed_at"])
    audit.record(by, "tax_request.appealed", request)
    _call_staff(request, "tax_details_appealed", request.appealed_at)


def call_for_reviews() -> None:
    """Tell staff of pauses somebody has to look at again, once for each day that was named."""
    due = TaxRequest.objects.filter(status=Status.PAUSED, review_due_at__lte=clock.now())
    for request in due.select_related("party"):
        assert request.review_due_at  # noqa: S101 - the query says so
        _call_staff(request, "tax_details_review", request.review_due_at)


def _call_staff(request: TaxRequest, kind: str, about: dt.datetime) -> None:
    notify(
        staff_who_may(PERMISSION),
        kind,
        key=f"{kind}:{request.ref}:{about:%Y%m%d%H%M%S}",
        url=reverse("admin:payments_taxrequest_change", args=[request.pk]),
        group="work",
        facts={"name": request.party.name},
    )


@transaction.atomic
def keep(request: TaxRequest, *, by: "User", reason: str) -> None:
    """A person of ours has looked: payouts go on waiting, and the payee reads why.

    Somebody looks again after the days of the policy. Raises NotAllowed (also for one's own
    party), InvalidInput for a reason nobody could follow, InvalidTransition when nothing is paused.
    """
    _check_person(request, by)
    why = check_reason(reason)
    request.refresh_from_db(from_queryset=TaxRequest.objects.select_for_update())
    if request.status != Status.PAUSED:
        raise InvalidTransition
    now = clock.now()
    request.kept_by, request.kept_because, request.kept_at = by, why, now
    request.review_due_at = now + dt.timedelta(days=request.policy.tax_review_days)
    request.save(update_fields=["kept_by", "kept_because", "kept_at", "review_due_at"])
    audit.record(by, "tax_request.kept", request)
    _tell(request, "tax_details_kept")


def _check_person(request: TaxRequest, by: "User") -> None:
    two_people.check_person(
        by,
        permission=PERMISSION,
        parties=Party.objects.filter(pk=request.party_id),
        doing=f"decide on request {request.pk}",
    )


@transaction.atomic
def lift(request: TaxRequest, *, by: "User", reason: str) -> None:
    """A person of ours has looked: this year we do not ask again, and payouts go on.

    Raises NotAllowed (also for one's own party), InvalidInput for a reason nobody could follow,
    InvalidTransition when it has ended.
    """
    _check_person(request, by)
    account = _lock_account(request.party_id)
    request.refresh_from_db(from_queryset=TaxRequest.objects.select_for_update())
    if request.status not in TaxRequest.OPEN:
        raise InvalidTransition
    was_paused = request.status == Status.PAUSED
    request.move_to(
        Status.LIFTED,
        ended_at=clock.now(),
        due_at=None,
        lifted_by=by,
        lifted_because=check_reason(reason),
    )
    audit.record(by, "tax_request.lifted", request)
    if was_paused:
        _go_on_paying(request, account)


def _lock_account(party_id: int) -> PayoutAccount | None:
    """The payee's account comes before the request, as it does before bank details."""
    accounts = PayoutAccount.objects.select_for_update(of=("self",)).select_related("party")
    return accounts.filter(party=party_id).first()


def _tell(request: TaxRequest, kind: str) -> None:
    notify(
        people_of(request.party, "manage"),
        kind,
        key=f"{kind}:{request.ref}:{request.reminders}:{request.kept_at or ''}",
        url=reverse("payments:seller-details"),
        group="money",
        facts={
            "until": request.asked_at + dt.timedelta(days=request.policy.tax_pause_days),
            "review": request.review_due_at,
        },
    )
