"""Money a payee gives back after it was released to them (rule C3)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.money import Money
from marketplace.core.status import StatusModel
from payments.models.holds import Hold


class GiveBack(StatusModel):
    """A payee returns all or part of what they earned with a hold; our fees follow (rule C4).

    collecting ─→ done       (at once while the money is with us, else when Stripe took it back)
        ├───────→ refused    (the payee's account does not have it any more; nothing has moved)
        └───────→ overtaken  (the payer's bank took the payment back first)
    """

    class Status(models.TextChoices):
        COLLECTING = "collecting", _("Coming back from the payout account")
        DONE = "done", _("Given back")
        REFUSED = "refused", _("Not there any more")
        OVERTAKEN = "overtaken", _("The bank was faster")

    MOVES: ClassVar[dict[str, set[str]]] = {"collecting": {"done", "refused", "overtaken"}}

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.COLLECTING)
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="give_backs")
    # Of the agreed amount. What each side gives and gets of it follows from the hold's fees; it is
    # kept, because later ones change what is left.
    amount_minor = models.BigIntegerField()
    from_payee_minor = models.BigIntegerField()
    fees_minor = models.BigIntegerField()
    to_payer_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # It was not released yet: the agreement became smaller, and nobody had earned anything of it.
    while_held = models.BooleanField(default=False)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = _("money given back")
        verbose_name_plural = _("money given back")
        constraints = [
            models.UniqueConstraint(
                fields=["hold"], condition=Q(status="collecting"), name="give_back_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0,
                    from_payee_minor__gte=0,
                    fees_minor__gte=0,
                    to_payer_minor=models.F("from_payee_minor") + models.F("fees_minor"),
                    to_payer_minor__gt=0,
                ),
                name="give_back_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["collecting", "done", "refused", "overtaken"]),
                name="give_back_status",
            ),
            models.CheckConstraint(
                condition=Q(status="collecting") ^ Q(ended_at__isnull=False),
                name="give_back_end_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"give-back {self.ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def from_payee(self) -> Money:
        return Money(self.from_payee_minor, self.currency)

    @property
    def fees(self) -> Money:
        return Money(self.fees_minor, self.currency)

    @property
    def to_payer(self) -> Money:
        return Money(self.to_payer_minor, self.currency)
