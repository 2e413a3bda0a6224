"""Input of the console of matching."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import TextField
from payments.forms import ReasonForm


class WeightsForm(ReasonForm):
    """New weights, as the file a fit writes."""

    file = TextField(
        label=_("File of weights"),
        help_text=_(
            "JSON with “weights”, “fitted” and “figures”, as bench/matching_fit.py writes it. The "
            "model card shows all of it to everybody once they are in use."
        ),
        max_length=50_000,
        rows=14,
    )
