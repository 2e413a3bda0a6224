"""Money as staff see it: everything to read, little to press, nothing to edit."""

import datetime as dt
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from marketplace.core import outbox
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import models
from payments.admin.pages import ask_for_reason
from payments.selectors import holds, liabilities
from payments.selectors import trail as trails
from payments.services import funding as fundings
from payments.services import inbox, policies, reversals, transfers

if TYPE_CHECKING:
    Inline = admin.TabularInline[models.Entry, models.Journal]
else:
    Inline = admin.TabularInline

# --- Ledger ---------------------------------------------------------------------------------


class EntryInline(Inline):
    """The legs of a journal."""

    model = models.Entry
    fields = ("account", "amount", "currency")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Entry]:
        return super().get_queryset(request).select_related("account")


@admin.register(models.Journal)
class JournalAdmin(ReadOnlyAdmin):
    """Nothing here is edited; a wrong journal is taken back by another one."""

    change_form_template = "admin/payments/journal/change_form.html"
    list_display = ("id", "created_at", "kind", "idempotency_key", "ref", "actor")
    list_filter = ("kind",)
    list_select_related = ("actor",)
    search_fields = ("idempotency_key", "ref")
    show_full_result_count = False
    inlines = (EntryInline,)

    def get_urls(self) -> list[URLPattern]:
        """The page that takes a journal back, beside Django's addresses."""
        undo = path(
            "<int:pk>/reverse/",
            self.admin_site.admin_view(self.reverse),
            name="payments_journal_reverse",
        )
        return [undo, *super().get_urls()]

    def reverse(self, request: UserRequest, pk: int) -> HttpResponse:
        """Ask for a reversal; a small one is posted at once."""
        journal = self.get_object(request, str(pk))
        if not isinstance(journal, models.Journal):
            raise Http404
        if not request.user.has_perm("payments.act_on_reversal"):
            raise PermissionDenied
        url = reverse("admin:payments_journal_change", args=[pk])

        def ask(reason: str) -> str:
            asked = reversals.ask(journal, by=request.user, reason=reason)
            if asked.needs_second:
                return _("Asked. A second person has to approve it.")
            return _("Reversed. The journal stays and a second one takes it back.")

        return ask_for_reason(
            self,
            request,
            title=_("Reverse journal %(id)s") % {"id": pk},
            text=_("A second journal takes this one back. Large ones wait for a second person."),
            facts=[
                (_("Kind"), journal.kind),
                (_("Reference"), journal.ref),
                *reversals.legs_in_words(journal),
            ],
            buttons={"confirm": (_("Reverse this journal"), ask)},
            done_url=url,
            refused=reversals.why_not(journal),
        )


@admin.register(models.Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "role", "owner_key", "holds", "mode", "floor")
    list_filter = ("role", "currency")
    list_select_related = ("balance", "rollup")
    search_fields = ("owner_key",)
    show_full_result_count = False

    change_list_template = "admin/payments/account/change_list.html"
    change_form_template = "admin/payments/account/change_form.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The account with its trail: whose, since when, why, and what happens next."""
        account = self.get_object(request, object_id)
        found = trails.trail(account) if isinstance(account, models.Account) else None
        context = (extra_context or {}) | {"trail": found}
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        """The report, beside Django's addresses."""
        report = path(
            "liabilities/",
            self.admin_site.admin_view(self.liabilities),
            name="payments_account_liabilities",
        )
        return [report, *super().get_urls()]

    def liabilities(self, request: HttpRequest) -> HttpResponse:
        """Whose is every cent: totals of all roles, and account by account with its owner."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        role, currency = request.GET.get("role", ""), request.GET.get("currency", "")
        after = request.GET.get("after", "")
        known = role in models.Account.Role.values
        context = {
            **self.admin_site.each_context(request),
            "title": _("Whose is every cent"),
            "opts": self.model._meta,
            "books": liabilities.books(),
            "role": models.Account.Role(role).label if known else "",
            "currency": currency,
            "page": liabilities.owed(role, currency, after=after) if known else None,
            "query": urlencode({"role": role, "currency": currency}),
        }
        return TemplateResponse(request, "admin/payments/account/liabilities.html", context)

    @admin.display(description=gettext_lazy("Holds"))
    def holds(self, account: models.Account) -> str:
        """The balance; of a shared account as of the last roll-up."""
        inline = account.mode == models.Account.Mode.INLINE
        kept = account.balance if inline else account.rollup
        return str(Money(kept.posted, account.currency))


# --- Holds and what moves them --------------------------------------------------------------


class AgeFilter(admin.SimpleListFilter):
    """How long money has been held, against the longest we may hold it."""

    title = gettext_lazy("held for")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Ages in days; the last one is against the policy of each hold."""
        return [
            ("30", _("30 days or more")),
            ("60", _("60 days or more")),
            ("75", _("75 days or more")),
            ("over", _("Over the limit")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[models.Hold]) -> Any:
        """Holds of at least that age whose money is still here."""
        age = self.value()
        return holds.held_for(queryset, None if age == "over" else int(age)) if age else queryset


@admin.register(models.Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = (
        "ref",
        "status",
        "amount",
        "age",
        "days_left",
        "payer",
        "payee",
        "label",
        "held_at",
        "ended_at",
    )
    list_filter = ("status", AgeFilter, "basis")
    change_form_template = "admin/payments/hold/change_form.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The hold with the accounts its money went through."""
        hold = self.get_object(request, object_id)
        found = trails.accounts_of(hold) if isinstance(hold, models.Hold) else []
        context = (extra_context or {}) | {"accounts": found}
        return super().change_view(request, object_id, form_url, context)

    list_select_related = ("payer", "payee", "policy")

    @admin.display(description=gettext_lazy("Days held"), ordering="held_at")
    def age(self, hold: models.Hold) -> int | None:
        return holds.days_held(hold)

    @admin.display(description=gettext_lazy("Days left"))
    def days_left(self, hold: models.Hold) -> int | None:
        """Until the money must have gone one way or the other."""
        return holds.days_left(hold)

    search_fields = ("ref", "label", "payer__name", "payee__name")
    show_full_result_count = False


@admin.register(models.Funding)
class FundingAdmin(ReadOnlyAdmin):
    list_display = ("ref", "status", "amount", "payer", "charge_id", "failure", "created_at")
    list_filter = ("status",)
    list_select_related = ("payer",)
    search_fields = ("ref", "session_id", "charge_id")
    show_full_result_count = False
    actions = ("look_again",)

    @admin.action(description=gettext_lazy("Look at Stripe again"), permissions=["view"])
    def look_again(self, request: UserRequest, queryset: QuerySet[models.Funding]) -> None:
        for funding in queryset:
            found = fundings.confirm(funding)
            messages.info(request, f"{found}: {found.get_status_display()}")


@admin.register(models.Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ("ref", "status", "amount", "payee", "due_at", "sent_at", "stripe_id", "failure")
    list_filter = ("status",)
    list_select_related = ("payee",)
    search_fields = ("ref", "stripe_id", "payee__name")
    show_full_result_count = False
    actions = ("retry",)

    @admin.action(description=gettext_lazy("Send failed transfers again"), permissions=["act"])
    def retry(self, request: UserRequest, queryset: QuerySet[models.Transfer]) -> None:
        for transfer in queryset:
            try:
                transfers.retry(transfer, by=request.user)
            except DomainError as error:
                messages.error(request, f"{transfer}: {error}")
            else:
                messages.success(request, _("%(what)s is sent again") % {"what": transfer})

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.act_on_transfer")


@admin.register(models.Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("ref", "status", "amount", "payer", "created_at", "stripe_id", "failure")
    list_filter = ("status",)
    list_select_related = ("payer",)
    search_fields = ("ref", "stripe_id", "payer__name")
    show_full_result_count = False


@admin.register(models.GiveBack)
class GiveBackAdmin(ReadOnlyAdmin):
    """What freelancers returned after a release: who, how much, and what came of it."""

    list_display = ("ref", "status", "amount", "to_payer", "given_by", "given_at", "failure")
    list_filter = ("status",)
    list_select_related = ("given_by",)
    search_fields = ("ref", "hold__ref")
    show_full_result_count = False


# --- Paper, news and rules ------------------------------------------------------------------


@admin.register(models.Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "kind",
        "seller",
        "buyer",
        "total",
        "tax",
        "tax_kind",
        "corrects",
        "issued_at",
    )
    list_filter = ("kind", "tax_kind", "year")
    list_select_related = ("seller", "buyer", "corrects")
    search_fields = ("number", "ref", "buyer__name", "seller__name")
    show_full_result_count = False


@admin.register(models.StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ("event_id", "type", "state", "object_id", "happened_at", "attempts")
    list_filter = ("state", "type")
    search_fields = ("event_id", "object_id")
    show_full_result_count = False
    actions = ("read_again",)

    @admin.action(description=gettext_lazy("Read parked events again"), permissions=["view"])
    def read_again(self, request: UserRequest, queryset: QuerySet[models.StripeEvent]) -> None:
        woken = inbox.wake(queryset)
        messages.success(request, _("%(count)s events will be read again") % {"count": woken})


@admin.register(OutboxMessage)
class OutboxAdmin(ReadOnlyAdmin):
    """Effects on the world that wait, are done, or gave up. Letters are not shown."""

    list_display = ("key", "topic", "state", "attempts", "due_at", "last_error")
    list_filter = ("state", "topic")
    search_fields = ("key",)
    show_full_result_count = False
    fields = (
        "topic",
        "key",
        "state",
        "attempts",
        "created_at",
        "due_at",
        "done_at",
        "last_error",
    )
    actions = ("retry",)

    @admin.action(description=gettext_lazy("Try parked messages again"), permissions=["act"])
    def retry(self, request: UserRequest, queryset: QuerySet[OutboxMessage]) -> None:
        woken = outbox.wake(queryset, by=request.user)
        messages.success(request, _("%(count)s messages will be tried again") % {"count": woken})

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.act_on_transfer")


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new version of the rules."""

    def clean_starts_at(self) -> dt.datetime:
        """Nobody agreed to rules that start in the past."""
        starts_at: dt.datetime = self.cleaned_data["starts_at"]
        try:
            policies.check_start(starts_at)
        except DomainError as error:
            raise ValidationError(str(error)) from error
        return starts_at


@admin.register(models.PlatformPolicy)
class PlatformPolicyAdmin(ReadOnlyAdmin):
    """New rules are new rows: adding is the only way to change them."""

    list_display = (
        "starts_at",
        "in_force",
        "set_by",
        "freelancer_fee_bps",
        "client_fee_bps",
        "review_days",
        "security_hold_days",
        "deposit_max_days",
        "reversal_limit",
    )
    list_select_related = ("set_by",)
    ordering = ("-starts_at",)

    @admin.display(description=gettext_lazy("In force"), boolean=True)
    def in_force(self, policy: models.PlatformPolicy) -> bool:
        return policy == policies.current()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_platformpolicy")

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        """Django's form, which also knows that rules start in the future."""
        return super().get_form(*args, **kwargs | {"form": PolicyForm})

    def save_model(
        self, request: HttpRequest, obj: models.PlatformPolicy, form: Any, change: bool
    ) -> None:
        """A new version, with the name of who wrote it."""
        policies.announce(obj, by=cast(User, request.user))
