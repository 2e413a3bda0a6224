"""Purchase orders: the number a client's own books need on our paper."""

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Party
from accounts.selectors import require_right
from marketplace.core import audit, clock, text
from payments.models import PurchaseOrder

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = 60


@transaction.atomic
def put(*, payer: Party, work: str, number: str, by: "User") -> None:
    """Have paper for the payer about this work carry the number, from the next document on; an
    empty one takes it away. Documents that are issued stay as they are.

    Raises NotAllowed without the right to pay, InvalidInput for what is longer than a line.
    """
    require_right(by, payer, "pay")
    number = text.short_line(number, limit=LONGEST, field="number")
    order, _is_new = PurchaseOrder.objects.select_for_update().get_or_create(
        work=work, defaults={"payer": payer}
    )
    if order.number != number:
        order.number, order.changed_at = number, clock.now()
        order.save(update_fields=["number", "changed_at"])
        audit.record(by, "purchase_order.changed", order, work=work)
