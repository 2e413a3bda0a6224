"""Projects as staff see them: everything to read, nothing to press."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_range_text
from projects.models import Project


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    """Postings of every state."""

    list_display = ("ref", "title", "client", "status", "budget", "bids_count", "published_at")
    list_filter = ("status", "ai_policy", "currency")
    search_fields = ("ref", "title", "client__name", "posted_by__email")
    list_select_related = ("client",)
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False
    exclude = ("search",)

    @admin.display(description=_("budget"))
    def budget(self, project: Project) -> str:
        """The range, or nothing."""
        return money_range_text(project.budget_min, project.budget_max)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        return super().get_queryset(request).defer("search", "description")
