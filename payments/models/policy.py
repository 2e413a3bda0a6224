"""Fees, windows and limits, versioned: a contract keeps the version it was signed under."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.core.guards import append_only


class PlatformPolicy(models.Model):
    """One version of the rules; in force from `starts_at` until the next one starts.

    Never changed after the fact: a new version is a new row.
    """

    starts_at = models.DateTimeField(unique=True)
    freelancer_fee_bps = models.PositiveIntegerField(default=800)
    client_fee_bps = models.PositiveIntegerField(default=300)
    review_days = models.PositiveSmallIntegerField(default=14)
    change_rounds = models.PositiveSmallIntegerField(default=2)
    security_hold_days = models.PositiveSmallIntegerField(default=0)
    dispute_answer_days = models.PositiveSmallIntegerField(default=5)
    dispute_decision_days = models.PositiveSmallIntegerField(default=5)
    review_window_days = models.PositiveSmallIntegerField(default=14)
    project_open_days = models.PositiveSmallIntegerField(default=30)
    deposit_max_days = models.PositiveSmallIntegerField(default=85)
    smallest_amount = models.PositiveIntegerField(
        default=5, help_text=_("Smallest bid or milestone, in major units of the currency.")
    )
    bids_open_limit = models.PositiveSmallIntegerField(default=30)
    bids_per_day_limit = models.PositiveSmallIntegerField(default=10)

    reversal_limit = models.PositiveIntegerField(
        default=100,
        help_text=_(
            "Journals of more than this, in major units, are reversed by two members of staff."
        ),
    )
    # Who wrote this version; nobody for the one that came with the installation. Shipped rows
    # stay when a database is emptied of people, so the database itself does not tie the two.
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("platform policy")
        verbose_name_plural = _("platform policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(freelancer_fee_bps__lte=5000, client_fee_bps__lte=5000),
                name="policy_fees_bounded",
            ),
            models.CheckConstraint(
                condition=Q(review_days__range=(3, 30)), name="policy_review_days"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"policy {self.pk} from {self.starts_at:%Y-%m-%d}"
