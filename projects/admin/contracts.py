"""Contracts as staff see them: everything to read, nothing to press."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_text
from projects.models import ChangeOrder, Contract, ContractEvent, Milestone, Review

if TYPE_CHECKING:
    MilestoneBase = admin.TabularInline[Milestone, Contract]
    EventBase = admin.TabularInline[ContractEvent, Contract]
else:
    MilestoneBase = EventBase = admin.TabularInline


class MilestoneInline(MilestoneBase):
    """The steps, with the hold their money is in."""

    model = Milestone
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "position",
        "title",
        "status",
        "amount_minor",
        "due_on",
        "hold",
        "review_due_at",
        "dormant",
        "dormant_due_at",
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EventInline(EventBase):
    """The history both sides see."""

    model = ContractEvent
    extra = 0
    can_delete = False
    fields = readonly_fields = ("at", "kind", "actor", "milestone", "amount_minor")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContractEvent]:
        return super().get_queryset(request).select_related("actor", "milestone")


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    list_display = ("ref", "title", "client", "freelancer", "price_text", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("client", "freelancer")
    search_fields = ("ref", "title", "client__name", "freelancer__name")
    ordering = ("-pk",)
    show_full_result_count = False
    inlines = (MilestoneInline, EventInline)

    @admin.display(description=_("price"), ordering="price_minor")
    def price_text(self, contract: Contract) -> str:
        return money_text(contract.price)


@admin.register(ChangeOrder)
class ChangeOrderAdmin(ReadOnlyAdmin):
    """What is added to contracts for more money, and how far that has come."""

    list_display = ("ref", "title", "contract", "kind", "amount_text", "status", "due_at")
    list_filter = ("status", "kind")
    list_select_related = ("contract",)
    search_fields = ("ref", "contract__ref")
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, order: ChangeOrder) -> str:
        return "" if order.amount is None else money_text(order.amount)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ("ref", "author", "subject", "contract", "mean", "written_at", "published_at")
    list_select_related = ("author", "subject", "contract")
    search_fields = ("ref", "author__name", "subject__name")
    ordering = ("-pk",)
    show_full_result_count = False
