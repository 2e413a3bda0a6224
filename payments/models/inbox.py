"""What Stripe told us, before we believe it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StripeEvent(models.Model):
    """A hint that an object at Stripe changed. We keep its id and ask Stripe for the rest.

    The body is not kept: it may be stale, out of order and full of personal data.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("To be read")
        DONE = "done", _("Read")
        IGNORED = "ignored", _("Of no interest to us")
        PARKED = "parked", _("Gave up; a person looks at it")

    event_id = models.CharField(max_length=80, unique=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=120, blank=True)
    # The connected account it happened on; empty for our own.
    account_id = models.CharField(max_length=80, blank=True)
    api_version = models.CharField(max_length=40, blank=True)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("Stripe event")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "done", "ignored", "parked"]),
                name="stripe_event_state",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="stripe_event_due"),
            models.Index(fields=["-happened_at"], name="stripe_event_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class EventPoll(models.Model):
    """Up to when we have listed Stripe's events ourselves: one row.

    Not the newest event we know: a webhook that gets through after days of silence would hide the
    days before it.
    """

    up_to = models.DateTimeField()

    class Meta:
        verbose_name = _("poll of Stripe events")

    def __str__(self) -> str:
        return f"events listed up to {self.up_to:%Y-%m-%d %H:%M}"
