"""What visitors can set in motion from public pages."""

import secrets

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.core import mail
from marketplace.core.errors import TooMany

HOUR = 60 * 60
MESSAGES_PER_SENDER = 5
MESSAGES_PER_HOUR = 100


@transaction.atomic
def send_contact_message(*, name: str, email: str, message: str) -> None:
    """Mail a visitor's message to the people who run this; a reply reaches the visitor.

    Raises TooMany after a few in an hour from one address, or very many from all.
    """
    _count_or_refuse(f"contact:{email.casefold()}", MESSAGES_PER_SENDER)
    _count_or_refuse("contact", MESSAGES_PER_HOUR)
    mail.put(
        f"contact:{secrets.token_hex(8)}",
        to=settings.CONTACT_EMAIL,
        template="email/contact",
        context={"name": name, "email": email, "message": message},
        language=settings.LANGUAGE_CODE,
        headers={"Reply-To": email},
    )


def _count_or_refuse(key: str, limit: int) -> None:
    cache.add(key, 0, HOUR)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out between the two lines
        return
    if count > limit:
        raise TooMany(
            _("That is a lot of messages. You can send the next one in an hour"), retry_after=HOUR
        )
