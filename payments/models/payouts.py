"""Where a payee's money goes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock


class PayoutAccount(models.Model):
    """A payee's account at Stripe, as Stripe last described it to us."""

    party = models.OneToOneField(Party, models.PROTECT, related_name="payout_account")
    stripe_id = models.CharField(max_length=80, blank=True)
    # Where the bank account is; Stripe does not let it change.
    country = models.CharField(max_length=2, blank=True)
    can_receive = models.BooleanField(default=False)
    payouts_enabled = models.BooleanField(default=False)
    details_submitted = models.BooleanField(default=False)
    # Stripe's names of what is still missing.
    requirements = models.JSONField(default=list)
    # Numbers the tries to open it, because Stripe repeats an error of its own to a key for a day.
    opening = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("payout account")
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_id"], condition=~Q(stripe_id=""), name="payout_account_once"
            ),
            models.CheckConstraint(
                condition=~Q(stripe_id="") | Q(can_receive=False), name="payout_account_real"
            ),
        ]

    def __str__(self) -> str:
        return f"payout account of {self.party_id}"
