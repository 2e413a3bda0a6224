"""Effects on the world, committed together with their cause."""

from django.db import models
from django.db.models import Q


class OutboxMessage(models.Model):
    """Something to do outside the database: a Stripe call, a mail, an index change.

    `key` names the effect, so asking twice is asking once. A worker leases a row by moving
    `due_at` ahead; if it dies, the lease runs out and another takes it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        PARKED = "parked"  # gave up; a person looks at it

    topic = models.CharField(max_length=40)
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="outbox_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "done", "parked"]), name="outbox_state"
            ),
            models.CheckConstraint(
                condition=Q(state="done") ^ Q(done_at__isnull=True), name="outbox_done_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic}: {self.key}"
