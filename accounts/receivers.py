"""News of signing in: each session remembers when its person last proved who they are."""

from typing import Any

from allauth.account.signals import authentication_step_completed, email_changed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import freshness
from accounts.models import User
from accounts.services import former_addresses


@receiver(user_logged_in)
def remember_the_sign_in(request: HttpRequest, **_kwargs: Any) -> None:
    """All steps of the sign-in are done."""
    freshness.remember(request)


@receiver(authentication_step_completed)
def remember_the_confirmation(
    request: HttpRequest, *, reauthenticated: bool = False, **_kwargs: Any
) -> None:
    """Somebody who is in has proved it again; single steps of a sign-in prove nothing yet."""
    if reauthenticated:
        freshness.remember(request)


@receiver(email_changed)
def keep_the_old_address(user: User, *, from_email_address: Any, **_kwargs: Any) -> None:
    """A new address is proven; the one before still hears of changed bank details."""
    if from_email_address is not None and from_email_address.verified:
        former_addresses.keep(user, from_email_address.email)
