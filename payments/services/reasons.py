"""Reasons staff give for what they do with money."""

import re

from django.utils.translation import gettext as _

from marketplace.core.errors import InvalidInput
from payments.models.breaks import A_SENTENCE


def check_reason(text: str, *, field: str = "reason") -> str:
    """The reason without the space around it; raises InvalidInput when nobody could follow it."""
    reason = text.strip()
    if not re.search(A_SENTENCE, reason, re.DOTALL):
        raise InvalidInput(
            _("Say why in a sentence, so that others can follow it later."), field=field
        )
    return reason
