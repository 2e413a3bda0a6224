"""The terms after a change order: a version of their own, in words both agreed to."""

import hashlib

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User
from marketplace.core import clock
from projects.models import Amendment, ChangeOrder
from projects.models.contracts import Side


def amend(order: ChangeOrder, *, by: User, side: Side) -> Amendment:
    """Write down what both agree to now; `by` speaks for `side`, the offer for the other one.

    The caller holds the lock of the contract, so versions have no gap.
    """
    assert order.offered_by is not None  # noqa: S101 - a constraint: who agrees has an offer
    assert order.offered_at is not None  # noqa: S101
    agreed = {side: (by, clock.now()), side.other: (order.offered_by, order.offered_at)}
    wording = text_of(order)
    return Amendment.objects.create(
        contract=order.contract,
        version=next_version(order),
        order=order,
        text=wording,
        text_sha256=hashlib.sha256(wording.encode()).hexdigest(),
        client_agreed_by=agreed[Side.CLIENT][0],
        client_agreed_at=agreed[Side.CLIENT][1],
        freelancer_agreed_by=agreed[Side.FREELANCER][0],
        freelancer_agreed_at=agreed[Side.FREELANCER][1],
    )


def next_version(order: ChangeOrder) -> int:
    """The contract's own terms are version 1."""
    return order.contract.amendments.count() + 2


def text_of(order: ChangeOrder) -> str:
    """What both agree to, in plain English. Also shown before anybody agrees."""
    contract = order.contract
    # Not in the reader's language: its digest is what both agreed to.
    with translation.override("en"):
        return render_to_string(
            "projects/amendment.txt",
            {
                "order": order,
                "contract": contract,
                "version": next_version(order),
                "site_name": settings.SITE_NAME,
                "pay_days": contract.policy.change_order_pay_days,
                "client_fee_bps": contract.policy.client_fee_bps,
                "freelancer_fee_bps": contract.policy.freelancer_fee_bps,
            },
        )
