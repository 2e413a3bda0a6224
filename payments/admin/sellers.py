"""Who told us what for the tax office, and the yearly reports."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts import freshness
from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import moment_text
from marketplace.core.http import SeeOther, UserRequest
from payments.admin.disputes import ActAdmin
from payments.forms import LiftForm, TaxPauseForm, TaxReportForm
from payments.models import SellerDetails, TaxRequest
from payments.selectors import tax_reports
from payments.services import tax_exports, tax_requests

EXPORTS = {
    "csv": (tax_exports.csv_report, "text/csv; charset=utf-8"),
    "json": (tax_exports.json_report, "application/json; charset=utf-8"),
}


@admin.register(SellerDetails)
class SellerDetailsAdmin(ReadOnlyAdmin):
    """Who told us something, and when; what they told stays sealed."""

    list_display = ("party", "tax_country", "changed_at", "changed_by")
    list_filter = ("tax_country",)
    list_select_related = ("party", "changed_by")
    search_fields = ("party__name", "party__ref")
    ordering = ("-changed_at",)
    exclude = ("sealed",)

    def get_urls(self) -> list[URLPattern]:
        """The reports beside the list."""
        report = path(
            "reports/",
            self.admin_site.admin_view(self.reports),
            name="payments_sellerdetails_reports",
        )
        return [report, *super().get_urls()]

    def reports(self, request: UserRequest) -> HttpResponse:
        """Choose a report, see whose details are missing, and download it; that is noted."""
        if not request.user.has_perm("payments.export_tax_report"):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        form = TaxReportForm(asked if "year" in asked else None)
        if form.is_valid() and request.method == "POST":
            if not freshness.is_fresh(request):
                # Every tax number there is.
                here = f"{request.path}?{urlencode(form.cleaned_data)}"
                return SeeOther(freshness.confirm_url(request.user, onward=here))
            return _file(request, **form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Reports for tax offices"),
            "opts": self.model._meta,
            "form": form,
            "sellers": tax_reports.sellers(**form.cleaned_data) if form.is_valid() else None,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(
            request, "admin/payments/sellerdetails/reports.html", context, status=status
        )

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever may export the reports may look."""
        may: bool = request.user.has_perm("payments.export_tax_report")
        return may or super().has_view_permission(request, obj)


@admin.register(TaxRequest)
class TaxRequestAdmin(ActAdmin):
    """Who was asked for tax details; pauses and appeals first. A pause can be lifted."""

    permission = tax_requests.PERMISSION
    list_display = (
        *("ref", "status", "party", "year", "asked_at", "reminders", "due_at"),
        *("paused_at", "review_due_at", "appealed_at", "lifted_by"),
    )
    list_filter = ("status", "year")
    list_select_related = ("party", "lifted_by")
    search_fields = ("ref", "party__name", "party__ref")
    ordering = ("ended_at", "review_due_at", "due_at")
    show_full_result_count = False

    def form_of(self, found: TaxRequest, data: Any) -> forms.Form | None:
        if found.status == TaxRequest.Status.PAUSED:
            return TaxPauseForm(data)
        return LiftForm(data) if found.status == TaxRequest.Status.ASKED else None

    def act(self, found: TaxRequest, form: forms.Form, *, by: User) -> None:
        reason = form.cleaned_data["reason"]
        if form.cleaned_data.get("decision") == "keep":
            tax_requests.keep(found, by=by, reason=reason)
        else:
            tax_requests.lift(found, by=by, reason=reason)

    def shown(self, found: TaxRequest) -> dict[str, Any]:
        def when(moment: Any) -> str:
            return moment_text(moment) if moment else "–"

        return {
            "facts": [
                (_("Payee"), found.party.name),
                (_("Earned something in"), found.year),
                (_("Asked"), when(found.asked_at)),
                (_("Reminders"), found.reminders),
                (_("Next step"), when(found.due_at)),
                (_("Payouts wait since"), when(found.paused_at)),
                (_("To be looked at by"), when(found.review_due_at)),
                (_("Appeal"), found.appeal or "–"),
                (
                    _("Looked at, and stays"),
                    f"{found.kept_by}, {when(found.kept_at)}: {found.kept_because}"
                    if found.kept_by
                    else "–",
                ),
                (
                    _("Lifted by"),
                    f"{found.lifted_by}: {found.lifted_because}" if found.lifted_by else "–",
                ),
            ],
            "act": _("Decide"),
            "means": _(
                "Lifting it means that they cannot tell it, or that the rule is wrong for them: "
                "payouts go on, and we do not ask again this year."
            ),
        }


def _file(request: UserRequest, kind: str, year: int) -> HttpResponse:
    name = "json" if "json" in request.POST else "csv"
    make, content_type = EXPORTS[name]
    return HttpResponse(
        make(kind, year, by=request.user),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{kind}-{year}.{name}"'},
    )
