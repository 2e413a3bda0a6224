"""A review, with the questions of the side that writes."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, StarsField, TextField
from projects.models.contracts import Side
from projects.selectors.reviews import QUESTIONS
from projects.services.reviews import LONGEST, LONGEST_REPLY


class ReviewForm(Form):
    """Words first, then three rows of stars: a number without words helps nobody."""

    text = TextField(
        label=_("What should others know?"),
        help_text=_("Public, with your name, the project and the month."),
        max_length=LONGEST,
        rows=5,
        error_messages={"required": _("Say what others should know")},
    )
    stars_work = StarsField(error_messages={"required": _("Choose one to five stars")})
    stars_communication = StarsField(error_messages={"required": _("Choose one to five stars")})
    stars_fairness = StarsField(error_messages={"required": _("Choose one to five stars")})
    private_note = TextField(
        label=_("Anything only we should know?"),
        help_text=_("Not shown to the other side or to anybody else."),
        max_length=LONGEST,
        rows=3,
        required=False,
    )

    def __init__(self, *args: Any, side: Side, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, question in QUESTIONS[side].items():
            self.fields[name].label = str(question)


class ReplyForm(Form):
    """One public answer."""

    reply = TextField(
        label=_("Your reply"),
        help_text=_("Public, once, below the review."),
        max_length=LONGEST_REPLY,
        rows=3,
    )
