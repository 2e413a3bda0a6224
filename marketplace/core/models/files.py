"""Uploaded files."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from marketplace.core.ids import RefField


class StoredFile(models.Model):
    """A file someone uploaded: random storage key, digest, and who owns it.

    It is never served from its path. Whoever shows a download checks access first and then
    answers with `files.download()`, always as an attachment.
    """

    class Scan(models.TextChoices):
        PENDING = "pending"
        CLEAN = "clean"
        REFUSED = "refused"

    ref = RefField()
    storage_key = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    scan = models.CharField(max_length=10, choices=Scan, default=Scan.PENDING)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="file_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name
