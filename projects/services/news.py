"""What happened in a contract: the line in its history, and whom we tell."""

from typing import Any

from django.urls import reverse

from accounts.models import User
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core.money import Money
from projects.models import Contract, ContractEvent, Milestone
from projects.models.contracts import Side

MONEY, WORK, MESSAGES = "money", "work", "messages"


def note(
    contract: Contract,
    kind: str,
    *,
    by: User | None = None,
    milestone: Milestone | None = None,
    amount: Money | None = None,
    **facts: Any,
) -> ContractEvent:
    """Add a line to the history both sides see. `by=None` is a rule, or Stripe, at work."""
    return ContractEvent.objects.create(
        contract=contract,
        kind=kind,
        actor=by,
        milestone=milestone,
        amount_minor=None if amount is None else amount.minor,
        facts=facts,
    )


def tell(
    contract: Contract,
    side: Side,
    kind: str,
    *,
    key: str,
    group: str = WORK,
    milestone: Milestone | None = None,
    url: str = "",
    amount: Money | None = None,
    **facts: Any,
) -> None:
    """Tell the people of one side, once per key; without `url` the notice leads to the contract."""
    known: dict[str, Any] = {
        "contract": contract.title,
        "client": contract.client.short_name,
        "freelancer": contract.freelancer.short_name,
        "side": side.value,
    }
    if milestone is not None:
        known |= {"milestone": milestone.title, "number": milestone.position}
    if amount is not None:
        known["amount"] = amount
    notify(
        people_of(contract.party(side)),
        kind,
        key=key,
        url=url or contract.get_absolute_url(),
        group=group,
        facts=known | facts,
    )


def tell_both(contract: Contract, kind: str, *, key: str, **more: Any) -> None:
    """Tell the people of both sides."""
    for side in Side:
        tell(contract, side, kind, key=key, **more)


def page(name: str, milestone: Milestone) -> str:
    """The address of one of a milestone's own pages."""
    return reverse(
        f"projects:{name}", kwargs={"ref": milestone.contract.ref, "n": milestone.position}
    )
