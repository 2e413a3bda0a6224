"""VAT as staff see it: rates by date, and what the register said about VAT ids."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import percent_text
from marketplace.core.errors import DomainError
from payments import models
from payments.services import vat_rates


class RateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rate from a day on."""

    def clean_country(self) -> str:
        """A country there is."""
        try:
            return vat_rates.clean_country(self.cleaned_data["country"])
        except DomainError as error:
            raise ValidationError(str(error)) from error


@admin.register(models.VatRate)
class VatRateAdmin(ReadOnlyAdmin):
    """A new rate is a new row; one for the same day corrects the one before it."""

    list_display = ("country", "starts_on", "percent", "source", "set_by", "created_at")
    list_filter = ("country",)
    list_select_related = ("set_by",)
    ordering = ("country", "-starts_on", "-id")

    @admin.display(description="%")
    def percent(self, rate: models.VatRate) -> str:
        return percent_text(rate.rate_bps)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_vatrate")

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        """Django's form, which also knows countries."""
        return super().get_form(*args, **kwargs | {"form": RateForm})

    def save_model(
        self, request: HttpRequest, obj: models.VatRate, form: Any, change: bool
    ) -> None:
        """A new row, with the name of who added it."""
        vat_rates.add(obj, by=cast(User, request.user))


@admin.register(models.VatCheck)
class VatCheckAdmin(ReadOnlyAdmin):
    """The proofs behind reverse charges."""

    list_display = ("vat_id", "party", "status", "source", "asked_at", "ended_at", "consultation")
    list_filter = ("status", "source")
    list_select_related = ("party",)
    search_fields = ("vat_id", "party__name", "consultation")
    show_full_result_count = False


@admin.register(models.PurchaseOrder)
class PurchaseOrderAdmin(ReadOnlyAdmin):
    """Numbers clients want on their paper."""

    list_display = ("number", "payer", "work", "changed_at")
    list_select_related = ("payer",)
    search_fields = ("number", "work", "payer__name")
    show_full_result_count = False
