"""What a card dispute moved, for the people who look after it."""

import datetime as dt
from dataclasses import dataclass

from marketplace.core.money import Money
from payments.models import Chargeback


@dataclass(frozen=True)
class Borne:
    """One bearer and their part."""

    who: str
    money: Money


@dataclass(frozen=True)
class MovementRow:
    """One movement at Stripe: how much, what fee, and who bears it."""

    at: dt.datetime
    amount: Money
    fee: Money
    parts: list[Borne]


def movements_of(chargeback: Chargeback) -> list[MovementRow]:
    """Every movement of the dispute, oldest first."""
    currency = chargeback.currency
    return [
        MovementRow(
            at=moved.moved_at,
            amount=Money(moved.amount_minor, currency),
            fee=Money(moved.fee_minor, currency),
            parts=[
                Borne(str(part.get_bearer_display()), Money(part.amount_minor, currency))
                for part in moved.parts.all()
            ],
        )
        for moved in chargeback.movements.prefetch_related("parts").order_by("id")
    ]
