"""Reversing a journal, and the second pair of eyes."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_text
from marketplace.core.http import UserRequest
from payments.admin.pages import ask_for_reason
from payments.models import Reversal
from payments.services import reversals


@admin.register(Reversal)
class ReversalAdmin(ReadOnlyAdmin):
    """What was asked for; those that wait come first. Opening one is deciding on it."""

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
    list_filter = ("status", "needs_second")
    list_select_related = ("journal", "asked_by", "decided_by")
    search_fields = ("ref", "journal__idempotency_key", "journal__ref")
    ordering = ("decided_at", "-asked_at")
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may decide may look."""
        may: bool = request.user.has_perm("payments.act_on_reversal")
        return may or super().has_view_permission(request, obj)

    def change_view(
        self,
        request: UserRequest,  # type: ignore[override]
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Everything about it, and for a second person two buttons."""
        reversal = self.get_object(request, object_id)
        if not isinstance(reversal, Reversal):
            raise Http404
        if not self.has_view_permission(request, reversal):
            raise PermissionDenied

        def approve(reason: str) -> str:
            reversals.approve(reversal, by=request.user, reason=reason)
            return _("Reversed. The journal stays and a second one takes it back.")

        def refuse(reason: str) -> str:
            reversals.refuse(reversal, by=request.user, reason=reason)
            return _("Refused. The journal stays as it is.")

        return ask_for_reason(
            self,
            request,
            title=_("Reversal %(ref)s") % {"ref": reversal.ref},
            text=_("Look at the journal and at the reason. Your name stays beside the decision."),
            facts=_facts(reversal),
            buttons={
                "approve": (
                    _("Reverse %(amount)s") % {"amount": money_text(reversal.amount)},
                    approve,
                ),
                "refuse": (_("Refuse"), refuse),
            },
            done_url=reverse("admin:payments_reversal_changelist"),
            refused=_refused(reversal, request),
        )


def _facts(reversal: Reversal) -> list[tuple[str, object]]:
    return [
        (_("Status"), reversal.get_status_display()),
        (_("Journal"), f"{reversal.journal.kind}, {reversal.journal}"),
        *reversals.legs_in_words(reversal.journal),
        (_("Reason"), reversal.reason),
        (_("Asked by"), reversal.asked_by),
        (_("Decided by"), reversal.decided_by or "–"),
        (_("Answer"), reversal.answer or "–"),
    ]


def _refused(reversal: Reversal, request: UserRequest) -> str:
    if reversal.status != Reversal.Status.ASKED:
        return _("This is decided.")
    return reversals.why_not_by(reversal, request.user)
