"""Handing work over, sending it back, saying yes, calling it off."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import FilesField, Form, TextField
from projects.services.deliveries import LONGEST_NOTE
from projects.services.ending import LONGEST_REASON


class DeliverForm(Form):
    """What is handed over."""

    note = TextField(
        label=_("What do you hand over?"),
        help_text=_("What is finished, where to look first, what is still open."),
        max_length=LONGEST_NOTE,
        rows=6,
        error_messages={"required": _("Say what you hand over")},
    )
    link = forms.CharField(
        label=_("Link"),
        help_text=_("A preview or a repository, like https://example.org/preview."),
        required=False,
        max_length=200,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    # Django keeps uploads under this name too, on the instance.
    files = FilesField(  # type: ignore[assignment]
        label=_("Files"),
        required=False,
        help_text=_("Up to 25 MB each. Programs and web pages go into a ZIP."),
    )


class ChangesForm(Form):
    """What should change."""

    points = TextField(
        label=_("What should change?"),
        help_text=_("One point per line, each so concrete that you can tick it off later."),
        max_length=LONGEST_NOTE,
        rows=6,
        error_messages={"required": _("Name at least one thing that should change")},
    )


class ApproveForm(Form):
    """Which delivery the client looked at: nobody approves what they have not seen."""

    round = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class CallOffForm(Form):
    """Why a milestone should be called off."""

    reason = TextField(
        label=_("Why do you want to call it off?"),
        help_text=_("The other side reads this."),
        max_length=LONGEST_REASON,
        rows=4,
        error_messages={"required": _("Say why, in a sentence or two")},
    )
