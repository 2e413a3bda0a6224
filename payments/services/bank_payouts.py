"""The last way: payouts from payees' accounts at Stripe to their banks.

The money has left our balance, so nothing here touches the ledger; the rows say where it is.
Stripe's events are reasons to look, and what they miss the daily look finds.
"""

import datetime as dt
import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import people_of, require_right
from accounts.services.notices import notify
from marketplace.core import audit, clock, outbox
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidInput
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import gateway
from payments.models import BankDetails, Payout, PayoutAccount
from payments.selectors.payouts import pause_of, ready_for_bank
from payments.services import commands
from payments.services.commands import command
from payments.services.instant import offer_of

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
Status = Payout.Status


class StripeAway(DomainError):
    """Stripe does not answer; nothing was changed."""

    code = "stripe_away"
    status = 503
    default_message = gettext_lazy(
        "Stripe does not answer at the moment. Nothing was changed. Try again soon."
    )


class PayoutsPaused(DomainError):
    """No payout may leave this account now; the sentence says why and until when."""

    code = "payouts_paused"


# Told to people; older ones we hear of for the first time are history.
NEWS = dt.timedelta(days=7)
TOLD = {
    Status.PAID: "payout_arrived",
    Status.FAILED: "payout_failed",
    Status.CANCELED: "payout_canceled",
    Status.REFUSED: "payout_refused",
}
# Stripe's clock and ours may differ when we look for what a command did.
CLOCKS_DIFFER = dt.timedelta(hours=1)

# --- On demand ------------------------------------------------------------------------------


def pay_out(account: PayoutAccount, *, by: "User", amount: Money, key: str) -> Payout:
    """Send available money to the payee's bank now; the same key again is the same payout.

    Asks Stripe first, so call it outside transactions. Raises NotAllowed, PayoutsPaused,
    InvalidInput for more than there is, and StripeAway.
    """
    require_right(by, account.party, "manage")
    again = account.payouts.filter(asked_as=key).first()
    if again:
        return again
    learn_available(account)
    return _ask(account.pk, by=by, amount=amount, key=key)


def pay_out_at_once(
    account: PayoutAccount, *, by: "User", amount: Money, fee: Money, key: str
) -> Payout:
    """Send all that can be there within minutes, for the fee the payee has read (rule M10).

    The same key again is the same payout. If the bank cannot take it so, it goes the normal way
    without the fee. Asks Stripe first, so call it outside transactions. Raises NotAllowed,
    PayoutsPaused, StripeAway, and InvalidInput when this is not offered (any more).
    """
    require_right(by, account.party, "manage")
    again = account.payouts.filter(asked_as=key).first()
    if again:
        return again
    # A threshold that is reached would send the same money the slow way, a moment before.
    learn_available(account, may_send=False)
    return _ask_at_once(account.pk, by=by, amount=amount, fee=fee, key=key)


@transaction.atomic
def _ask_at_once(pk: int, *, by: "User", amount: Money, fee: Money, key: str) -> Payout:
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=pk)
    again = account.payouts.filter(asked_as=key).first()
    if again:
        return again
    if pause := pause_of(account):
        raise PayoutsPaused(pause.text)
    offer = offer_of(account, amount.currency)
    if offer is None or (offer.amount, offer.fee) != (amount, fee):
        raise InvalidInput(
            _("This offer has changed. Read what it costs now and choose again."), field="amount"
        )
    return _request(account, amount, by=by, key=key, fee=fee)


def learn_available(account: PayoutAccount, *, may_send: bool = True) -> None:
    """Ask Stripe what can go to the bank now; from the payee's threshold on it does so by itself.

    Not so with `may_send=False`: then somebody is choosing what happens to the money. Talks to
    Stripe, so call it outside transactions. Raises StripeAway.
    """
    try:
        reachable = account.stripe_id and not account.is_lost
        nothing = gateway.Ready({}, {})
        there = gateway.ready_to_leave(account=account.stripe_id) if reachable else nothing
    except gateway.Unavailable as error:
        raise StripeAway from error
    _keep_available(account.pk, there, may_send=may_send)
    account.refresh_from_db()


@transaction.atomic
def _keep_available(pk: int, there: gateway.Ready, *, may_send: bool) -> None:
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=pk)
    account.available = {code: minor for code, minor in there.available.items() if minor > 0}
    account.at_once = {
        code: {"net": one.net, "fee": one.fee} for code, one in there.at_once.items() if one.net > 0
    }
    account.available_at = clock.now()
    account.save(update_fields=["available", "available_at", "at_once"])
    threshold = account.threshold
    if may_send and threshold and not pause_of(account):
        ready = _ready(account, threshold.currency)
        if ready >= threshold:
            _request(account, ready, by=None)


@transaction.atomic
def _ask(pk: int, *, by: "User", amount: Money, key: str) -> Payout:
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=pk)
    again = account.payouts.filter(asked_as=key).first()
    if again:
        return again
    if pause := pause_of(account):
        raise PayoutsPaused(pause.text)
    ready = _ready(account, amount.currency)
    if amount.minor <= 0:
        raise InvalidInput(_("Enter an amount above zero"), field="amount")
    if amount > ready:
        raise InvalidInput(
            _("%(ready)s can go to your bank now. Enter that much or less.")
            % {"ready": money_text(ready)},
            field="amount",
        )
    return _request(account, amount, by=by, key=key)


def _ready(account: PayoutAccount, currency: str) -> Money:
    ready = {one.currency: one for one in ready_for_bank(account)}
    return ready.get(currency, Money.zero(currency))


def _request(
    account: PayoutAccount,
    amount: Money,
    *,
    by: "User | None",
    key: str = "",
    fee: Money | None = None,
) -> Payout:
    payout = Payout.objects.create(
        account=account,
        status=Status.REQUESTED,
        amount_minor=amount.minor,
        currency=amount.currency,
        attempt=1,
        automatic=False,
        asked_as=key,
        at_once=fee is not None,
        fee_minor=fee.minor if fee else 0,
    )
    rule = {} if by else {"rule": "threshold"}
    audit.record(by, "payout.requested", payout, amount=amount.minor, **rule)
    commands.give("payout", payout.command_id, payout.pk)
    return payout


@command("payout")
def send(message: OutboxMessage) -> None:
    """Have Stripe pay out. Safe to run twice: the key belongs to the payout."""
    payout = Payout.objects.select_related("account__party").get(pk=message.payload["id"])
    account = payout.account
    if payout.status != Status.REQUESTED or payout.command_id != message.key:
        outbox.done(message)
        return

    def find() -> gateway.Payout | None:
        return gateway.find_payout(
            account=account.stripe_id,
            since=payout.created_at - CLOCKS_DIFFER,
            command_id=message.key,
        )

    told: gateway.Payout | None
    try:
        if pause_of(account):
            # Nothing is asked again: the bank may be another one now. What Stripe did hear counts.
            told = find() if message.payload.get("asked") else None
        else:
            told = commands.ask(
                message,
                lambda key: gateway.pay_out(
                    key=key,
                    account=account.stripe_id,
                    amount=payout.amount,
                    metadata={"command": message.key, "payout": payout.ref},
                    at_once=payout.at_once,
                ),
                find=find,
            )
    except gateway.Refused as error:
        if payout.at_once:
            _take_the_normal_way(payout.pk, error.code or "refused", message)
        else:
            _refused(payout.pk, error.code or "refused", message)
        return
    if told is None:
        _refused(payout.pk, "paused", message)
        return
    with transaction.atomic():
        record(account, told)
        outbox.done(message)


@transaction.atomic
def _take_the_normal_way(pk: int, code: str, message: OutboxMessage) -> None:
    """The bank does not take it within minutes: it goes like any other, without the fee."""
    payout = (
        Payout.objects.select_for_update(of=("self",)).select_related("account__party").get(pk=pk)
    )
    if payout.status == Status.REQUESTED and payout.at_once:
        payout.attempt += 1
        payout.at_once, payout.fee_minor = False, 0
        payout.save(update_fields=["attempt", "at_once", "fee_minor"])
        audit.record(None, "payout.not_at_once", payout, rule="M10", code=code)
        _tell(payout, "payout_not_at_once")
        commands.give("payout", payout.command_id, payout.pk)
    outbox.done(message)


@transaction.atomic
def _refused(pk: int, code: str, message: OutboxMessage) -> None:
    payout = (
        Payout.objects.select_for_update(of=("self",)).select_related("account__party").get(pk=pk)
    )
    if payout.status == Status.REQUESTED:
        payout.move_to(Status.REFUSED, failure=code[:80], ended_at=clock.now())
        audit.record(None, "payout.refused", payout, rule="stripe", code=code)
        _tell(payout, TOLD[Status.REFUSED])
    outbox.done(message)


# --- What Stripe tells ----------------------------------------------------------------------


@transaction.atomic
def record(account: PayoutAccount, told: gateway.Payout) -> None:
    """Keep how a payout stands now. Repeating, or hearing it in another order, changes nothing."""
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=account.pk)
    payout = _row_of(account, told)
    known: dict[str, object] = {
        "stripe_id": told.id,
        "arrives_on": told.arrives_on,
        "bank": BankDetails.objects.filter(account=account, stripe_id=told.bank).last(),
        "at_once": told.at_once,
        "fee_minor": told.fee,
    }
    if told.status not in Status.values:
        log.error("%s has a status nobody knows: %s", told.id, told.status)
    elif told.status in Payout.MOVES.get(payout.status, ()):
        _move(payout, told, known)
    elif any(getattr(payout, name) != value for name, value in known.items()):
        Payout.objects.filter(pk=payout.pk).update(**known)
    call_off_reported(account)


def _row_of(account: PayoutAccount, told: gateway.Payout) -> Payout:
    mine = Payout.objects.filter(account=account)
    found = mine.filter(stripe_id=told.id).first()
    if found is None and (ref := told.metadata.get("payout")):
        # The news may be quicker than the answer.
        found = mine.filter(ref=ref, stripe_id="").first()
    return found or Payout.objects.create(
        account=account,
        stripe_id=told.id,
        amount_minor=told.amount,
        currency=told.currency,
        automatic=told.automatic,
        at_once=told.at_once,
        fee_minor=told.fee,
        created_at=told.created,
    )


def _move(payout: Payout, told: gateway.Payout, known: dict[str, object]) -> None:
    now = clock.now()
    match told.status:
        case Status.PAID:
            known["paid_at"] = now
        case Status.FAILED | Status.CANCELED:
            known |= {"ended_at": now, "failure": told.failure_code[:80]}
    payout.move_to(told.status, **known)
    audit.record(None, f"payout.{told.status}", payout, rule="stripe", amount=payout.amount_minor)
    if told.status == Status.FAILED and payout.bank and payout.bank.replaced_at is None:
        # Stripe sends nothing there any more; the next look at the account confirms it.
        BankDetails.objects.filter(pk=payout.bank.pk).update(errored=True)
    kind = TOLD.get(Status(told.status))
    if kind and told.created > now - NEWS:
        _tell(payout, kind)


def _tell(payout: Payout, kind: str) -> None:
    notify(
        people_of(payout.account.party, "manage"),
        kind,
        key=f"{kind}:{payout.ref}",
        url=reverse("payments:payout-setup" if kind == "payout_failed" else "payments:payouts"),
        group="money",
        facts={
            "amount": payout.amount,
            "last4": payout.bank.last4 if payout.bank else "",
            "code": payout.failure,
            "fee": payout.fee,
        },
    )


# --- Called off -----------------------------------------------------------------------------


def call_off_reported(account: PayoutAccount) -> None:
    """Have Stripe call off what has not left an account whose bank details were reported.

    The caller holds the account's lock. Each payout is asked about once; those we hear of later,
    when they are heard of.
    """
    pause = pause_of(account)
    if pause is None or pause.kind != "reported":
        return
    for payout in account.payouts.filter(status=Status.PENDING, call_off_at=None):
        payout.call_off_at = clock.now()
        payout.save(update_fields=["call_off_at"])
        audit.record(None, "payout.call_off_asked", payout, rule="bank details reported")
        commands.give("payout_call_off", f"payout_call_off:{payout.ref}", payout.pk)


@command("payout_call_off")
def call_off(message: OutboxMessage) -> None:
    """Ask Stripe. It has the last word on whether the payout had left; that is kept and shown."""
    payout = Payout.objects.select_related("account").get(pk=message.payload["id"])
    account = payout.account
    if payout.status != Status.PENDING:
        outbox.done(message)
        return

    def look() -> gateway.Payout:
        return gateway.retrieve_payout(payout.stripe_id, account=account.stripe_id)

    def find() -> gateway.Payout | None:
        there = look()
        return there if there.status == Status.CANCELED else None

    failure = ""
    try:
        told = commands.ask(
            message,
            lambda key: gateway.cancel_payout(payout.stripe_id, account=account.stripe_id, key=key),
            find=find,
        )
    except gateway.Refused as error:
        failure, told = error.code or "refused", look()
    with transaction.atomic():
        record(account, told)
        if failure and told.status != Status.CANCELED:
            Payout.objects.filter(pk=payout.pk).update(call_off_failure=failure[:80])
            audit.record(None, "payout.call_off_refused", payout, rule="stripe", code=failure)
        outbox.done(message)
