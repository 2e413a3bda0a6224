"""What staff see of matching: the log of rankings, and what was learned."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from marketplace.core.admin import ReadOnlyAdmin
from matching.models import BiasAudit, MatchRun, TagLesson


@admin.register(MatchRun)
class MatchRunAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "project", "party", "why", "considered", "took_ms", "engine")
    list_filter = ("kind", "why", "engine")
    list_select_related = ("project", "party")
    date_hierarchy = "at"
    ordering = ("-pk",)
    show_full_result_count = False
    # Thousands of figures; `manage.py replay_match` reads them.
    exclude = ("record",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MatchRun]:
        """Without the records."""
        runs: QuerySet[MatchRun] = super().get_queryset(request).defer("record")
        return runs


@admin.register(TagLesson)
class TagLessonAdmin(ReadOnlyAdmin):
    """What the nights learned of clients' choices; the newest good one suggests skills."""

    list_display = ("at", "projects", "skills", "quality", "yardstick", "is_used", "needs_encoder")
    list_filter = ("is_used",)
    exclude = ("weights",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TagLesson]:
        """Without the weights, which are megabytes."""
        lessons: QuerySet[TagLesson] = super().get_queryset(request).defer("weights")
        return lessons


@admin.register(BiasAudit)
class BiasAuditAdmin(ReadOnlyAdmin):
    """Audits of the matcher; the last one on the market stands on the public page."""

    list_display = ("at", "source", "verdict", "engine", "sha256")
    list_filter = ("source", "verdict")
    date_hierarchy = "at"
    ordering = ("-pk",)
