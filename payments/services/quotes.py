"""What a price means for both sides. The same figures are shown, charged and paid out."""

from dataclasses import dataclass

from marketplace.core.money import Money
from payments.models import PlatformPolicy
from payments.services import policies


@dataclass(frozen=True)
class Quote:
    """A price with both fees: the client pays one on top, the freelancer's comes out of it."""

    price: Money
    client_fee: Money
    freelancer_fee: Money
    client_fee_bps: int
    freelancer_fee_bps: int

    @property
    def client_pays(self) -> Money:
        return self.price + self.client_fee

    @property
    def freelancer_gets(self) -> Money:
        # By subtraction: two roundings could lose or make a cent.
        return self.price - self.freelancer_fee


def quote(price: Money, policy: PlatformPolicy | None = None) -> Quote:
    """The fees on a price under a policy, by default today's."""
    policy = policy or policies.current()
    return Quote(
        price=price,
        client_fee=price.share(policy.client_fee_bps),
        freelancer_fee=price.share(policy.freelancer_fee_bps),
        client_fee_bps=policy.client_fee_bps,
        freelancer_fee_bps=policy.freelancer_fee_bps,
    )
