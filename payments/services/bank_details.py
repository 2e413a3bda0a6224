"""Where payouts go: a row for each bank account Stripe used, since when and until when.

Whoever takes over an account changes the bank details first. So after a change no payout leaves
for some days, the addresses we knew before are told as well, and one click stops everything.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Group
from accounts.selectors import people_of
from accounts.services import former_addresses
from accounts.services.notices import notify
from marketplace.core import audit, clock, mail
from marketplace.core.errors import InvalidTransition, NotAllowed
from payments import gateway
from payments.models import BankDetails, Hold, PayoutAccount, PayoutAlert, Transfer
from payments.selectors.payouts import banks_of, link_token
from payments.services import alerts, bank_payouts, policies, schedules, suspicion
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

Status = BankDetails.Status
# Released to the payee, and not theirs any more.
GONE = (Transfer.Status.SET_OFF, Transfer.Status.GIVEN_BACK)


# --- What Stripe tells ----------------------------------------------------------------------


def learn(account: PayoutAccount, told: Iterable[gateway.Bank]) -> None:
    """Keep which bank each currency is paid out to now. The caller holds the account's lock."""
    used = {bank.currency: bank for bank in told if bank.in_use}
    known = {row.currency: row for row in banks_of(account)}
    for currency, row in known.items():
        bank = used.get(currency)
        if bank is None or bank.id != row.stripe_id:
            _replace(row)
        elif bank.errored != row.errored:
            row.errored = bank.errored
            row.save(update_fields=["errored"])
    for currency, bank in used.items():
        old = known.get(currency)
        if old is None or old.stripe_id != bank.id:
            _keep(account, bank)


def _replace(row: BankDetails) -> None:
    changes = {"replaced_at": clock.now()}
    if row.status == Status.COOLING:
        row.move_to(Status.DROPPED, **changes)
    else:
        BankDetails.objects.filter(pk=row.pk).update(**changes)


def _keep(account: PayoutAccount, bank: gateway.Bank) -> None:
    earlier = account.banks.order_by("-pk")
    is_first = not earlier.exists()
    is_new = _money_waits(account) if is_first else not _is_trusted(account, bank)
    people = list(people_of(account.party, "manage"))
    addresses = sorted(user.email for user in people)
    days = dt.timedelta(days=policies.current().bank_change_days)
    # Whoever was told of a change stays told until the change is trusted.
    last = earlier.filter(status=Status.TRUSTED).first()
    row = BankDetails.objects.create(
        account=account,
        stripe_id=bank.id,
        currency=bank.currency,
        fingerprint=bank.fingerprint[:80],
        bank_name=bank.name[:120],
        last4=bank.last4[-4:],
        country=bank.country[:2],
        errored=bank.errored,
        status=Status.COOLING if is_new else Status.TRUSTED,
        due_at=clock.now() + days if is_new else None,
        known_addresses=addresses,
    )
    audit.record(
        None, "bank_details.seen", row, rule="stripe", account=account.pk, status=row.status
    )
    suspicion.look_at_bank(account.party)
    if is_new:
        known = {*(last.known_addresses if last else ()), *former_addresses.of(people)}
        _tell(row, known - set(addresses))


def _money_waits(account: PayoutAccount) -> bool:
    """Whether somebody who has just taken over the payee's sign-in would find money to take."""
    # What was sent already lies in the account, which had no bank to pay it out to.
    sent = Transfer.objects.filter(payee=account.party).exclude(status__in=GONE)
    held = Hold.objects.filter(payee=account.party, status__in=Hold.WITH_US)
    return sent.exists() or held.exists()


def _is_trusted(account: PayoutAccount, bank: gateway.Bank) -> bool:
    """Whether the money of this currency last went to the very same number, undisputed."""
    trusted = account.banks.filter(status=Status.TRUSTED, currency=bank.currency)
    last = trusted.order_by("-pk").first()
    return bool(last and bank.fingerprint and last.fingerprint == bank.fingerprint)


def _tell(row: BankDetails, old_addresses: Iterable[str]) -> None:
    """Tell the people of today in the product and by mail, and by mail the addresses of before."""
    url = reverse("payments:bank-report", args=[link_token(row)])
    facts = {"last4": row.last4, "until": row.due_at}
    people = list(people_of(row.account.party, "manage"))
    key = f"bank_changed:{row.ref}"
    notify(people, "bank_changed", key=key, url=url, group=Group.MONEY, facts=facts)
    reader = people[0] if people else None
    for address in old_addresses:
        # Not the address itself: keys stay, addresses can be erased.
        digest = hashlib.sha256(address.encode()).hexdigest()[:12]
        mail.put(
            f"{key}:{digest}",
            to=address,
            template="payments/mail/bank_changed",
            context={**facts, "report_url": settings.SITE_URL + url},
            language=reader.language if reader else "en",
            time_zone=reader.time_zone if reader else "UTC",
        )


# --- What people do -------------------------------------------------------------------------


@transaction.atomic
def report(bank: BankDetails, *, by: "User | None") -> None:
    """It was not me: stop all payouts of the account and call staff. Repeating changes nothing.

    `by` is None for somebody who came through the link in a mail. Raises InvalidTransition when a
    person of ours has talked about this change with the payee already: old mails stay around.
    """
    account = _lock_account(bank)
    row = BankDetails.objects.select_for_update().get(pk=bank.pk)
    if row.status == Status.REPORTED:
        return
    if row.settled_at:
        raise InvalidTransition(
            _("We have looked into this change already. Write to us if something is wrong.")
        )
    row.move_to(Status.REPORTED, reported_at=clock.now())
    facts = {} if by else {"rule": "link in a mail"}
    audit.record(by, "bank_details.reported", row, account=account.pk, **facts)
    schedules.plan(account)
    bank_payouts.call_off_reported(account)
    # What left Stripe's schedule since we looked last is found by the next sweep.
    PayoutAccount.objects.filter(pk=account.pk).update(look_at=clock.now())
    alerts.call(account, PayoutAlert.Kind.REPORTED)


@transaction.atomic
def lift(bank: BankDetails, *, by: "User", reason: str) -> None:
    """A person of ours has looked: payouts go on. Details that were replaced stay untrusted.

    Raises NotAllowed, InvalidInput without a reason, InvalidTransition when nothing waits.
    """
    if not (by.is_active and by.is_staff and by.has_perm(alerts.PERMISSION)):
        raise NotAllowed
    if people_of(bank.account.party).filter(pk=by.pk).exists():
        raise NotAllowed(_("This is about money of your own. Somebody else has to do it."))
    reason = check_reason(reason)
    account = _lock_account(bank)
    row = BankDetails.objects.select_for_update().get(pk=bank.pk)
    if row.status not in {Status.COOLING, Status.REPORTED}:
        raise InvalidTransition
    row.move_to(
        Status.DROPPED if row.replaced_at else Status.TRUSTED,
        settled_by=by,
        settled_because=reason,
        settled_at=clock.now(),
    )
    audit.record(by, "bank_details.lifted", row, account=account.pk)
    if not account.banks.filter(status=Status.REPORTED).exists():
        alerts.over(account, PayoutAlert.Kind.REPORTED, by=by)
    _go_on(account, row)


def run_due(*, limit: int = 100) -> int:
    """Trust the details nobody objected to in time. Beat calls it; two at once take different."""
    trusted = 0
    while trusted < limit and _trust_next():
        trusted += 1
    return trusted


@transaction.atomic
def _trust_next() -> bool:
    due = BankDetails.objects.filter(status=Status.COOLING, due_at__lte=clock.now())
    found = due.order_by("due_at").first()
    if found is None:
        return False
    account = _lock_account(found)
    row = BankDetails.objects.select_for_update().get(pk=found.pk)
    if row.status == Status.COOLING:
        row.move_to(Status.TRUSTED)
        audit.record(None, "bank_details.trusted", row, rule="bank_change_days")
        _go_on(account, row)
    return True


def _go_on(account: PayoutAccount, row: BankDetails) -> None:
    schedules.plan(account)
    notify(
        people_of(account.party, "manage"),
        "payouts_go_on",
        key=f"payouts_go_on:{row.ref}",
        url=reverse("payments:payout-setup"),
        group=Group.MONEY,
        facts={"last4": row.last4},
    )


def _lock_account(bank: BankDetails) -> PayoutAccount:
    return PayoutAccount.objects.select_for_update().get(pk=bank.account_id)
