"""Where our books and Stripe disagree: rows, so that each has an owner and an age."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.money import Money

# Ten characters or more between the first and the last that is no space.
A_SENTENCE = r"\S.{8,}\S"


class Break(models.Model):
    """One difference, from the run that first saw it until it fits again or a person explains it.

    Both amounts are as Stripe counts: what came in is positive. Of a source and a currency there
    is one open row; its amounts are those of the last run.
    """

    class Why(models.TextChoices):
        FITS = "fits", _("It fits again")
        EXPLAINED = "explained", _("A person explained it")

    # The object at Stripe that moved the money, or "balance" for the whole.
    source = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    at_stripe = models.BigIntegerField()
    in_books = models.BigIntegerField()
    first_seen_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="breaks_taken"
    )
    # What explains it; open rows have none.
    note = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    # Nobody when it fits again by itself.
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    why = models.CharField(max_length=10, choices=Why, blank=True)

    class Meta:
        verbose_name = _("difference to Stripe")
        verbose_name_plural = _("differences to Stripe")
        permissions = [("act_on_break", _("Can take and explain differences to Stripe"))]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "currency"],
                condition=Q(closed_at__isnull=True),
                name="break_open_once",
            ),
            models.CheckConstraint(condition=~Q(at_stripe=F("in_books")), name="break_differs"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, why="", closed_by__isnull=True)
                | Q(closed_at__isnull=False, why="fits", closed_by__isnull=True)
                | Q(
                    closed_at__isnull=False,
                    why="explained",
                    closed_by__isnull=False,
                    note__regex=A_SENTENCE,
                ),
                name="break_end_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(last_seen_at__gte=F("first_seen_at")), name="break_seen_in_order"
            ),
        ]
        indexes = [
            models.Index(
                fields=["first_seen_at"], condition=Q(closed_at__isnull=True), name="break_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.currency}"

    @property
    def there(self) -> Money:
        """What Stripe says."""
        return Money(self.at_stripe, self.currency)

    @property
    def here(self) -> Money:
        """What our books say."""
        return Money(self.in_books, self.currency)

    @property
    def difference(self) -> Money:
        """How much more Stripe has than our books."""
        return self.there - self.here
