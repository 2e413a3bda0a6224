"""One person on both sides of a payment is how stolen cards are cashed (case S1).

Nobody is accused by a machine: the work goes on, and what is released of such a payment waits in
the security hold until a person of ours has looked at it and lifted the warning with a reason.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.models import Party, User
from accounts.selectors import people_of, staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock
from payments.models import BankDetails, FraudWarning, Funding, FundingPart, Hold, Transfer

if TYPE_CHECKING:
    from django.db.models import Model

log = logging.getLogger(__name__)
RULE = "S1"
STAYS = (Hold.Status.HELD, Hold.Status.PAUSED)
UNSENT = (Transfer.Status.WAITING, Transfer.Status.BLOCKED, Transfer.Status.FAILED)
SAME_PERSON, SAME_CARD, SAME_BANK = "same_person", "same_card", "same_bank"
PERMISSION = "payments.act_on_chargeback"


def look(funding: Funding) -> None:
    """Keep a warning of our own about a payment that has just been recorded, if there is reason.

    Call it in that transaction. Repeating changes nothing.
    """
    payees = {part.hold.payee for part in funding.parts.filter(taken=True)}
    cards = [funding.card_fingerprint]
    reasons = (_reason(funding.payer, payee, cards=cards) for payee in payees)
    reason = next(filter(None, reasons), "")
    if reason:
        _keep(funding, reason)


def look_at_bank(payee: Party) -> None:
    """The payee's money goes to another bank account: look at all of it that is still here.

    The bank may be the client's too, and who belongs to whom may have changed since they paid. Call
    it in the transaction that keeps the new details.
    """
    here = Q(hold__status__in=STAYS) | Q(hold__transfers__status__in=UNSENT)
    parts = FundingPart.objects.filter(here, hold__payee=payee, taken=True)
    for funding in Funding.objects.filter(parts__in=parts).distinct().select_related("payer"):
        reason = _reason(funding.payer, payee, cards=[funding.card_fingerprint])
        if reason:
            _keep(funding, reason)


def look_at_hire(payer: Party, payee: Party, *, subject: "Model", url: str, by: User) -> None:
    """Tell staff when two who look like one agree on work; nothing is stopped by it.

    What they pay then waits by itself (`look`); knowing early only leaves time to look.
    """
    paid = Funding.objects.filter(payer=payer).exclude(card_fingerprint="")
    cards = list(paid.values_list("card_fingerprint", flat=True).distinct())
    reason = _reason(payer, payee, cards=cards)
    if not reason:
        return
    audit.record(by, "hire.suspected", subject, rule=RULE, fraud_type=reason)
    notify(
        staff_who_may(PERMISSION),
        "hire_suspected",
        key=f"hire_suspected:{subject._meta.label_lower}:{subject.pk}",
        url=url,
        group="work",
        facts={"reason": reason},
    )


def _keep(funding: Funding, reason: str) -> None:
    """One open warning of ours is enough; one that was lifted answers only for its own reason."""
    ours = FraudWarning.objects.filter(funding=funding, ours=True)
    if ours.filter(Q(status=FraudWarning.Status.OPEN) | Q(fraud_type=reason)).exists():
        return
    warning, new = FraudWarning.objects.get_or_create(
        stripe_id=f"own:{funding.ref}:{reason}",
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


def _reason(payer: Party, payee: Party, *, cards: Iterable[str]) -> str:
    """Why the two look like one; empty when nothing speaks for it."""
    people = list(people_of(payee))
    others = list(people_of(payer))
    if {user.pk for user in people} & {user.pk for user in others}:
        return SAME_PERSON
    if _have_paid_with([card for card in cards if card], people):
        return SAME_CARD
    return SAME_BANK if _share_a_bank(payee, others) else ""


def _have_paid_with(fingerprints: list[str], people: list[User]) -> bool:
    theirs = Funding.objects.filter(payer__memberships__user__in=people)
    return theirs.filter(card_fingerprint__in=fingerprints).exists()


def _share_a_bank(payee: Party, others: list[User]) -> bool:
    """Whether somebody of the other side is paid to the very same bank account."""
    mine = BankDetails.objects.filter(account__party=payee, replaced_at=None)
    numbers = mine.exclude(fingerprint="").values("fingerprint")
    theirs = BankDetails.objects.filter(account__party__memberships__user__in=others)
    return theirs.filter(fingerprint__in=numbers).exists()


def is_under_review(hold: Hold) -> bool:
    """Whether a person of ours still has to look at the payment behind this hold."""
    return FraudWarning.objects.filter(
        funding__parts__hold=hold,
        funding__parts__taken=True,
        ours=True,
        status=FraudWarning.Status.OPEN,
    ).exists()
