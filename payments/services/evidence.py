"""What speaks for us when a bank disputes a payment: collected by rule, sent by a person.

If nobody has sent it shortly before the bank's deadline, it goes as it was collected (rule C7): no
answer at all loses for certain. Staff are told, and of a round of the bank's it happens once.

The market knows what a payment was for. It answers `signals.work_record_wanted`; payments knows no
more of it than the record below.
"""

import datetime as dt
import logging
from dataclasses import dataclass, field

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock, outbox
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from marketplace.core.models import OutboxMessage
from payments import gateway, signals
from payments.models import Chargeback, Hold
from payments.services import commands, policies
from payments.services.commands import command

log = logging.getLogger(__name__)
State = Chargeback.Evidence
PERMISSION = "payments.act_on_chargeback"
RULE = "C7"
# Stripe takes 150,000 characters of evidence in all; the terms may be long.
LONGEST_TEXT = 60_000


@dataclass(frozen=True)
class WorkRecord:
    """What a hold was for, as the market recorded it."""

    title: str
    terms: str
    agreed_at: dt.datetime
    # One line each: when, which round, what was handed over.
    deliveries: list[str] = field(default_factory=list)
    accepted_at: dt.datetime | None = None
    messages: int = 0

    @property
    def is_delivered(self) -> bool:
        """Whether work was handed over in the product."""
        return bool(self.deliveries)


def work_record(hold: Hold) -> WorkRecord | None:
    """The record of the work behind a hold; None when nobody knows of any."""
    answers: list[object] = [
        answer for _who, answer in signals.work_record_wanted.send(sender=Hold, hold=hold)
    ]
    return next((answer for answer in answers if isinstance(answer, WorkRecord)), None)


# --- Collecting -------------------------------------------------------------------------------


def collect(chargeback: Chargeback) -> dict[str, str]:
    """What we can say to the bank, by the names of Stripe's fields; texts in English, for banks."""
    parts = chargeback.funding.parts.filter(taken=True).select_related("hold__payer")
    said: list[str] = []
    terms: list[str] = []
    title = ""
    for hold in [part.hold for part in parts.order_by("hold_id")]:
        title = title or hold.label
        if hold.carried_from_id is None:
            said.append(f"{hold.label}: {money_text(hold.paid_in)} paid, {hold.status}.")
        else:
            said.append(f"{hold.label}: {money_text(hold.client_pays)} of it, {hold.status}.")
        if hold.returned:
            said.append(f"{money_text(hold.returned_to_payer)} of it refunded before.")
        said += [
            f"Invoice {paper.number} of {paper.issued_at:%Y-%m-%d}."
            for paper in hold.invoices.order_by("pk")
        ]
        if work := work_record(hold):
            said += _lines(work)
            terms.append(work.terms)
    found = {
        "product_description": f"Freelance work ordered and paid per milestone: {title}",
        "uncategorized_text": "\n".join(said)[:LONGEST_TEXT],
        "refund_policy_disclosure": "\n\n".join(terms)[:LONGEST_TEXT],
    }
    return {name: text for name, text in found.items() if text}


def _lines(work: WorkRecord) -> list[str]:
    lines = [f"Both agreed to the terms on {work.agreed_at:%Y-%m-%d %H:%M} UTC."]
    lines += [f"Delivered on {delivery}" for delivery in work.deliveries]
    if work.accepted_at:
        lines.append(f"Accepted by the client on {work.accepted_at:%Y-%m-%d %H:%M} UTC.")
    if work.messages:
        lines.append(f"The two exchanged {work.messages} messages about it in the product.")
    return lines


def stage(chargeback: Chargeback) -> None:
    """Collect what we know now, and have it put down with Stripe; nothing goes to the bank yet.

    Each time the bank asks is a round of its own: an inquiry, a dispute, an appeal.
    """
    chargeback.evidence = collect(chargeback)
    chargeback.evidence_state = State.NONE
    chargeback.submitted_by = chargeback.submitted_at = chargeback.sent_by_rule_at = None
    chargeback.save(
        update_fields=[
            "evidence", "evidence_state", "submitted_by", "submitted_at", "sent_by_rule_at"
        ]
    )  # fmt: skip
    key = f"evidence:{chargeback.ref}:stage:{clock.now():%Y%m%d%H%M%S%f}"
    commands.give("stage_evidence", key, chargeback.pk)


@command("stage_evidence")
def send_stage(message: OutboxMessage) -> None:
    """Put the evidence down with Stripe. Safe to run twice: the content is kept on the row."""
    chargeback = Chargeback.objects.get(pk=message.payload["id"])
    if chargeback.evidence_state != State.NONE or not chargeback.is_open:
        outbox.done(message)
        return
    try:
        _send(chargeback, message, submit=False)
    except gateway.Refused as error:
        log.error("evidence of %s was not taken: %s", chargeback, error)  # noqa: TRY400 - an answer
        outbox.done(message)
        return
    with transaction.atomic():
        Chargeback.objects.filter(pk=chargeback.pk, evidence_state=State.NONE).update(
            evidence_state=State.STAGED
        )
        audit.record(None, "chargeback.staged", chargeback, rule="C6")
        outbox.done(message)


def _send(chargeback: Chargeback, message: OutboxMessage, *, submit: bool) -> None:
    commands.ask(
        message,
        lambda key: gateway.submit_evidence(
            chargeback.stripe_id, key=key, evidence=chargeback.evidence, submit=submit
        ),
        find=lambda: _look(chargeback, submit=submit),
    )


def _look(chargeback: Chargeback, *, submit: bool) -> gateway.Dispute | None:
    """Whether an earlier key has done it already."""
    dispute = gateway.retrieve_dispute(chargeback.stripe_id)
    if submit:
        return None if dispute.status in Chargeback.TO_ANSWER else dispute
    return dispute if dispute.has_evidence else None


# --- Submitting -------------------------------------------------------------------------------


def can_submit(chargeback: Chargeback) -> bool:
    """Whether the collected evidence waits for a person to send it."""
    waits = chargeback.evidence_state == State.STAGED
    return waits and chargeback.status in Chargeback.TO_ANSWER


@transaction.atomic
def submit(chargeback: Chargeback, *, by: User) -> None:
    """A named person sends the collected evidence to the bank; banks take it once.

    Raises NotAllowed without the right, InvalidTransition unless it waits for that, DomainError
    when the bank's deadline is over.
    """
    if not (by.is_active and by.is_staff and by.has_perm(PERMISSION)):
        raise NotAllowed(_("You do not have the right to answer chargebacks."))
    locked = Chargeback.objects.select_for_update().get(pk=chargeback.pk)
    if not can_submit(locked):
        raise InvalidTransition
    now = clock.now()
    if locked.due_by and locked.due_by <= now:
        raise DomainError(_("The time to answer is over. The bank takes no evidence any more."))
    locked.submitted_by = by
    _give(locked, now)
    audit.record(by, "chargeback.submitted", locked)


def run_due(*, limit: int = 100) -> int:
    """Send what no person has sent while the bank's deadline came near; returns how many.

    A person who presses the button at the same moment holds the same row: one of the two sends.
    """
    sent = 0
    while sent < limit and _send_next_due():
        sent += 1
    return sent


@transaction.atomic
def _send_next_due() -> bool:
    now = clock.now()
    ahead = dt.timedelta(hours=policies.current().evidence_hours)
    waiting = Chargeback.objects.filter(
        evidence_state=State.STAGED,
        status__in=Chargeback.TO_ANSWER,
        sent_by_rule_at=None,
        due_by__gt=now,
        due_by__lte=now + ahead,
    )
    due = waiting.select_for_update(skip_locked=True).order_by("due_by").first()
    if due is None:
        return False
    due.sent_by_rule_at = now
    _give(due, now)
    audit.record(None, "chargeback.submitted", due, rule=RULE)
    _tell_staff(due, "evidence_sent_by_rule")
    return True


def _give(locked: Chargeback, now: dt.datetime) -> None:
    locked.evidence_state = State.SUBMITTING
    locked.submitted_at = now
    locked.save(update_fields=["evidence_state", "submitted_by", "submitted_at", "sent_by_rule_at"])
    commands.give(
        "submit_evidence", f"evidence:{locked.ref}:submit:{now:%Y%m%d%H%M%S%f}", locked.pk
    )


def _tell_staff(chargeback: Chargeback, kind: str) -> None:
    log.error("%s: %s", kind, chargeback)
    notify(
        staff_who_may(PERMISSION),
        kind,
        key=f"{kind}:{chargeback.ref}:{clock.now():%Y%m%d%H%M%S%f}",
        url=reverse("admin:payments_chargeback_change", args=[chargeback.pk]),
        group="work",
        facts={"amount": chargeback.amount, "due": chargeback.due_by},
    )


@command("submit_evidence")
def send_submission(message: OutboxMessage) -> None:
    """Send the evidence to the bank. Safe to run twice. What it comes to is read from Stripe."""
    chargeback = Chargeback.objects.get(pk=message.payload["id"])
    if chargeback.evidence_state != State.SUBMITTING:
        outbox.done(message)
        return
    try:
        _send(chargeback, message, submit=True)
    except gateway.Refused as error:
        log.error("evidence of %s was refused: %s", chargeback, error)  # noqa: TRY400 - an answer
        _refused(chargeback, message, code=error.code or "refused")
        return
    with transaction.atomic():
        Chargeback.objects.filter(pk=chargeback.pk, evidence_state=State.SUBMITTING).update(
            evidence_state=State.SUBMITTED
        )
        outbox.done(message)


@transaction.atomic
def _refused(chargeback: Chargeback, message: OutboxMessage, *, code: str) -> None:
    """It waits for a person again; the rule does not try twice."""
    by_rule = chargeback.submitted_by_id is None
    moved = Chargeback.objects.filter(pk=chargeback.pk, evidence_state=State.SUBMITTING).update(
        evidence_state=State.STAGED, submitted_by=None, submitted_at=None
    )
    if moved and by_rule:
        _tell_staff(chargeback, "evidence_refused")
    audit.record(None, "chargeback.submission_refused", chargeback, rule="stripe", code=code)
    outbox.done(message)
