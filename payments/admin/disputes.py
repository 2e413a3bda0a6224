"""What banks dispute and warn of, as staff see it and act on it."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.freshness import confirmation_of, too_old_text
from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import moment_text, money_text
from marketplace.core.errors import DomainError
from marketplace.core.http import SeeOther, UserRequest
from payments import models
from payments.forms import LiftForm, SubmitEvidenceForm
from payments.selectors.chargebacks import movements_of
from payments.selectors.stops import cost_to_others
from payments.services import evidence, policies, stops, warnings


class ActAdmin(ReadOnlyAdmin):
    """One page per row: the facts, and the one thing a person may do with it now."""

    permission = "payments.act_on_chargeback"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever acts on chargebacks may look at them."""
        may: bool = request.user.has_perm(self.permission)
        return may or super().has_view_permission(request, obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Look, and act with a confirmation."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        form = self.form_of(found, request.POST if request.method == "POST" else None)
        confirm_url = confirmation_of(request)
        if form is not None and form.is_bound and confirm_url:
            form.add_error(None, too_old_text())
        if form is not None and form.is_bound and form.is_valid():
            try:
                self.act(found, form, by=cast(UserRequest, request).user)
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                messages.success(request, _("Done. It is on the record with your name."))
                return SeeOther(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": str(found),
            "opts": self.model._meta,
            "object": found,
            "list_url": reverse(f"admin:payments_{self.model._meta.model_name}_changelist"),
            "confirm_url": confirm_url,
            "form": form if request.user.has_perm(self.permission) else None,
            **self.shown(found),
        }
        wrong = form is not None and bool(form.errors)
        return TemplateResponse(
            request, "admin/payments/act.html", context, status=422 if wrong else 200
        )

    def form_of(self, found: Any, data: Any) -> forms.Form | None:
        """The form of what can be done now; None when there is nothing to do."""
        raise NotImplementedError

    def act(self, found: Any, form: forms.Form, *, by: User) -> None:
        """Do it, through a service."""
        raise NotImplementedError

    def shown(self, found: Any) -> dict[str, Any]:
        """What the page says about the row."""
        raise NotImplementedError


@admin.register(models.Chargeback)
class ChargebackAdmin(ActAdmin):
    """The queue, what must be answered first on top."""

    list_display = (
        "ref",
        "status",
        "amount",
        "reason",
        "due_by",
        "evidence_state",
        "submitted_by",
        "opened_at",
    )
    list_filter = ("status", "evidence_state", "reason")
    list_select_related = ("submitted_by",)
    search_fields = ("ref", "stripe_id", "funding__charge_id")
    ordering = ("ended_at", "due_by")
    show_full_result_count = False

    def form_of(self, found: models.Chargeback, data: Any) -> forms.Form | None:
        return SubmitEvidenceForm(data) if evidence.can_submit(found) else None

    def act(self, found: models.Chargeback, form: forms.Form, *, by: User) -> None:
        evidence.submit(found, by=by)

    def shown(self, found: models.Chargeback) -> dict[str, Any]:
        hours = policies.current().evidence_hours
        return {
            "facts": [
                (_("Disputed"), money_text(found.amount)),
                (_("Payment"), found.funding.charge_id),
                (_("Reason"), f"{found.reason} {found.network_reason}"),
                (_("Answer until"), moment_text(found.due_by) if found.due_by else "–"),
                (_("Our answer"), found.get_evidence_state_display()),
                (_("Submitted by"), _sender(found)),
            ],
            "rows": movements_of(found),
            "texts": list(found.evidence.items()),
            "act": _("Send this to the bank"),
            "means": ngettext(
                "Banks take evidence once. Read it before you send it. If nobody does, it goes "
                "as it is %(hours)s hour before the deadline.",
                "Banks take evidence once. Read it before you send it. If nobody does, it goes "
                "as it is %(hours)s hours before the deadline.",
                hours,
            )
            % {"hours": hours},
        }


def _sender(found: models.Chargeback) -> str:
    if found.submitted_by:
        return str(found.submitted_by)
    if found.sent_by_rule_at and found.submitted_at:
        return _("Nobody in time; it went by itself before the deadline")
    return "–"


@admin.register(models.FraudWarning)
class FraudWarningAdmin(ActAdmin):
    list_display = ("ref", "status", "fraud_type", "ours", "funding", "warned_at", "lifted_by")
    list_filter = ("status", "ours", "fraud_type")
    list_select_related = ("funding", "lifted_by")
    search_fields = ("ref", "stripe_id", "funding__charge_id")
    show_full_result_count = False

    def form_of(self, found: models.FraudWarning, data: Any) -> forms.Form | None:
        return LiftForm(data) if found.status == models.FraudWarning.Status.OPEN else None

    def act(self, found: models.FraudWarning, form: forms.Form, *, by: User) -> None:
        warnings.lift(found, by=by, **form.cleaned_data)

    def shown(self, found: models.FraudWarning) -> dict[str, Any]:
        facts = [
            (_("Payment"), found.funding.charge_id),
            (_("Paid"), money_text(found.funding.amount)),
            (_("Suspicion"), found.fraud_type),
            (_("Warned"), moment_text(found.warned_at)),
        ]
        if found.lifted_by:
            facts.append((_("Lifted by"), f"{found.lifted_by}: {found.lifted_because}"))
        return {
            "facts": facts,
            "act": _("Lift the warning"),
            "means": _("What was released of this payment goes to the freelancer.")
            if found.ours
            else _("The money is held as before, and review clocks run on."),
        }


@admin.register(models.TransferReversal)
class TransferReversalAdmin(ReadOnlyAdmin):
    list_display = ("ref", "status", "amount", "transfer", "chargeback", "stripe_id", "failure")
    list_filter = ("status",)
    list_select_related = ("transfer", "chargeback")
    search_fields = ("ref", "stripe_id", "transfer__ref", "chargeback__ref")
    show_full_result_count = False


@admin.register(models.PostingStop)
class PostingStopAdmin(ActAdmin):
    """Clients who may not publish; appeals and those due for another look first."""

    list_display = (
        "ref",
        "status",
        "payer",
        "chargeback",
        "since",
        "review_due_at",
        "appealed_at",
        "lifted_by",
    )
    list_filter = ("status",)
    list_select_related = ("payer", "chargeback", "lifted_by")
    search_fields = ("ref", "payer__name", "chargeback__ref")
    ordering = ("ended_at", "review_due_at")
    show_full_result_count = False

    def form_of(self, found: models.PostingStop, data: Any) -> forms.Form | None:
        active = found.status == models.PostingStop.Status.ACTIVE
        return LiftForm(data) if active else None

    def act(self, found: models.PostingStop, form: forms.Form, *, by: User) -> None:
        stops.lift(found, by=by, **form.cleaned_data)

    def shown(self, found: models.PostingStop) -> dict[str, Any]:
        return {
            "facts": [
                (_("Client"), found.payer.name),
                (_("Card dispute"), f"{found.chargeback.ref}, {found.chargeback.reason}"),
                (_("Borne by others"), money_text(cost_to_others(found.chargeback))),
                (_("Since"), moment_text(found.since)),
                (_("To be looked at by"), moment_text(found.review_due_at)),
                (_("Appeal"), found.appeal or "–"),
                (_("Lifted by"), f"{found.lifted_by}: {found.lifted_because}")
                if found.lifted_by
                else (_("Lifted by"), "–"),
            ],
            "rows": movements_of(found.chargeback),
            "act": _("Let them publish again"),
            "means": _("They have settled it another way, or the rule is wrong for this case."),
        }
