"""News from below: money came or went, and somebody who had begun to post has joined."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import hiring_party
from marketplace.core import drafts
from marketplace.core.errors import DomainError
from payments.models import GiveBack, Hold
from payments.selectors.trail import Prospect
from payments.services.evidence import WorkRecord
from payments.signals import (
    funding_ended,
    funds_received,
    money_given_back,
    payee_paid,
    payer_refunded,
    payment_cleared,
    payment_questioned,
    payment_taken_back,
    prospects_wanted,
    work_record_wanted,
)
from projects.forms.posting import DRAFT, PUBLISH_WHEN_JOINED, read_answers
from projects.selectors import prospects
from projects.services import bonuses, funding, giving_back, posting, questioned


@receiver(funds_received, sender=Hold)
def fund(hold: Hold, at: dt.datetime, **_rest: Any) -> None:
    """Its milestone is funded, in the transaction that books the money."""
    funding.record_funds(hold, at=at)
    bonuses.record_funds(hold, at=at)


@receiver(funding_ended, sender=Hold)
def wait_again(hold: Hold, **_rest: Any) -> None:
    """Its milestone waits for another try to pay."""
    funding.record_no_funds(hold)


@receiver(payee_paid, sender=Hold)
def note_payout(hold: Hold, **_rest: Any) -> None:
    """The freelancer's share has left us."""
    funding.record_payout(hold)
    bonuses.record_payout(hold)


@receiver(payer_refunded, sender=Hold)
def note_refund(hold: Hold, **_rest: Any) -> None:
    """The client's share has left us."""
    funding.record_refund(hold)


@receiver(money_given_back, sender=Hold)
def note_give_back(hold: Hold, give_back: GiveBack, **_rest: Any) -> None:
    """The freelancer returned money that was released, or could not."""
    giving_back.record(hold, give_back)


@receiver(payment_questioned, sender=Hold)
def stop_milestone(hold: Hold, **_rest: Any) -> None:
    """The client's bank questions the payment: its milestone waits."""
    questioned.stop(hold)


@receiver(payment_cleared, sender=Hold)
def go_on_with_milestone(hold: Hold, **_rest: Any) -> None:
    """The payment stands: its milestone goes on."""
    questioned.go_on(hold)


@receiver(payment_taken_back, sender=Hold)
def end_milestone(hold: Hold, **_rest: Any) -> None:
    """The bank has returned the payment: its milestone ends."""
    questioned.end(hold)


@receiver(work_record_wanted, sender=Hold)
def tell_of_work(hold: Hold, **_rest: Any) -> WorkRecord | None:
    """What the money was for, when it was for a milestone."""
    return questioned.work_record(hold)


@receiver(prospects_wanted, sender=Hold)
def tell_what_can_happen(hold: Hold, **_rest: Any) -> list[Prospect]:
    """What ends the holding of this money, and when."""
    return prospects.of_hold(hold)


@receiver(user_logged_in)
def publish_what_waited(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Who pressed Publish before joining need not press it again.

    When the project cannot be published it stays a draft, and the check page says why.
    """
    request.user = user  # a request that never met the middleware has none
    drafts.claim(request)
    draft = drafts.find(request, DRAFT)
    if draft is None or not draft.values.get(PUBLISH_WHEN_JOINED):
        return
    party = hiring_party(user)
    wanted, wrong = read_answers(draft.values, party.currency)
    if wrong:
        return
    try:
        posting.post(party, by=user, wanted=wanted)
    except DomainError:
        return
    drafts.forget(request, DRAFT)
    messages.success(request, _("Published. Freelancers can bid now."), fail_silently=True)
