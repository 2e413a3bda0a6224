"""Differences to Stripe: who looks into which, since when."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.core import clock
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest
from payments.admin.pages import ask_for_reason
from payments.models import Break
from payments.services import breaks


class OpenFilter(admin.SimpleListFilter):
    """Open ones, unless asked for others."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What can be chosen beside the open ones."""
        return [("mine", _("Open and mine")), ("closed", _("Closed")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        """The open ones come first and are what "nothing chosen" means."""
        choices = list(super().choices(changelist))
        choices[0]["display"] = _("Open")
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Break]) -> QuerySet[Break]:
        """The chosen ones."""
        match self.value():
            case "all":
                return queryset
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case "mine":
                return queryset.filter(closed_at=None, owner=request.user.pk)
        return queryset.filter(closed_at=None)


@admin.register(Break)
class BreakAdmin(ReadOnlyAdmin):
    """Oldest first: a difference nobody looks into gets worse."""

    list_display = (
        "source",
        "there_text",
        "here_text",
        "difference_text",
        "age",
        "owner",
        "last_seen_at",
        "why",
        "note",
    )
    list_filter = (OpenFilter, "currency", "why")
    list_select_related = ("owner",)
    search_fields = ("source", "note")
    ordering = ("first_seen_at", "pk")
    show_full_result_count = False
    actions = ("take", "explain")

    @admin.display(description=gettext_lazy("At Stripe"), ordering="at_stripe")
    def there_text(self, row: Break) -> str:
        return money_text(row.there)

    @admin.display(description=gettext_lazy("In the books"), ordering="in_books")
    def here_text(self, row: Break) -> str:
        return money_text(row.here)

    @admin.display(description=gettext_lazy("Difference"))
    def difference_text(self, row: Break) -> str:
        return money_text(row.difference)

    @admin.display(description=gettext_lazy("Age"), ordering="first_seen_at")
    def age(self, row: Break) -> str:
        """How long it has been, or was, open."""
        days = ((row.closed_at or clock.now()) - row.first_seen_at).days
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.act_on_break")

    @admin.action(description=gettext_lazy("Take it"), permissions=["act"])
    def take(self, request: UserRequest, queryset: QuerySet[Break]) -> None:
        for row in queryset:
            try:
                breaks.take(row, by=request.user)
            except DomainError as error:
                messages.error(request, f"{row}: {error}")
            else:
                messages.success(request, _("%(what)s is yours now") % {"what": row})

    @admin.action(description=gettext_lazy("Explain and close…"), permissions=["act"])
    def explain(self, request: UserRequest, queryset: QuerySet[Break]) -> HttpResponse:
        rows = list(queryset.filter(closed_at=None).order_by("pk"))

        def close(reason: str) -> str:
            for row in rows:
                breaks.explain(row, by=request.user, reason=reason)
            return ngettext(
                "%(count)s difference is explained",
                "%(count)s differences are explained",
                len(rows),
            ) % {"count": len(rows)}

        return ask_for_reason(
            self,
            request,
            title=_("Explain and close"),
            text=_(
                "The difference stays. The next runs leave it alone as long as both amounts stay "
                "as they are; if one of them changes, it opens again."
            ),
            facts=[(str(row), money_text(row.difference)) for row in rows],
            buttons={"confirm": (_("Explain and close"), close)},
            done_url=reverse("admin:payments_break_changelist"),
            hidden=[("action", "explain"), *((ACTION_CHECKBOX_NAME, str(row.pk)) for row in rows)],
            refused="" if rows else _("These are closed already."),
        )
