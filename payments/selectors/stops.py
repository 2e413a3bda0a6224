"""Stops of publishing, as the people of the client read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum
from django.http import Http404

from accounts.models import Membership, User
from marketplace.core.money import Money
from payments.models import Chargeback, ChargebackPart, PostingStop

Bearer = ChargebackPart.Bearer
# Somebody else than the client and the money they had set aside.
OTHERS = [Bearer.PAYEE, Bearer.RESERVE, Bearer.PLATFORM]


@dataclass(frozen=True)
class Shown:
    """One stop: what for, and what of it others bear."""

    stop: PostingStop
    works: Sequence[str]
    cost: Money
    can_appeal: bool

    @property
    def is_active(self) -> bool:
        return self.stop.status == PostingStop.Status.ACTIVE


def cost_to_others(chargeback: Chargeback) -> Money:
    """What of a dispute is borne by the freelancer, the reserve or us."""
    sums = ChargebackPart.objects.filter(
        movement__chargeback=chargeback, hold__isnull=False, bearer__in=OTHERS
    ).aggregate(
        out=Sum("amount_minor", filter=Q(movement__amount_minor__lt=0), default=0),
        back=Sum("amount_minor", filter=Q(movement__amount_minor__gt=0), default=0),
    )
    return Money(sums["out"] - sums["back"], chargeback.currency)


def stops_of(user: User) -> list[Shown]:
    """Those of the parties the user belongs to, newest first; they are few."""
    mine = {row.party_id: row for row in Membership.objects.filter(user=user)}
    found = PostingStop.objects.filter(payer__in=mine).select_related(
        "payer", "chargeback__funding"
    )
    return [
        Shown(
            stop=stop,
            works=[
                part.hold.label
                for part in stop.chargeback.funding.parts.filter(taken=True).select_related("hold")
            ],
            cost=cost_to_others(stop.chargeback),
            can_appeal=mine[stop.payer_id].can_pay
            and stop.status == PostingStop.Status.ACTIVE
            and stop.appealed_at is None,
        )
        for stop in found.order_by("-pk")
    ]


def is_stopped(user: User) -> bool:
    """Whether a party the user belongs to may not publish now."""
    return PostingStop.objects.filter(
        payer__memberships__user=user, status=PostingStop.Status.ACTIVE
    ).exists()


def stop_to_appeal(user: User, ref: str) -> PostingStop:
    """A stop of a party the user belongs to; Http404 for strangers."""
    found = PostingStop.objects.filter(ref=ref, payer__memberships__user=user)
    stop = found.select_related("payer").first()
    if stop is None:
        raise Http404
    return stop
