"""What the two say to each other inside a contract."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField
from marketplace.core.models import StoredFile
from projects.models.contracts import Contract, Side


class Message(models.Model):
    """One message in a contract's thread."""

    ref = RefField()
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # For whom the author spoke, whatever they belong to later.
    side = models.CharField(max_length=10, choices=Side)
    body = models.TextField(_("message"), max_length=4000)
    files = models.ManyToManyField(StoredFile, related_name="+", blank=True)
    sent_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("message")
        indexes = [models.Index(fields=["contract", "id"], name="message_thread")]
        constraints = [
            models.CheckConstraint(
                condition=Q(side__in=["client", "freelancer"]), name="message_side"
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.ref}"


class MessageRead(models.Model):
    """How far a person has read a thread."""

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="reads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    last_message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "user"], name="message_read_once"),
        ]

    def __str__(self) -> str:
        return f"read to {self.last_message_id}"
