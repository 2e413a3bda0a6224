"""A client whose lost card dispute others pay for may not publish until it is settled (rule C7).

By rule at first, so both the stop and its end follow the bank; the client reads why and may say
their side, and a person of ours lifts it with a reason.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Party
from accounts.selectors import people_of, require_right, staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock, text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition
from marketplace.core.money import Money
from payments.models import Chargeback, PostingStop
from payments.selectors.stops import cost_to_others
from payments.services import policies, two_people
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

RULE = "C7"
PERMISSION = "payments.act_on_chargeback"
LONGEST_APPEAL = 2000
Status = PostingStop.Status


class Stopped(DomainError):
    """The client has a lost card dispute others pay for."""

    code = "posting_stopped"
    default_message = gettext_lazy(
        "You cannot publish now: your bank took back a card payment for work that was delivered. "
        "Under “Payments” you read why, what settles it and how to appeal."
    )


def refuse_stopped(party: Party) -> None:
    """Raise Stopped when the party may not publish now."""
    if PostingStop.objects.filter(payer=party, status=Status.ACTIVE).exists():
        raise Stopped


def weigh(chargeback: Chargeback) -> None:
    """Stop the client, or end that, as the bank has it now. The caller holds the payment's lock."""
    cost = cost_to_others(chargeback)
    costs = chargeback.status == Chargeback.Status.LOST and cost.minor > 0
    stop = PostingStop.objects.select_for_update().filter(chargeback=chargeback).first()
    now, policy = clock.now(), policies.current()
    review = now + dt.timedelta(days=policy.stop_review_days)
    if costs and stop is None:
        payer = chargeback.funding.payer
        stop = PostingStop.objects.create(
            payer=payer, chargeback=chargeback, policy=policy, since=now, review_due_at=review
        )
    elif costs and stop is not None and stop.status == Status.OVER:
        stop.move_to(Status.ACTIVE, ended_at=None, since=now, review_due_at=review)
    elif not costs and stop is not None and stop.status == Status.ACTIVE:
        stop.move_to(Status.OVER, ended_at=now)
        audit.record(None, "posting_stop.over", stop, rule=RULE)
        _tell(stop, "posting_stop_over", cost)
        return
    else:
        return
    audit.record(None, "posting_stop.started", stop, rule=RULE, policy=policy.pk, cost=cost.minor)
    _tell(stop, "posting_stop", cost)


@transaction.atomic
def appeal(stop: PostingStop, *, by: "User", said: str) -> None:
    """The client says their side, once; our people are told.

    Raises NotAllowed without the right to pay for the client, InvalidInput for nothing said,
    InvalidTransition when it has ended or was appealed before.
    """
    require_right(by, stop.payer, "pay")
    stop.refresh_from_db(from_queryset=PostingStop.objects.select_for_update())
    if stop.status != Status.ACTIVE or stop.appealed_at:
        raise InvalidTransition
    said = text.short_block(said, limit=LONGEST_APPEAL, field="said")
    if not said:
        raise InvalidInput(_("Say what happened, in a sentence or two"), field="said")
    stop.appeal, stop.appealed_by, stop.appealed_at = said, by, clock.now()
    stop.save(update_fields=["appeal", "appealed_by", "appealed_at"])
    audit.record(by, "posting_stop.appealed", stop)
    notify(
        staff_who_may(PERMISSION),
        "posting_stop_appealed",
        key=f"posting_stop_appealed:{stop.ref}",
        url=reverse("admin:payments_postingstop_change", args=[stop.pk]),
        group="work",
        facts={"name": stop.payer.name},
    )


@transaction.atomic
def lift(stop: PostingStop, *, by: "User", reason: str) -> None:
    """A person of ours has looked, or the client has paid another way: they may publish again.

    Raises NotAllowed (also for one's own party), InvalidInput for a reason nobody could follow,
    InvalidTransition when it has ended.
    """
    two_people.check_person(
        by,
        permission=PERMISSION,
        parties=Party.objects.filter(pk=stop.payer_id),
        doing=f"lift stop {stop.pk}",
    )
    stop.refresh_from_db(from_queryset=PostingStop.objects.select_for_update())
    if stop.status != Status.ACTIVE:
        raise InvalidTransition
    stop.move_to(
        Status.LIFTED,
        ended_at=clock.now(),
        lifted_by=by,
        lifted_because=check_reason(reason),
    )
    audit.record(by, "posting_stop.lifted", stop)
    _tell(stop, "posting_stop_lifted", cost_to_others(stop.chargeback))


def _tell(stop: PostingStop, kind: str, cost: Money) -> None:
    people = {
        person.pk: person for right in ("pay", "post") for person in people_of(stop.payer, right)
    }
    notify(
        people.values(),
        kind,
        key=f"{kind}:{stop.ref}:{clock.now():%Y%m%d%H%M%S%f}",
        url=reverse("payments:stops"),
        group="money",
        facts={"amount": cost, "name": stop.payer.name, "review": stop.review_due_at},
    )
