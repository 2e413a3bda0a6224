"""First answers of API calls that carry an Idempotency-Key."""

from django.conf import settings
from django.db import models


class IdempotentCall(models.Model):
    """The first answer to a key of a user; a repeat gets it again, other content is refused."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotent_call_once"),
        ]

    def __str__(self) -> str:
        return self.key
