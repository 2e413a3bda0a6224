"""Purchase orders: the client's own number for what they buy."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock


class PurchaseOrder(models.Model):
    """The number a client wants on the paper of one contract (its holds share the `work`)."""

    work = models.CharField(max_length=10, unique=True)
    payer = models.ForeignKey(Party, models.PROTECT, related_name="purchase_orders")
    number = models.CharField(max_length=60, blank=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("purchase order")
        constraints = [
            models.CheckConstraint(condition=~Q(work=""), name="purchase_order_has_work"),
        ]

    def __str__(self) -> str:
        return self.number
