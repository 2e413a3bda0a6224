"""The clocks of a dispute, and who hears them."""

import datetime as dt
import logging

from django.db import transaction
from django.urls import reverse

from accounts.services.notices import notify
from marketplace.core import clock
from projects.models import Contract, Dispute
from projects.models.contracts import Side
from projects.services import news
from projects.services.disputes.telling import judges, tell

log = logging.getLogger(__name__)
# People hear of a deadline this long before it.
AHEAD = dt.timedelta(hours=24)
SATURDAY = 5


def after_working_days(start: dt.datetime, days: int) -> dt.datetime:
    """`days` working days (Monday to Friday) after `start`, at the same time of day."""
    end = start
    while days:
        end += dt.timedelta(days=1)
        days -= end.weekday() < SATURDAY
    return end


def notice_due() -> int:
    """Tell people about deadlines that near or have passed; returns how many disputes had one."""
    due = Dispute.objects.filter(status=Dispute.Status.OPEN, notice_due_at__lte=clock.now())
    told = 0
    for dispute in due.order_by("notice_due_at")[:100]:
        try:
            told += _notice(dispute)
        except Exception:
            log.exception("dispute %s: no notice", dispute.pk)
    return told


@transaction.atomic
def _notice(dispute: Dispute) -> bool:
    parties = ("milestone__contract__client", "milestone__contract__freelancer")
    dispute = Dispute.objects.select_related(*parties, "opened_for").get(pk=dispute.pk)
    now, contract = clock.now(), dispute.milestone.contract
    steps = [
        (dispute.answer_due_at - AHEAD, _remind_to_answer),
        (dispute.answer_due_at, _hand_over),
        (dispute.decide_due_at - AHEAD, _remind_judges),
    ]
    later = next((at for at, _act in steps if at > now), None)
    # Whoever moves the date tells; the other sweep finds nothing to move.
    mine = Dispute.objects.filter(
        pk=dispute.pk, status=Dispute.Status.OPEN, notice_due_at=dispute.notice_due_at
    ).update(notice_due_at=later)
    if mine and dispute.notice_due_at:
        for at, act in steps:
            if dispute.notice_due_at <= at <= now:
                act(dispute, contract)
    return bool(mine)


def _remind_to_answer(dispute: Dispute, contract: Contract) -> None:
    side = Side.CLIENT if dispute.opened_for != contract.client else Side.FREELANCER
    if dispute.statements.filter(side=contract.party(side)).exists():
        return
    tell(
        dispute,
        contract,
        side,
        "dispute_answer_due",
        key=f"dispute-answer-due:{dispute.ref}",
        due=dispute.answer_due_at,
    )


def _hand_over(dispute: Dispute, contract: Contract) -> None:
    for side in Side:
        tell(
            dispute,
            contract,
            side,
            "dispute_to_moderator",
            key=f"dispute-to-moderator:{dispute.ref}",
            due=dispute.decide_due_at,
        )
    _tell_judges(dispute, "dispute_waiting", key=f"dispute-waiting:{dispute.ref}")


def _remind_judges(dispute: Dispute, _contract: Contract) -> None:
    _tell_judges(dispute, "dispute_decision_due", key=f"dispute-decision-due:{dispute.ref}")


def _tell_judges(dispute: Dispute, kind: str, *, key: str) -> None:
    notify(
        judges(),
        kind,
        key=key,
        url=reverse("admin:projects_dispute_change", args=[dispute.pk]),
        group=news.MONEY,
        facts={
            "contract": dispute.milestone.contract.title,
            "dispute": dispute.ref,
            "due": dispute.decide_due_at,
        },
    )
