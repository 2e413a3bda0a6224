"""Payouts within minutes (rule M10): to whom they are offered, and for how much."""

import datetime as dt
from dataclasses import dataclass

from marketplace.core import clock
from marketplace.core.money import Money
from payments.models import PayoutAccount
from payments.selectors.payouts import pause_of, ready_for_bank
from payments.services import policies, trust


@dataclass(frozen=True)
class Offer:
    """What arrives, and what is kept beside it: the fee is what it costs us at Stripe."""

    amount: Money
    fee: Money

    @property
    def currency(self) -> str:
        return self.amount.currency


def offers(account: PayoutAccount) -> list[Offer]:
    """What the payee may have within minutes, as Stripe last said; nothing where it is not offered.

    It is for payees whose released money does not wait, with an account and bank details older than
    the policy's days: who took over an account shall not empty it in minutes.
    """
    policy = policies.current()
    if not policy.instant_payouts or pause_of(account) or trust.waits(account.party, policy):
        return []
    old = clock.now() - dt.timedelta(days=policy.instant_payout_days)
    banks = account.banks.filter(replaced_at=None, seen_at__lte=old)
    if account.created_at > old:
        return []
    trusted = set(banks.values_list("currency", flat=True))
    ready = {one.currency: one for one in ready_for_bank(account)}
    found = []
    for currency, told in sorted(account.at_once.items()):
        offer = Offer(Money(told["net"], currency), Money(told["fee"], currency))
        left = ready.get(currency, Money.zero(currency))
        if currency in trusted and offer.amount + offer.fee <= left:
            found.append(offer)
    return found


def offer_of(account: PayoutAccount, currency: str) -> Offer | None:
    """The offer in this currency."""
    return next((one for one in offers(account) if one.currency == currency), None)
