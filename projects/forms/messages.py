"""One message."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import FilesField, Form, TextField
from projects.services.messages import LONGEST


class MessageForm(Form):
    """Words, files, or both."""

    body = TextField(label=_("Message"), max_length=LONGEST, rows=2, required=False)
    # Django keeps uploads under this name too, on the instance.
    files = FilesField(label=_("Files"), required=False)  # type: ignore[assignment]
