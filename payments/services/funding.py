"""Paying in: one Checkout page, one record of its outcome, whichever way the news comes.

Rows of Stripe's side (Funding, Transfer, Refund) are locked before the market's rows, because news
climbs from here to there inside one transaction; services that come down from the market never lock
them. So the two directions cannot deadlock.
"""

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.core import audit, clock, outbox
from marketplace.core.errors import InvalidTransition
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import gateway, ledger, signals
from payments.models import Funding, FundingPart, Hold
from payments.services import commands, refunds, suspicion
from payments.services.commands import command

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
Status = Funding.Status

# Stripe keeps a page open for 24 hours at most; the margin is for starting late.
PAGE_LIVES = dt.timedelta(hours=23)
# The payer's own request opens the page; if it dies, the sweep does it after this.
SWEEP_AFTER = dt.timedelta(seconds=20)
# How long a second click waits for the page the first one is opening.
PATIENCE = 4.0


# --- Starting -------------------------------------------------------------------------------


def start_checkout(hold: Hold, *, by: "User", success_url: str, cancel_url: str) -> Funding:
    """A way to pay for the hold; asking again gives the one that is running.

    Raises InvalidTransition when the hold does not wait for money.
    """
    return start_joint_checkout([hold], by=by, success_url=success_url, cancel_url=cancel_url)


@transaction.atomic
def start_joint_checkout(
    holds: Sequence[Hold], *, by: "User", success_url: str, cancel_url: str
) -> Funding:
    """A way to pay for several holds of one payer at once; asking again gives the one that runs.

    A running page for other holds together with one of these is closed: nobody shall pay twice. If
    it is paid before it closes, what is paid double goes back. Raises InvalidTransition when one of
    the holds does not wait for money, or a slow payment for it is on its way.
    """
    holds = sorted(holds, key=lambda hold: hold.pk)
    for hold in holds:
        hold.refresh_from_db(from_queryset=Hold.objects.select_for_update())
        if hold.status != Hold.Status.PENDING:
            raise InvalidTransition
    running = list(
        Funding.objects.filter(parts__hold__in=holds, status__in=Funding.RUNNING)
        .distinct()
        .order_by("id")
    )
    wanted = {hold.pk for hold in holds}
    for funding in reversed(running):
        if set(funding.parts.values_list("hold_id", flat=True)) == wanted:
            return funding
    if any(funding.status == Status.PROCESSING for funding in running):
        raise InvalidTransition(_("A payment for it is on its way already."))
    for funding in running:
        commands.give("expire", f"expire:{funding.ref}", funding.pk)
    return _start(holds, by=by, success_url=success_url, cancel_url=cancel_url)


def _start(holds: Sequence[Hold], *, by: "User", success_url: str, cancel_url: str) -> Funding:
    first = holds[0]
    funding = Funding.objects.create(
        payer=first.payer,
        started_by=by,
        amount_minor=sum(hold.client_pays.minor for hold in holds),
        currency=first.currency,
        success_url=success_url,
        cancel_url=cancel_url,
        customer_email=by.email,
        expires_at=(clock.now() + PAGE_LIVES).replace(microsecond=0),
    )
    for hold in holds:
        FundingPart.objects.create(
            funding=funding,
            hold=hold,
            attempt=hold.funding_parts.count() + 1,
            amount_minor=hold.amount_minor,
            client_fee_minor=hold.client_fee_minor,
        )
    commands.give("checkout", _key(funding), funding.pk, due_at=clock.now() + SWEEP_AFTER)
    audit.record(by, "funding.started", funding, amount=funding.amount_minor)
    return funding


def checkout_url(funding: Funding) -> str | None:
    """Where the payer pays. Asks Stripe now if nobody has; call it outside transactions.

    None while Stripe is away: the command stays and is repeated, so the page may wait and look.
    """
    if funding.status == Status.STARTING:
        message = OutboxMessage.objects.get(key=_key(funding))
        if message.attempts == 0:
            OutboxMessage.objects.filter(pk=message.pk, attempts=0).update(due_at=clock.now())
        outbox.deliver(message.pk)
        _wait_while_starting(funding, message)
    return funding.session_url if funding.status == Status.OPEN else None


def _wait_while_starting(funding: Funding, message: OutboxMessage) -> None:
    """Somebody else may be talking to Stripe at this moment; give them a little time."""
    deadline = time.monotonic() + PATIENCE
    funding.refresh_from_db()
    while funding.status == Status.STARTING and time.monotonic() < deadline:
        message.refresh_from_db()
        if message.last_error:
            break
        time.sleep(0.1)
        funding.refresh_from_db()


@command("checkout")
def open_page(message: OutboxMessage) -> None:
    """Have Stripe make the Checkout page. Safe to run twice: the key belongs to the funding."""
    funding = Funding.objects.get(pk=message.payload["id"])
    parts = list(funding.parts.select_related("hold"))
    if funding.status != Status.STARTING:
        outbox.done(message)
    elif any(part.hold.status != Hold.Status.PENDING for part in parts):
        # Cancelled before anybody asked Stripe, or before anybody heard its answer: the page, if
        # there is one, was never shown.
        _give_up(funding, message)
    else:
        try:
            session = commands.ask(
                message, lambda key: _create_page(funding, parts, key), find=lambda: None
            )
        except gateway.Refused as error:
            log.error("checkout for %s refused: %s", funding, error)  # noqa: TRY400 - an answer
            _give_up(funding, message, failure=error.code)
        else:
            _opened(funding, session, message)


def _create_page(funding: Funding, parts: list[FundingPart], key: str) -> gateway.CheckoutSession:
    lines = []
    for part in parts:
        lines.append(gateway.CheckoutLine(part.hold.label, part.hold.amount))
        if part.hold.client_fee:
            lines.append(gateway.CheckoutLine(_fee_label(), part.hold.client_fee))
    return gateway.create_checkout(
        key=key,
        lines=lines,
        description=parts[0].hold.label,
        reference=funding.ref,
        metadata={"funding": funding.ref},
        transfer_group=funding.transfer_group,
        success_url=funding.success_url,
        cancel_url=funding.cancel_url,
        expires_at=funding.expires_at,
        customer_email=funding.customer_email,
    )


def _fee_label() -> str:
    # In English for everybody: a repeated command must be the same to the letter.
    return "Client fee"


@transaction.atomic
def _opened(funding: Funding, session: gateway.CheckoutSession, message: OutboxMessage) -> None:
    locked = Funding.objects.select_for_update().get(pk=funding.pk)
    if locked.status == Status.STARTING:
        locked.move_to(
            Status.OPEN,
            session_id=session.id,
            session_url=session.url or "",
            # Stripe has it now; here it has served its purpose.
            customer_email="",
        )
    outbox.done(message)


@transaction.atomic
def _give_up(funding: Funding, message: OutboxMessage, *, failure: str = "") -> None:
    locked = Funding.objects.select_for_update().get(pk=funding.pk)
    if locked.status == Status.STARTING:
        _expire(locked, failure=failure or "not_asked")
    outbox.done(message)


def _key(funding: Funding) -> str:
    return f"checkout:{funding.ref}"


# --- Stopping -------------------------------------------------------------------------------


def stop(hold: Hold) -> None:
    """Have the running Checkout page of a cancelled hold closed."""
    for funding in Funding.objects.filter(parts__hold=hold, status__in=Funding.RUNNING):
        commands.give("expire", f"expire:{funding.ref}", funding.pk)


@command("expire")
def close_page(message: OutboxMessage) -> None:
    """Have Stripe close the page, then record what it came to: the payer may have been faster."""
    funding = Funding.objects.get(pk=message.payload["id"])
    if funding.status == Status.STARTING:
        # The command that opens it sees the cancelled hold, and ends the funding itself.
        raise outbox.Later("the page is just being opened")
    if funding.is_running:
        try:
            session = gateway.expire_checkout(funding.session_id, key=message.key)
        except gateway.Refused:
            session = gateway.retrieve_checkout(funding.session_id)
        record(session)
    outbox.done(message)


# --- What came of it ------------------------------------------------------------------------


def confirm(funding: Funding) -> Funding:
    """Look at Stripe now, because the payer came back; gives the funding as it stands then.

    The same record as the webhook makes, so it does not matter who is first. An unpaid page
    changes nothing.
    """
    if funding.is_running and funding.session_id:
        try:
            record(gateway.retrieve_checkout(funding.session_id))
        except gateway.GatewayError as error:
            log.warning("could not confirm %s: %s", funding, error)
    funding.refresh_from_db()
    return funding


def record(session: gateway.CheckoutSession, *, failed: bool = False) -> None:
    """Take down what a Checkout page has come to. Repeating changes nothing.

    `failed` says that a slow payment has failed for good. Raises gateway errors, because the
    charge is read from Stripe too.
    """
    charge = gateway.retrieve_charge(session.charge) if session.charge else None
    try:
        _record(session, charge, failed=failed)
    except InvalidTransition:
        # The hold was cancelled between our look at it and our move. Now we see that.
        _record(session, charge, failed=failed)


@transaction.atomic
def _record(
    session: gateway.CheckoutSession, charge: gateway.Charge | None, *, failed: bool
) -> None:
    funding = Funding.objects.select_for_update().get(ref=session.metadata["funding"])
    if funding.session_id not in {"", session.id}:
        # Made by Stripe although it answered with an error: nobody was ever shown this page.
        if session.payment_status == "unpaid":
            return
        raise LookupError(f"{session.id} is not the page of {funding}")
    if session.payment_status == "paid" and charge and charge.paid:
        if funding.is_running or funding.status == Status.EXPIRED:
            _paid(funding, session, charge)
    elif not funding.is_running:
        pass
    elif session.status == "expired" or failed:
        _expire(funding)
    elif session.status == "complete" and funding.status != Status.PROCESSING:
        funding.move_to(Status.PROCESSING, session_id=session.id)


def _expire(funding: Funding, *, failure: str = "") -> None:
    """No money came. The hold waits for another try, unless it was cancelled."""
    funding.move_to(Status.EXPIRED, ended_at=clock.now(), failure=failure, customer_email="")
    for part in funding.parts.select_related("hold").order_by("hold_id"):
        # Another page may have taken its place.
        if not part.hold.funding_parts.filter(funding__status__in=Funding.RUNNING).exists():
            signals.funding_ended.send(sender=Hold, hold=part.hold)


def _paid(funding: Funding, session: gateway.CheckoutSession, charge: gateway.Charge) -> None:
    """Money has come. Post it under the charge's id, so that it is posted once for ever."""
    ends = {
        "ended_at": clock.now(),
        "session_id": session.id,
        "charge_id": charge.id,
        "card_fingerprint": charge.card_fingerprint[:80],
    }
    if not _is_what_we_asked_for(funding, session, charge):
        funding.move_to(Status.QUARANTINED, **ends)
        _quarantine(funding, charge)
        return
    legs: list[ledger.Leg] = [(ledger.STRIPE_BALANCE, -funding.amount)]
    parts = list(funding.parts.select_related("hold__payer", "hold__payee").order_by("hold_id"))
    late = [part for part in parts if part.hold.status != Hold.Status.PENDING]
    funding.move_to(Status.RETURNED if len(late) == len(parts) else Status.PAID, **ends)
    for part in parts:
        if part in late:
            legs += _send_back(funding, part)
        else:
            legs += _hold_it(part)
    ledger.post(f"charge:{charge.id}", "funded", legs, by=funding.started_by, ref=charge.id)
    record_fee(charge)
    suspicion.look(funding)
    audit.record(
        funding.started_by, f"funding.{funding.status}", funding, amount=funding.amount_minor
    )


def _hold_it(part: FundingPart) -> list[ledger.Leg]:
    hold, now = part.hold, clock.now()
    # First the news, then the hold: the market's rows are locked before the hold everywhere.
    signals.funds_received.send(sender=Hold, hold=hold, at=now)
    hold.move_to(Hold.Status.HELD, held_at=now)
    FundingPart.objects.filter(pk=part.pk).update(taken=True)
    return [(ledger.held(hold), hold.amount), (ledger.client_fee_held(hold), hold.client_fee)]


def _send_back(funding: Funding, part: FundingPart) -> list[ledger.Leg]:
    """Nothing waits for this money any more: all of it goes back, once."""
    # What came, which is more than the hold is about now if some of it went back meanwhile.
    came = Money(part.amount_minor + part.client_fee_minor, funding.currency)
    refund = refunds.draw_up(part.hold, funding, came)
    refunds.request(refund)
    return [(ledger.refund_clearing(refund), refund.amount)]


def _is_what_we_asked_for(
    funding: Funding, session: gateway.CheckoutSession, charge: gateway.Charge
) -> bool:
    came = {
        Money(session.amount_total, session.currency),
        Money(charge.amount, charge.currency),
    }
    settled = charge.balance_transaction
    currencies = {session.presented_in or funding.currency}
    if settled:
        currencies.add(settled.currency)
    return came == {funding.amount} and currencies == {funding.currency}


def _quarantine(funding: Funding, charge: gateway.Charge) -> None:
    """Take the money into the books without crediting anybody; a person must look at it."""
    came = Money(charge.amount, charge.currency)
    log.error("%s asked for %s, %s came as %s", funding, funding.amount, came, charge.id)
    ledger.post(
        f"charge:{charge.id}",
        "quarantined",
        [(ledger.STRIPE_BALANCE, -came), (ledger.SUSPENSE, came)],
        ref=charge.id,
    )
    record_fee(charge)
    audit.record(None, "funding.quarantined", funding, rule="F9", charge=charge.id)


def record_fee(charge: gateway.Charge) -> None:
    """Book what Stripe kept of a charge, once Stripe knows it. Repeating changes nothing."""
    settled = charge.balance_transaction
    if settled and settled.fee:
        fee = Money(settled.fee, settled.currency)
        ledger.post(
            f"fee:{settled.id}",
            "stripe_fee",
            [(ledger.STRIPE_FEES, -fee), (ledger.STRIPE_BALANCE, fee)],
            ref=charge.id,
        )


def look_again(*, limit: int = 50) -> int:
    """Ask Stripe about pages whose time is over and whose end we never heard of."""
    overdue = Funding.objects.filter(
        status__in=Funding.RUNNING, expires_at__lt=clock.now()
    ).exclude(session_id="")
    looked = list(overdue.order_by("expires_at")[:limit])
    for funding in looked:
        confirm(funding)
    return len(looked)
