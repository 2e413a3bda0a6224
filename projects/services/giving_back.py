"""Money the freelancer gives back after it was released to them (rule C3)."""

from typing import Any

from accounts.models import User
from marketplace.core.errors import InvalidTransition
from marketplace.core.money import Money
from payments.models import GiveBack, Hold
from payments.services import givebacks
from projects.models import Milestone
from projects.models.contracts import Side
from projects.services import news
from projects.services.rights import require


def give_back(
    milestone: Milestone, *, by: User, amount: Money, seen: Money | None = None
) -> GiveBack:
    """Return so much of a released milestone to the client, with both fees of it.

    What was paid out already is asked back from the freelancer's account; the answer's status says
    whether it came. `seen` is what was left on the page the freelancer read: InvalidTransition when
    it is not any more.
    """
    require(by, milestone.contract.freelancer, "manage")
    if milestone.hold is None:
        raise InvalidTransition
    given = givebacks.give_back(milestone.hold, by=by, amount=amount, seen=seen)
    return givebacks.hurry(given)


def record(hold: Hold, given: GiveBack) -> None:
    """Tell what came of it. Runs inside the payment's own transaction.

    Payments may hold money for other things than milestones; those are not our news.
    """
    parties = ("contract__client", "contract__freelancer")
    milestone = Milestone.objects.select_related(*parties).filter(hold=hold).first()
    if milestone is None:
        return
    contract = milestone.contract
    known: dict[str, Any] = {
        "milestone": milestone,
        "group": news.MONEY,
        "amount": given.to_payer,
        "own": given.from_payee,
        "fees": given.fees,
    }
    if given.status == GiveBack.Status.DONE:
        news.note(
            contract,
            "money.given_back",
            by=given.given_by,
            milestone=milestone,
            amount=given.amount,
        )
        news.tell_both(contract, "money_given_back", key=f"given-back:{given.ref}", **known)
    else:
        kind = f"give_back_{given.status}"
        news.tell(contract, Side.FREELANCER, kind, key=f"{kind}:{given.ref}", **known)
