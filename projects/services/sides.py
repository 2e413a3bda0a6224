"""On which side of a contract somebody acts, and whether they may."""

from accounts import selectors
from accounts.models import User
from marketplace.core.errors import NotAllowed
from projects.models import Contract
from projects.models.contracts import Side
from projects.services.rights import belongs_to, require

# Who moves money out of a hold: payers need "pay", freelancers speak for their whole party.
OVER_MONEY = {Side.CLIENT: "pay", Side.FREELANCER: "manage"}


def require_client(by: User, contract: Contract, right: str) -> None:
    """Raise NotAllowed unless `by` holds the right in the client's party."""
    require(by, contract.client, right)


def require_freelancer(by: User, contract: Contract) -> None:
    """Raise NotAllowed unless `by` works for the freelancer's party."""
    if not belongs_to(by, contract.freelancer):
        raise NotAllowed


def speaking(by: User, contract: Contract) -> Side:
    """The side `by` may talk for; raises NotAllowed for everybody else."""
    for side in Side:
        if belongs_to(by, contract.party(side)):
            return side
    raise NotAllowed


def over_money(by: User, contract: Contract) -> Side:
    """The side for which `by` may agree to money moving; raises NotAllowed for everybody else."""
    for side in Side:
        if selectors.acts_for(by, contract.party(side), OVER_MONEY[side]):
            return side
    raise NotAllowed
