"""How long released money waits before it is sent, by what is known of the two (rule M9)."""

from django.db.models import Q
from django.db.models.aggregates import Count

from accounts.models import Party
from payments.models import Hold, PlatformPolicy, Transfer
from payments.services import suspicion

Wait = Transfer.Wait
OPEN = (Hold.Status.HELD, Hold.Status.PAUSED)


def trust_tier(finished: int, policy: PlatformPolicy) -> int:
    """The tier of a payee with so many finished, undisputed contracts: 1, 2 or 3.

    Everybody starts at 1. With the default policy 3 contracts make tier 2 and 10 make tier 3;
    the operator sets both thresholds (`tier_2_contracts`, `tier_3_contracts`).
    """
    if finished >= policy.tier_3_contracts:
        return 3
    return 2 if finished >= policy.tier_2_contracts else 1


def finished_contracts(payee: Party) -> int:
    """How many contracts of the payee ended in full payment, without any dispute.

    All money set aside for such a contract was released whole, none of it was ever paused, and none
    of it went back: who gives it back gets the fees back too, and trust is not for free. A bonus
    alone does not make one, and contracts with the same payer count once: a friend cannot lift
    somebody.
    """
    stopped = Q(pauses__gt=0) | Q(given_back_minor__gt=0) | Q(returned_minor__gt=0)
    # Whoever got less than was agreed, got less, whatever the rest is held for.
    stopped |= Q(carried_minor__gt=0)
    works = (
        Hold.objects.filter(payee=payee, held_at__isnull=False, fee_free=False)
        .exclude(work="")
        .values("work", "payer")
        .annotate(
            spoiled=Count("pk", filter=~Q(status=Hold.Status.RELEASED) | stopped),
        )
        .filter(spoiled=0)
    )
    return len({row["payer"] for row in works})


def security_hold(hold: Hold) -> tuple[int, Transfer.Wait]:
    """How many days the payee waits for what is released of this hold, and by which rule."""
    if suspicion.is_under_review(hold):
        return hold.policy.hold_days_first_payment, Wait.REVIEW
    return _by_record(hold, hold.policy)


def _by_record(hold: Hold, policy: PlatformPolicy) -> tuple[int, Transfer.Wait]:
    if not policy.security_hold_by_tier:
        return policy.security_hold_days, Wait.EVERYBODY
    if not _has_paid_before(hold.payer):
        return policy.hold_days_first_payment, Wait.FIRST_PAYMENT
    if hold.fee_free:
        return policy.hold_days_bonus, Wait.BONUS
    return {
        1: (policy.hold_days_tier_1, Wait.TIER_1),
        2: (policy.hold_days_tier_2, Wait.TIER_2),
        3: (policy.hold_days_tier_3, Wait.TIER_3),
    }[trust_tier(finished_contracts(hold.payee), policy)]


def waits(payee: Party, policy: PlatformPolicy) -> bool:
    """Whether money released to the payee by a known client waits out a security hold."""
    if not policy.security_hold_by_tier:
        return policy.security_hold_days > 0
    days = {1: policy.hold_days_tier_1, 2: policy.hold_days_tier_2, 3: policy.hold_days_tier_3}
    return days[trust_tier(finished_contracts(payee), policy)] > 0


def _has_paid_before(payer: Party) -> bool:
    """Whether money of theirs has once arrived somewhere: their way of paying has proved good."""
    return Transfer.objects.filter(hold__payer=payer, status=Transfer.Status.SENT).exists()
