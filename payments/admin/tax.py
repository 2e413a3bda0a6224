"""VAT as staff see it: rates by date, and what the register said about VAT ids."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import moment_text, percent_text
from marketplace.core.errors import DomainError
from payments import models
from payments.admin.disputes import ActAdmin
from payments.forms import ReasonForm
from payments.services import vat_checks, vat_rates


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
class VatCheckAdmin(ActAdmin):
    """The proofs behind reverse charges; a name the register does not confirm, a person may."""

    permission = vat_checks.PERMISSION
    list_display = (
        *("vat_id", "party", "status", "name_match", "confirmed_by"),
        *("source", "asked_at", "ended_at", "consultation"),
    )
    list_filter = ("status", "name_match", "source")
    list_select_related = ("party", "confirmed_by")
    search_fields = ("vat_id", "party__name", "consultation")
    show_full_result_count = False

    def form_of(self, found: models.VatCheck, data: Any) -> forms.Form | None:
        waits = found.status == models.VatCheck.Status.VALID and not found.proves
        return ReasonForm(data) if waits else None

    def act(self, found: models.VatCheck, form: forms.Form, *, by: User) -> None:
        vat_checks.confirm_name(found, by=by, **form.cleaned_data)

    def shown(self, found: models.VatCheck) -> dict[str, Any]:
        facts: list[tuple[str, object]] = [
            (_("Party"), found.party.name),
            (_("Name we asked about"), found.claimed_name or "–"),
            (_("Name in the register"), found.registered_name or "–"),
            (_("Compared"), found.get_name_match_display() or "–"),
            (_("Asked"), moment_text(found.asked_at)),
            (_("Consultation number"), found.consultation or "–"),
            (_("Source"), found.get_source_display()),
        ]
        if found.confirmed_by:
            facts.append((_("Confirmed by"), f"{found.confirmed_by}: {found.confirmed_because}"))
        return {
            "facts": facts,
            "act": _("Confirm that the VAT id is theirs"),
            "means": _(
                "Have a document of the tax office or of the company register in front of you. "
                "From now on documents carry no VAT when this party buys from another EU country."
            ),
        }


@admin.register(models.PurchaseOrder)
class PurchaseOrderAdmin(ReadOnlyAdmin):
    """Numbers clients want on their paper."""

    list_display = ("number", "payer", "work", "changed_at")
    list_select_related = ("payer",)
    search_fields = ("number", "work", "payer__name")
    show_full_result_count = False
