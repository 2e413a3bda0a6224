"""Bids as staff see them: everything to read, nothing to press."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_text
from projects.models import Bid, BidMilestone

if TYPE_CHECKING:
    StepBase = admin.TabularInline[BidMilestone, Bid]
else:
    StepBase = admin.TabularInline


class StepInline(StepBase):
    """The milestones the freelancer proposed."""

    model = BidMilestone
    extra = 0
    can_delete = False
    fields = readonly_fields = ("position", "title", "amount_minor", "days")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Bid)
class BidAdmin(ReadOnlyAdmin):
    """Offers of every state."""

    list_display = ("ref", "project", "freelancer", "status", "offer", "version", "sent_at")
    list_filter = ("status", "ai_use", "currency")
    search_fields = ("ref", "project__ref", "project__title", "freelancer__name", "sent_by__email")
    list_select_related = ("project", "freelancer")
    date_hierarchy = "sent_at"
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (StepInline,)

    @admin.display(description=_("price"))
    def offer(self, bid: Bid) -> str:
        """The price in words of the reader."""
        return money_text(bid.price)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bid]:
        return super().get_queryset(request).defer("project__search", "project__description")
