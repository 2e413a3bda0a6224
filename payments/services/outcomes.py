"""How held money falls to the two sides and to us. Nothing is lost and nothing is made."""

from dataclasses import dataclass

from marketplace.core.money import Money
from payments.models import Hold


@dataclass(frozen=True)
class Shares:
    """The parts of a hold when some of it counts as earned; they sum to what the payer paid."""

    to_payee: Money
    freelancer_fee: Money
    client_fee: Money
    to_payer: Money

    @property
    def fees(self) -> Money:
        return self.freelancer_fee + self.client_fee


def shares(hold: Hold, awarded: Money) -> Shares:
    """Who gets what when `awarded` of the hold counts as earned by the payee.

    Fees follow the money (rule C4): what belongs to returned money is returned, or not taken.
    Each fee is rounded once; the rest is by subtraction.
    """
    freelancer_fee = hold.freelancer_fee.portion(awarded.minor, hold.amount.minor)
    client_fee = hold.client_fee.portion(awarded.minor, hold.amount.minor)
    return Shares(
        to_payee=awarded - freelancer_fee,
        freelancer_fee=freelancer_fee,
        client_fee=client_fee,
        to_payer=hold.client_pays - awarded - client_fee,
    )
