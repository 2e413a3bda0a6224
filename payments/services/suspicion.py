"""One person on both sides of a payment is how stolen cards are cashed (case S1).

Nobody is accused by a machine: the work goes on, and what is released of such a payment waits in
the security hold until a person of ours has looked at it and lifted the warning with a reason.
"""

import logging

from accounts.models import Party, User
from accounts.selectors import people_of
from marketplace.core import audit, clock
from payments.models import FraudWarning, Funding, Hold

log = logging.getLogger(__name__)
RULE = "S1"
SAME_PERSON, SAME_CARD = "same_person", "same_card"


def look(funding: Funding) -> None:
    """Keep a warning of our own about a payment that has just been recorded, if there is reason.

    Call it in that transaction. Repeating changes nothing.
    """
    payees = {part.hold.payee for part in funding.parts.filter(taken=True)}
    reason = next(filter(None, (_reason(funding, payee) for payee in payees)), "")
    if not reason:
        return
    warning, new = FraudWarning.objects.get_or_create(
        stripe_id=f"own:{funding.ref}",
        defaults={
            "funding": funding,
            "fraud_type": reason,
            "ours": True,
            "warned_at": clock.now(),
        },
    )
    if new:
        audit.record(None, "fraud_warning.kept", warning, rule=RULE, fraud_type=reason)
        log.warning("%s on %s: %s", warning, funding, reason)


def _reason(funding: Funding, payee: Party) -> str:
    people = list(people_of(payee))
    if people_of(funding.payer).filter(pk__in=[user.pk for user in people]).exists():
        return SAME_PERSON
    return SAME_CARD if _have_paid_with(funding.card_fingerprint, people) else ""


def _have_paid_with(fingerprint: str, people: list[User]) -> bool:
    if not fingerprint:
        return False
    theirs = Funding.objects.filter(payer__memberships__user__in=people)
    return theirs.filter(card_fingerprint=fingerprint).exists()


def is_under_review(hold: Hold) -> bool:
    """Whether a person of ours still has to look at the payment behind this hold."""
    return FraudWarning.objects.filter(
        funding__parts__hold=hold,
        funding__parts__taken=True,
        ours=True,
        status=FraudWarning.Status.OPEN,
    ).exists()
