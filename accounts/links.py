"""Links in a mail that sign a person in: short-lived, once, for the account as it is now."""

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

SALT = "accounts.sign-in-link"


def sign_in_link(user: User, *, onward: str = "") -> str:
    """The whole address of a link that signs the person in and leads on to a local path."""
    token = signing.dumps([user.ref, _state(user), onward], salt=SALT, compress=True)
    return f"{settings.SITE_URL}{reverse('account_login_link', args=[token])}"


def read_link(token: str) -> tuple[User, str] | None:
    """Who and where to; None when forged, older than 15 minutes, or used.

    Any sign-in since it was sent spends it, as does a new password or address.
    """
    try:
        ref, state, onward = signing.loads(
            token, salt=SALT, max_age=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT
        )
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(ref=ref, is_active=True).first()
    if user is None or not constant_time_compare(_state(user), state):
        return None
    return user, str(onward)


def _state(user: User) -> str:
    """Changes whenever an older link should die."""
    seen = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(SALT, f"{user.pk}|{seen}|{user.password}|{user.email}").hexdigest()[:20]
