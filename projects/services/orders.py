"""The client's purchase order number for a contract."""

from django.db import transaction

from accounts.models import User
from payments.services import orders
from projects.models import Contract
from projects.services import locks
from projects.services.sides import require_client


@transaction.atomic
def set_number(contract: Contract, *, by: User, number: str) -> None:
    """Have the client's paper carry the number, from the next document on.

    Raises NotAllowed for everybody who does not pay for the client, InvalidInput for a long one.
    """
    contract = locks.contract(contract.pk)
    require_client(by, contract, "pay")
    orders.put(payer=contract.client, work=contract.ref, number=number, by=by)
