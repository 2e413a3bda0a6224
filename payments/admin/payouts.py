"""Payees' accounts, their banks and what went there, as staff see it and act on it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import moment_text
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest
from payments import models
from payments.admin.disputes import ActAdmin
from payments.forms import ReasonForm
from payments.services import alerts, bank_details


@admin.register(models.PayoutAccount)
class PayoutAccountAdmin(ReadOnlyAdmin):
    list_display = (
        "party",
        "stripe_id",
        "can_receive",
        "payouts_enabled",
        "stopped_at",
        "disabled_reason",
        "deadline",
        "changed_at",
    )
    list_filter = ("can_receive", "payouts_enabled", "interval")
    list_select_related = ("party",)
    search_fields = ("stripe_id", "party__name")


@admin.register(models.BankDetails)
class BankDetailsAdmin(ActAdmin):
    """Every change of where a payee's money goes; one that waits can be let go, with a reason."""

    permission = alerts.PERMISSION
    list_display = (
        "ref",
        "status",
        "account",
        "bank_name",
        "last4",
        "currency",
        "errored",
        "seen_at",
        "due_at",
        "settled_by",
    )
    list_filter = ("status", "errored", "currency")
    list_select_related = ("account", "settled_by")
    search_fields = ("ref", "stripe_id", "last4", "account__party__name")
    show_full_result_count = False

    def form_of(self, found: models.BankDetails, data: Any) -> forms.Form | None:
        waits = {models.BankDetails.Status.COOLING, models.BankDetails.Status.REPORTED}
        return ReasonForm(data) if found.status in waits else None

    def act(self, found: models.BankDetails, form: forms.Form, *, by: User) -> None:
        bank_details.lift(found, by=by, **form.cleaned_data)

    def shown(self, found: models.BankDetails) -> dict[str, Any]:
        facts: list[tuple[str, object]] = [
            (_("Payee"), found.account.party.name),
            (_("Bank account"), str(found)),
            (_("Since"), moment_text(found.seen_at)),
            (_("Payouts wait until"), moment_text(found.due_at) if found.due_at else "–"),
            (_("Reported"), moment_text(found.reported_at) if found.reported_at else "–"),
        ]
        for payout in found.account.payouts.exclude(call_off_at=None).order_by("pk"):
            came = payout.call_off_failure or payout.get_status_display()
            facts.append((_("Asked to call off %(ref)s") % {"ref": payout.ref}, came))
        if found.settled_by:
            facts.append((_("Let go by"), f"{found.settled_by}: {found.settled_because}"))
        return {
            "facts": facts,
            "act": _("Let payouts go on"),
            "means": _(
                "Talk to the payee first, on a way you knew before the change. The next payout "
                "goes to this bank account."
            ),
        }


@admin.register(models.Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = (
        *("ref", "status", "amount", "account", "bank", "arrives_on", "failure"),
        *("call_off_at", "call_off_failure"),
    )
    list_filter = ("status", "automatic")
    list_select_related = ("account", "bank")
    search_fields = ("ref", "stripe_id", "account__party__name")
    show_full_result_count = False


@admin.register(models.PayoutAlert)
class PayoutAlertAdmin(ReadOnlyAdmin):
    """Open ones first, the oldest on top; they close by themselves when the trouble is over."""

    list_display = ("account", "kind", "opened_at", "owner", "closed_at")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("account__party", "owner")
    search_fields = ("account__party__name",)
    ordering = ("-closed_at", "opened_at")
    show_full_result_count = False
    actions = ("take",)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(alerts.PERMISSION)

    @admin.action(description=gettext_lazy("Take it"), permissions=["act"])
    def take(self, request: UserRequest, queryset: QuerySet[models.PayoutAlert]) -> None:
        for alert in queryset:
            try:
                alerts.take(alert, by=request.user)
            except DomainError as error:
                messages.error(request, f"{alert}: {error}")
            else:
                messages.success(request, _("%(what)s is yours now") % {"what": alert})
