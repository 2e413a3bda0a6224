"""What people typed and have not sent yet."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from marketplace.core.ids import RefField


class Draft(models.Model):
    """Form contents kept on the server, for a user or, before joining, for a session.

    `kind` and `subject` name the form, e.g. ("bid", project ref). Personal data: erased with
    the person and after 30 days without a change.
    """

    ref = RefField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    session_key = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=60, blank=True)
    values = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False) ^ ~Q(session_key=""), name="draft_has_one_owner"
            ),
            models.UniqueConstraint(
                fields=["user", "kind", "subject"],
                condition=Q(user__isnull=False),
                name="draft_one_per_user",
            ),
            models.UniqueConstraint(
                fields=["session_key", "kind", "subject"],
                condition=~Q(session_key=""),
                name="draft_one_per_session",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} draft"
