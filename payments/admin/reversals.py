"""Reversing a journal, and the second pair of eyes."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core.display import money_text
from payments.admin.decisions import SecondAdmin
from payments.models import Reversal
from payments.services import reversals


@admin.register(Reversal)
class ReversalAdmin(SecondAdmin):
    """Asked for on the page of a journal."""

    service = reversals
    said_yes = gettext_lazy("Reversed. The journal stays and a second one takes it back.")
    said_no = gettext_lazy("Refused. The journal stays as it is.")
    list_display = (
        "ref",
        "status",
        "amount",
        "journal",
        "reason",
        "asked_by",
        "asked_at",
        "needs_second",
        "decided_by",
        "decided_at",
    )
    list_select_related = ("journal", "asked_by", "decided_by")
    search_fields = ("ref", "journal__idempotency_key", "journal__ref")

    def facts(self, row: Reversal) -> list[tuple[str, object]]:
        return [
            (_("Journal"), f"{row.journal.kind}, {row.journal}"),
            *reversals.legs_in_words(row.journal),
        ]

    def does(self, row: Reversal) -> str:
        return _("Reverse %(amount)s") % {"amount": money_text(row.amount)}
