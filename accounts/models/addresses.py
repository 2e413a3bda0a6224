"""Addresses people had before."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock


class FormerAddress(models.Model):
    """A proven address somebody gave up: warned for some time of what a thief would do next.

    Whoever takes over an account changes its address first. Forgotten after
    `settings.FORMER_ADDRESS_DAYS`.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="former_addresses"
    )
    address = models.EmailField()
    left_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")
        indexes = [models.Index(fields=["left_at"], name="former_address_left")]

    def __str__(self) -> str:
        return f"former address of {self.user_id}"
