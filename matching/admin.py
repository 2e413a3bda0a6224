"""What staff see of matching: the log of rankings."""

from django.contrib import admin

from marketplace.core.admin import ReadOnlyAdmin
from matching.models import MatchRun


@admin.register(MatchRun)
class MatchRunAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "project", "party", "why", "considered", "took_ms", "engine")
    list_filter = ("kind", "why", "engine")
    list_select_related = ("project", "party")
    date_hierarchy = "at"
    ordering = ("-pk",)
    show_full_result_count = False
