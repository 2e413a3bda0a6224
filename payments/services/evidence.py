"""What speaks for us when a bank disputes a payment: collected by rule, sent by a person.

The market knows what a payment was for. It answers `signals.work_record_wanted`; payments knows no
more of it than the record below.
"""

import datetime as dt
import logging
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, outbox
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from marketplace.core.models import OutboxMessage
from payments import gateway, signals
from payments.models import Chargeback, Hold
from payments.services import commands
from payments.services.commands import command

log = logging.getLogger(__name__)
State = Chargeback.Evidence
PERMISSION = "payments.act_on_chargeback"
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
        said.append(f"{hold.label}: {money_text(hold.client_pays)} paid, {hold.status}.")
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
    chargeback.submitted_by = chargeback.submitted_at = None
    chargeback.save(update_fields=["evidence", "evidence_state", "submitted_by", "submitted_at"])
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
    locked.evidence_state = State.SUBMITTING
    locked.submitted_by = by
    locked.submitted_at = now
    locked.save(update_fields=["evidence_state", "submitted_by", "submitted_at"])
    audit.record(by, "chargeback.submitted", locked)
    commands.give(
        "submit_evidence", f"evidence:{locked.ref}:submit:{now:%Y%m%d%H%M%S%f}", locked.pk
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
    Chargeback.objects.filter(pk=chargeback.pk, evidence_state=State.SUBMITTING).update(
        evidence_state=State.STAGED, submitted_by=None, submitted_at=None
    )
    audit.record(None, "chargeback.submission_refused", chargeback, rule="stripe", code=code)
    outbox.done(message)
