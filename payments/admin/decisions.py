"""Writing off debts and placing money nobody owns: asked by one person, decided on by another."""

from functools import partial
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_text
from marketplace.core.http import UserRequest
from payments.admin.pages import ask_for_reason
from payments.forms import PlacementForm, WriteOffForm, currency_or
from payments.models import ChargebackPart, Placement, WriteOff
from payments.models.two_people import TwoPeople
from payments.selectors import unplaced
from payments.services import placements, write_offs


class SecondAdmin(ReadOnlyAdmin):
    """What was asked for; those that wait come first. Opening one is deciding on it."""

    # With `approve`, `refuse`, `why_not_by` and the name of the permission.
    service: Any
    # What is said when it is decided.
    said_yes = gettext_lazy("Posted. It stays on the record with both names.")
    said_no = gettext_lazy("Refused. Nothing has moved.")

    list_filter = ("status", "needs_second")
    ordering = ("decided_at", "-asked_at")
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may decide may look."""
        may: bool = request.user.has_perm(self.service.PERMISSION)
        return may or super().has_view_permission(request, obj)

    def change_view(
        self,
        request: UserRequest,  # type: ignore[override]
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Everything about it, and for a second person two buttons."""
        row = cast("TwoPeople | None", self.get_object(request, object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied

        def approve(reason: str) -> str:
            self.service.approve(row, by=request.user, reason=reason)
            return str(self.said_yes)

        def refuse(reason: str) -> str:
            self.service.refuse(row, by=request.user, reason=reason)
            return str(self.said_no)

        return ask_for_reason(
            self,
            request,
            title=str(row),
            text=_("Look at the facts and at the reason. Your name stays beside the decision."),
            facts=[
                (_("Status"), row.get_status_display()),
                *self.facts(row),
                (_("Reason"), row.reason),
                (_("Asked by"), row.asked_by),
                (_("Decided by"), row.decided_by or "–"),
                (_("Answer"), row.answer or "–"),
            ],
            buttons={"approve": (self.does(row), approve), "refuse": (_("Refuse"), refuse)},
            done_url=reverse(f"admin:payments_{self.model._meta.model_name}_changelist"),
            refused=self._refused(row, request.user),
        )

    def facts(self, row: Any) -> list[tuple[str, object]]:
        """What it is about."""
        raise NotImplementedError

    def does(self, row: Any) -> str:
        """What the button says."""
        raise NotImplementedError

    def _refused(self, row: TwoPeople, user: User) -> str:
        if row.status != TwoPeople.Status.ASKED:
            return _("This is decided.")
        why: str = self.service.why_not_by(row, user)
        return why


@admin.register(WriteOff)
class WriteOffAdmin(SecondAdmin):
    """Asked for from the list of debts, on the page of what everybody owns."""

    service = write_offs
    list_display = (
        "ref",
        "status",
        "amount",
        "recovered",
        "payee",
        "reason",
        "asked_by",
        "asked_at",
        "decided_by",
    )
    list_select_related = ("payee", "asked_by", "decided_by")
    search_fields = ("ref", "payee__name")

    def get_urls(self) -> list[URLPattern]:
        """The page that asks, beside Django's addresses."""
        ask = path(
            "ask/<str:ref>/<str:currency>/",
            self.admin_site.admin_view(self.ask),
            name="payments_writeoff_ask",
        )
        return [ask, *super().get_urls()]

    def ask(self, request: UserRequest, ref: str, currency: str) -> HttpResponse:
        """Write off what a payee owes; a small debt at once."""
        if not request.user.has_perm(write_offs.PERMISSION):
            raise PermissionDenied
        payee = unplaced.debtor(ref)
        if payee is None or currency_or("", currency) != currency:
            raise Http404
        most = write_offs.in_books(payee, currency)

        def write_off(**typed: Any) -> str:
            row = write_offs.ask(payee, by=request.user, **typed)
            if row.needs_second:
                return _("Asked. A second person has to approve it.")
            return _("Written off. What comes later is income again.")

        return ask_for_reason(
            self,
            request,
            title=_("Write off a debt"),
            text=_(
                "It becomes our loss. They still owe it: what they earn later is kept for it as "
                "before, and is income again. Large debts wait for a second person."
            ),
            facts=[
                (_("Who owes it"), payee.name),
                (_("Owed in the books"), money_text(most)),
                *unplaced.where_from(payee, currency),
            ],
            buttons={"confirm": (_("Write it off"), write_off)},
            done_url=reverse("admin:payments_writeoff_changelist"),
            refused="" if most else _("Nothing of theirs can be written off now."),
            form_of=partial(WriteOffForm, most=most),
        )

    def facts(self, row: WriteOff) -> list[tuple[str, object]]:
        return [
            (_("Who owes it"), row.payee.name),
            (_("Amount"), money_text(row.amount)),
            (_("Came back since"), money_text(row.recovered)),
            *unplaced.where_from(row.payee, row.currency),
        ]

    def does(self, row: WriteOff) -> str:
        return _("Write off %(amount)s") % {"amount": money_text(row.amount)}


@admin.register(Placement)
class PlacementAdmin(SecondAdmin):
    """Asked for from the list of money nobody has placed."""

    service = placements
    list_display = (
        "ref",
        "status",
        "amount",
        "to_payee",
        "to_payer",
        "ours",
        "reason",
        "asked_by",
        "asked_at",
        "decided_by",
    )
    list_select_related = ("asked_by", "decided_by")
    search_fields = ("ref", "part__hold__ref")

    def facts(self, row: Placement) -> list[tuple[str, object]]:
        return [
            *_about(row.part),
            (_("To the freelancer"), money_text(row.to_payee)),
            (_("Back to the client"), money_text(row.to_payer)),
            (_("Makes up for our losses"), money_text(row.ours)),
        ]

    def does(self, row: Placement) -> str:
        return _("Place %(amount)s like this") % {"amount": money_text(row.amount)}


class PlacedFilter(admin.SimpleListFilter):
    """Those that wait, unless asked for others."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What can be chosen beside those that wait."""
        return [("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        """Waiting is what "nothing chosen" means."""
        choices = list(super().choices(changelist))
        choices[0]["display"] = _("Nobody has decided")
        return choices

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ChargebackPart]
    ) -> QuerySet[ChargebackPart]:
        """The chosen ones."""
        return queryset if self.value() == "all" else unplaced.waiting(queryset)


@admin.register(ChargebackPart)
class UnplacedAdmin(ReadOnlyAdmin):
    """Money that came back after its milestone had ended: opening a row is deciding on it."""

    list_display = ("came_back", "money", "about")
    list_filter = (PlacedFilter,)
    list_select_related = ("movement__chargeback", "hold")
    ordering = ("pk",)
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may decide may look."""
        may: bool = request.user.has_perm(placements.PERMISSION)
        return may or super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChargebackPart]:
        return unplaced.came_back(super().get_queryset(request))

    @admin.display(description=gettext_lazy("Came back"), ordering="movement__moved_at")
    def came_back(self, part: ChargebackPart) -> object:
        return part.movement.moved_at

    @admin.display(description=gettext_lazy("Amount"))
    def money(self, part: ChargebackPart) -> str:
        return money_text(part.amount)

    @admin.display(description=gettext_lazy("About"))
    def about(self, part: ChargebackPart) -> str:
        return part.hold.label if part.hold else part.movement.chargeback.stripe_id

    def change_view(
        self,
        request: UserRequest,  # type: ignore[override]
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Who gets it: amounts for the two sides, and a reason."""
        part = self.get_object(request, object_id)
        if not isinstance(part, ChargebackPart):
            raise Http404
        if not request.user.has_perm(placements.PERMISSION):
            raise PermissionDenied

        def place(**typed: Any) -> str:
            row = placements.ask(part, by=request.user, **typed)
            if row.needs_second:
                return _("Asked. A second person has to approve it.")
            return _("Placed. Both sides read it in their own ledger.")

        waits = unplaced.waiting(ChargebackPart.objects.filter(pk=part.pk)).exists()
        return ask_for_reason(
            self,
            request,
            title=_("Who gets %(amount)s?") % {"amount": money_text(part.amount)},
            text=_(
                "The bank had taken this for the client, the milestone ended with it, and then the "
                "bank gave it back. Look at what was delivered. There is no fee on it, and large "
                "sums wait for a second person."
            ),
            facts=_about(part),
            buttons={"confirm": (_("Decide"), place)},
            done_url=reverse("admin:payments_chargebackpart_changelist"),
            refused="" if waits else _("Somebody has decided on this money already."),
            form_of=partial(PlacementForm, currency=part.amount.currency),
        )


def _about(part: ChargebackPart) -> list[tuple[str, object]]:
    chargeback, hold = part.movement.chargeback, part.hold
    facts: list[tuple[str, object]] = [
        (_("Came back"), money_text(part.amount)),
        (_("Card dispute"), f"{chargeback.ref}, {chargeback.get_status_display()}"),
    ]
    if hold:
        earned = hold.shares(hold.amount).to_payee
        facts += [
            (_("Payment"), hold.label),
            (_("Freelancer"), hold.payee.name),
            (_("Client"), hold.payer.name),
            (
                _("The freelancer would have received"),
                money_text(earned),
            ),
        ]
    return facts
