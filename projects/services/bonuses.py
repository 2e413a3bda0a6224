"""Money on top of what was agreed (rule M14): free of our fees, released as soon as it is paid."""

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.errors import DomainError
from marketplace.core.money import Money
from payments.models import Funding, Hold
from payments.services import funding as payments_funding
from payments.services import holds
from projects.models import Bonus, Contract
from projects.models.contracts import Side
from projects.services import locks, news
from projects.services.sides import require_client

log = logging.getLogger(__name__)
RULE = "M14"
LONGEST_NOTE = 500


@transaction.atomic
def give(contract: Contract, *, by: User, amount: Money, note: str = "") -> Funding:
    """Start the Checkout of a bonus. A double click gives the one that runs.

    Raises DomainError (code "too_long_ago") when the contract ended longer ago than the policy
    allows, InvalidInput when the amount is too small to be worth a payment.
    """
    contract = locks.contract(contract.pk)
    require_client(by, contract, "pay")
    if clock.now() > _until(contract):
        raise DomainError(
            _("This contract ended more than %(days)s days ago.")
            % {"days": contract.policy.bonus_days},
            code="too_long_ago",
        )
    bonus = _unpaid(contract, amount, by=by) or _new(contract, amount, by=by, note=note)
    page = settings.SITE_URL + reverse("projects:bonus", args=[contract.ref])
    return payments_funding.start_checkout(
        bonus.hold, by=by, success_url=f"{page}?paid=1", cancel_url=f"{page}?cancelled=1"
    )


def can_give(contract: Contract) -> bool:
    """Whether the contract runs, or ended so recently that a bonus is still possible."""
    return clock.now() <= _until(contract)


def _until(contract: Contract) -> dt.datetime:
    end = contract.ended_at or clock.now()
    return end + dt.timedelta(days=contract.policy.bonus_days)


def start_payment(contract: Contract, *, by: User, amount: Money, note: str = "") -> str | None:
    """Where the client pays the bonus; None while Stripe does not answer."""
    return payments_funding.checkout_url(give(contract, by=by, amount=amount, note=note))


def look_again(contract: Contract) -> None:
    """Ask Stripe what came of the newest try to pay a bonus."""
    tried = Funding.objects.filter(parts__hold__bonus__contract=contract).order_by("-pk").first()
    if tried:
        payments_funding.confirm(tried)


def _unpaid(contract: Contract, amount: Money, *, by: User) -> Bonus | None:
    """A bonus of that amount that waits for its money; others that wait are given up."""
    waiting = contract.bonuses.filter(hold__status=Hold.Status.PENDING).select_related("hold")
    found = None
    for bonus in waiting.order_by("pk"):
        if bonus.hold.amount == amount and found is None:
            found = bonus
        else:
            holds.cancel_hold(bonus.hold, by=by)
    return found


def _new(contract: Contract, amount: Money, *, by: User, note: str) -> Bonus:
    hold = holds.open_hold(
        payer=contract.client,
        payee=contract.freelancer,
        amount=amount,
        policy=contract.policy,
        # Bills and bank statements are in one language for everybody.
        label=f"Bonus: {contract.title}"[:200],
        by=by,
        work=contract.ref,
        fee_free=True,
    )
    bonus = Bonus.objects.create(
        contract=contract,
        hold=hold,
        note=text.short_block(note, limit=LONGEST_NOTE, field="note"),
        given_by=by,
        given_at=clock.now(),
    )
    audit.record(by, "bonus.started", contract, bonus=bonus.pk, amount=amount.minor)
    return bonus


@transaction.atomic
def record_funds(hold: Hold, *, at: dt.datetime) -> None:
    """The bonus was paid; the next beat releases it. Runs inside the payment's transaction."""
    bonus = _of(hold)
    if bonus is None:
        return
    Bonus.objects.filter(pk=bonus.pk).update(release_due_at=at)
    news.note(bonus.contract, "bonus.paid", by=bonus.given_by, amount=hold.amount)
    news.tell(
        bonus.contract,
        Side.FREELANCER,
        "bonus_paid",
        key=f"bonus-paid:{bonus.ref}",
        group=news.MONEY,
        amount=hold.amount,
        note=bonus.note,
    )


@transaction.atomic
def record_payout(hold: Hold) -> None:
    """The bonus has reached the freelancer's Stripe account."""
    bonus = _of(hold)
    if bonus is None:
        return
    news.note(bonus.contract, "bonus.paid_out", amount=hold.amount)
    news.tell(
        bonus.contract,
        Side.FREELANCER,
        "bonus_paid_out",
        key=f"bonus-paid-out:{bonus.ref}",
        group=news.MONEY,
        amount=hold.amount,
    )


def release_due() -> int:
    """Release bonuses that were paid; returns how many. Two sweeps release once."""
    due = Bonus.objects.filter(release_due_at__lte=clock.now()).order_by("release_due_at")
    released = 0
    for bonus in due[:100]:
        try:
            released += _release(bonus)
        except Exception:
            log.exception("bonus %s could not be released", bonus.pk)
    return released


@transaction.atomic
def _release(bonus: Bonus) -> bool:
    if locks.contract_unless_busy(bonus.contract_id) is None:
        return False
    # Whoever clears the date releases; the other sweep finds nothing to clear.
    mine = Bonus.objects.filter(pk=bonus.pk, release_due_at__isnull=False)
    if not mine.update(release_due_at=None):
        return False
    holds.release(bonus.hold, by=None, basis=Hold.Basis.RULE, basis_detail=RULE)
    return True


def _of(hold: Hold) -> Bonus | None:
    parties = ("contract__client", "contract__freelancer")
    return Bonus.objects.select_related(*parties, "given_by").filter(hold=hold).first()
