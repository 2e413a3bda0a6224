"""Who told us what for the tax office, and the yearly reports."""

from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts import freshness
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.http import SeeOther, UserRequest
from payments.forms import TaxReportForm
from payments.models import SellerDetails
from payments.selectors import tax_reports
from payments.services import tax_exports

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


def _file(request: UserRequest, kind: str, year: int) -> HttpResponse:
    name = "json" if "json" in request.POST else "csv"
    make, content_type = EXPORTS[name]
    return HttpResponse(
        make(kind, year, by=request.user),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{kind}-{year}.{name}"'},
    )
