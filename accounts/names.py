"""Names people and companies may go by."""

from django.conf import settings
from django.utils.translation import gettext as _

from marketplace.core import text
from marketplace.core.errors import InvalidInput

LONGEST = 120
# Letters of other alphabets that look like ours, enough to see through an imitation.
LOOK_ALIKES = str.maketrans("авеорсухіјѕԁԛԝѵαεονρτυι013l|", "abeopcyxijsdqwvaeovptuioieii")
OURS = {"team", "support", "staff", "help", "admin", "moderator", "moderation", "payments"}


def clean_name(name: str, *, field: str = "name") -> str:
    """The name to keep; raises InvalidInput when it is empty, too long or poses as us."""
    name = text.line(name)
    if not any(c.isalnum() for c in name):
        raise InvalidInput(_("Enter a name"), field=field)
    if len(name) > LONGEST:
        raise InvalidInput(
            _("The name is too long. The limit is %(limit)d characters") % {"limit": LONGEST},
            field=field,
        )
    words = set(_skeleton(name).split())
    ours = _skeleton(settings.SITE_NAME)
    if ours in words and (words == {ours} or words & {_skeleton(word) for word in OURS}):
        raise InvalidInput(_("This name looks like ours. Choose another one"), field=field)
    return name


def _skeleton(name: str) -> str:
    return text.fold(name).translate(LOOK_ALIKES)
