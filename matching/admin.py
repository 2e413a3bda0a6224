"""What staff see of matching: the log of rankings, what was learned, and appeals they answer."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import moment_text
from marketplace.core.errors import DomainError
from marketplace.core.http import SeeOther, UserRequest
from matching import appeal_services
from matching.engine import explain
from matching.engine.documents import Reason
from matching.forms import AnswerForm
from matching.models import MatchAppeal, MatchRun, TagLesson
from projects.forms.refusals import show_refusal


@admin.register(MatchRun)
class MatchRunAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "project", "party", "why", "considered", "took_ms", "engine")
    list_filter = ("kind", "why", "engine")
    list_select_related = ("project", "party")
    date_hierarchy = "at"
    ordering = ("-pk",)
    show_full_result_count = False


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


@admin.register(MatchAppeal)
class MatchAppealAdmin(ReadOnlyAdmin):
    """The queue, what is due first on top; a page per appeal with what the matcher went by."""

    list_display = ("ref", "status", "kind", "project", "at", "due_at", "decided_by", "remedy")
    list_filter = ("status", "kind", "remedy")
    list_select_related = ("project", "decided_by")
    search_fields = ("ref", "project__title")
    ordering = ("-status", "due_at")
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever answers appeals may look at them."""
        may: bool = request.user.has_perm(appeal_services.PERMISSION)
        return may or super().has_view_permission(request, obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Read the file, and answer."""
        found = self.get_object(request, object_id)
        if not isinstance(found, MatchAppeal):
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        form = AnswerForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                appeal_services.decide(
                    found, by=cast("UserRequest", request).user, **form.cleaned_data
                )
            except DomainError as error:
                show_refusal(form, error)
            else:
                messages.success(request, _("Answered. They have been told."))
                return SeeOther(request.path)
        can_act = found.status == MatchAppeal.Status.WAITING and request.user.has_perm(
            appeal_services.PERMISSION
        )
        context = {
            **self.admin_site.each_context(request),
            "title": str(found),
            "opts": self.model._meta,
            "object": found,
            "form": form if can_act else None,
            **_file(found),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/matching/appeal.html", context, status=status)


def _file(found: MatchAppeal) -> dict[str, Any]:
    """What the matcher went by, as it was kept with the appeal."""
    inputs = found.inputs
    reasons = [Reason(**reason) for reason in inputs.get("reasons", [])]
    facts = [
        (_("Project"), found.project.title),
        (_("List"), found.get_kind_display()),
        (_("Sent"), moment_text(found.at)),
        (_("To be answered by"), moment_text(found.due_at)),
        (_("Ranking"), inputs.get("run") or "–"),
        (_("Engine"), inputs.get("engine", "–")),
    ]
    if "rank" in inputs:
        facts.append((_("Place"), inputs["rank"] or _("Not in the list")))
    if "wishes" in inputs:
        chosen = ", ".join(f"{part}: {level}" for part, level in inputs["wishes"].items())
        facts.append((_("What they chose"), chosen or "–"))
    if found.decided_by:
        facts.append((_("Answer"), f"{found.decided_by}: {found.reason}"))
        facts.append((_("What was put right"), found.get_remedy_display() or "–"))
    return {
        "facts": facts,
        "reasons": explain.words(reasons, "freelancer"),
        "features": sorted(inputs.get("features", {}).items(), key=lambda pair: -pair[1]),
        "places": inputs.get("places", []),
    }
