"""A payee's account at Stripe: made when it is first needed, believed only as Stripe tells it."""

import datetime as dt
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.errors import DomainError, InvalidInput
from payments import gateway
from payments.models import Payout, PayoutAccount
from payments.services import alerts, bank_details, bank_payouts, schedules, transfers
from payments.services.bank_payouts import StripeAway

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

# How long after an account's last look we look again, with payouts on their way and without.
BUSY, QUIET = dt.timedelta(hours=6), dt.timedelta(hours=24)
# Banks send money back within days; after this a payout stays what it is.
SETTLED = dt.timedelta(days=30)
# Stripe's words for an account that was cut off from us.
NOT_OURS_ANY_MORE = {"account_invalid", "platform_account_required"}


def onboarding_url(
    party: Party, *, by: "User", country: str, refresh_url: str, return_url: str
) -> str:
    """Where the payee answers Stripe's questions; works once, so ask again for every visit.

    Talks to Stripe, so call it outside transactions. Raises StripeAway, InvalidInput when Stripe
    does not serve the country, and DomainError when the account turns out to be gone.
    """
    account = _account_of(party, by=by)
    if account.is_lost:
        account = _forget(account, by=by)
    try:
        if not account.stripe_id:
            _open(account, by=by, country=country)
        return gateway.account_link(
            account.stripe_id, refresh_url=refresh_url, return_url=return_url
        )
    except gateway.Unavailable as error:
        raise StripeAway from error
    except gateway.Refused as error:
        log.error("payout account of %s refused: %s", party.ref, error)  # noqa: TRY400 - an answer
        if error.code in NOT_OURS_ANY_MORE:
            _lose(account.pk, account.stripe_id)
            raise DomainError(
                _("Your Stripe account is no longer connected to us. Try again to open another.")
            ) from error
        raise InvalidInput(
            _("Stripe cannot pay out to this country yet. Choose another one or write to us."),
            field="country",
        ) from error


@transaction.atomic
def _account_of(party: Party, *, by: "User") -> PayoutAccount:
    account, created = PayoutAccount.objects.get_or_create(party=party)
    if created:
        audit.record(by, "payout_account.started", account)
    return account


@transaction.atomic
def _forget(account: PayoutAccount, *, by: "User") -> PayoutAccount:
    """The account Stripe does not show us any more makes room for another one."""
    locked = PayoutAccount.objects.select_for_update().get(pk=account.pk)
    if locked.is_lost:
        audit.record(by, "payout_account.forgotten", locked, stripe_id=locked.stripe_id)
        locked.stripe_id = locked.disabled_reason = locked.country = ""
        locked.openings += 1
        locked.schedule_asked = locked.schedule_set = "daily"
        locked.available = {}
        locked.save()
        bank_details.learn(locked, [])
    return locked


def _open(account: PayoutAccount, *, by: "User", country: str) -> None:
    # The key names all we ask, so two clicks make one account, and another country after a refusal
    # is another question.
    again = f":{account.openings}" if account.openings else ""
    try:
        opened = gateway.create_account(
            key=f"account:{account.party.ref}:{by.ref}:{country}{again}",
            email=by.email,
            country=country,
            reference=account.party.ref,
        )
    except gateway.Unavailable as error:
        if error.answered:
            # The next click asks under a new key. What this one may have opened stays empty.
            PayoutAccount.objects.filter(pk=account.pk, openings=account.openings).update(
                openings=account.openings + 1
            )
        raise
    _learn(account.pk, opened, [])
    account.refresh_from_db()


def refresh(account: PayoutAccount) -> None:
    """Ask Stripe how the account stands; what waited for it is sent. Repeating is harmless.

    Talks to Stripe, so call it outside transactions. Raises StripeAway.
    """
    if account.stripe_id:
        try:
            told = gateway.retrieve_account(account.stripe_id)
            banks = gateway.list_banks(account.stripe_id)
        except gateway.Unavailable as error:
            raise StripeAway from error
        except gateway.Refused as error:
            if error.code not in NOT_OURS_ANY_MORE:
                raise
            _lose(account.pk, account.stripe_id)
        else:
            _learn(account.pk, told, banks)
        account.refresh_from_db()


@transaction.atomic
def _lose(pk: int, stripe_id: str) -> None:
    """Stripe does not show us the account: nothing is sent there, what we owe stays owed."""
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=pk)
    if account.is_lost or account.stripe_id != stripe_id:
        return
    now = clock.now()
    account.can_receive = account.payouts_enabled = False
    account.disabled_reason = PayoutAccount.LOST
    account.requirements, account.past_due, account.deadline = [], [], None
    account.available = {}
    account.changed_at, account.stopped_at = now, account.stopped_at or now
    account.save()
    audit.record(None, "payout_account.lost", account, rule="stripe")
    _tell(account, "payout_account_lost")
    alerts.watch(account.party)


def refresh_payouts(account: PayoutAccount) -> None:
    """Ask Stripe how all payouts stand that may still change, and what can be paid out now.

    Talks to Stripe, so call it outside transactions. Raises gateway errors and StripeAway.
    """
    there = gateway.list_payouts(account=account.stripe_id, since=clock.now() - SETTLED)
    # Most of them ended long ago: only what we know otherwise is worth a lock.
    known = set(
        account.payouts.filter(stripe_id__in=[told.id for told in there]).values_list(
            "stripe_id", "status", "arrives_on", "bank__stripe_id"
        )
    )
    for told in there:
        if (told.id, told.status, told.arrives_on, told.bank) not in known:
            bank_payouts.record(account, told)
    bank_payouts.learn_available(account)


def look(account: PayoutAccount) -> None:
    """Ask Stripe how everything about the account stands. Raises StripeAway."""
    try:
        refresh(account)
        if account.stripe_id and not account.is_lost:
            refresh_payouts(account)
            schedules.look(account)
    except gateway.Unavailable as error:
        raise StripeAway from error
    except gateway.Refused as error:
        # Nobody else must wait for this one; its own time comes again.
        log.error("%s cannot be looked at: %s", account, error)  # noqa: TRY400 - an answer


def look_again(*, limit: int = 20) -> int:
    """Look at accounts whose time has come, whatever events told us; returns how many.

    Events of payees' accounts cannot be listed together with ours, so this finds what a webhook
    missed. Two at once take different accounts.
    """
    looked = 0
    while looked < limit and (account := _due()):
        looked += 1
        look(account)
    return looked


@transaction.atomic
def _due() -> PayoutAccount | None:
    now = clock.now()
    due = PayoutAccount.objects.exclude(stripe_id="").filter(look_at__lte=now)
    account = due.select_for_update(skip_locked=True).order_by("look_at").first()
    if account:
        busy = account.payouts.filter(status__in=Payout.RUNNING).exists()
        account.look_at = now + (BUSY if busy else QUIET)
        account.save(update_fields=["look_at"])
    return account


@transaction.atomic
def _learn(pk: int, told: gateway.Account, banks: Iterable[gateway.Bank]) -> None:
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=pk)
    if account.stripe_id and account.stripe_id != told.id:
        log.error("a second account %s for %s is left unused", told.id, account.party.ref)
        return
    could = account.can_receive
    told_now: dict[str, object] = {
        "stripe_id": told.id,
        "country": told.country,
        "can_receive": told.transfers_active,
        "payouts_enabled": told.payouts_enabled,
        "details_submitted": told.details_submitted,
        "requirements": list(told.requirements),
        "past_due": list(told.past_due),
        "deadline": told.deadline,
        "disabled_reason": (told.disabled_reason or "")[:80],
    }
    if told.transfers_active:
        told_now["stopped_at"] = None
    elif could:
        told_now["stopped_at"] = clock.now()
    if account.is_lost:
        # Back again: commands of the time between were not carried out.
        told_now["schedule_asked"] = account.schedule_set
    if any(getattr(account, name) != value for name, value in told_now.items()):
        # Nothing new writes nothing: people look at this page more often than it changes.
        PayoutAccount.objects.filter(pk=pk).update(**told_now, changed_at=clock.now())
        account.refresh_from_db()
    bank_details.learn(account, banks)
    schedules.plan(account)
    if could != account.can_receive:
        audit.record(None, "payout_account.changed", account, rule="stripe", can=not could)
        _tell(account, "payout_ready" if account.can_receive else "payout_stopped")
    if account.can_receive:
        transfers.resume(account.party)
    alerts.watch(account.party)


def _tell(account: PayoutAccount, kind: str) -> None:
    notify(
        people_of(account.party, "manage"),
        kind,
        key=f"{kind}:{account.changed_at:%Y-%m-%d}",
        url=reverse("payments:payout-setup"),
        group="money",
        facts={},
    )
