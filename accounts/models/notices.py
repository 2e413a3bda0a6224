"""What we told a person, in the product and by mail."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField


class Group(models.TextChoices):
    """What people switch on and off together."""

    MONEY = "money", _("Money and decisions")
    WORK = "work", _("Bids, contracts and deliveries")
    MESSAGES = "messages", _("Messages")
    MATCHES = "matches", _("Matching projects and people")


class Notice(models.Model):
    """One line for one person with a link to where it happened.

    `kind` chooses the words (templates/accounts/notices/<kind>.*), `facts` fills them; the text
    is rendered when read, in the reader's language.
    """

    ref = RefField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    group = models.CharField(max_length=10, choices=Group)
    facts = models.JSONField(default=dict)
    url = models.CharField(max_length=300)
    # Names the happening, so that telling twice is telling once.
    key = models.CharField(max_length=160)
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)
    # When a mail told it too; a digest looks for what none has told.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice")
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="notice_once"),
            models.CheckConstraint(
                condition=Q(group__in=["money", "work", "messages", "matches"]),
                name="notice_group",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_list"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return self.kind


class NoticePreference(models.Model):
    """A person's wish for one group of notices; without a row, mail is on."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_preferences"
    )
    group = models.CharField(max_length=10, choices=Group)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "group"], name="notice_preference_once"),
            models.CheckConstraint(
                condition=Q(group__in=["money", "work", "messages", "matches"]),
                name="notice_preference_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {'mail' if self.by_mail else 'no mail'}"
