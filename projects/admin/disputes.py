"""Deciding disputes: one page with the whole case and a split that cannot be wrong in sum."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import freshness
from marketplace.core import clock
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, NotAllowed
from marketplace.core.http import SeeOther
from marketplace.core.money import Money
from projects.forms.disputes import DecisionForm, SplitForm
from projects.forms.refusals import show_refusal
from projects.models import Dispute
from projects.selectors import disputes as selectors
from projects.services import disputes

OPENED = "case_files"


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """The queue, the one with the nearest deadline first; and the page to decide on."""

    list_display = (
        "ref",
        "about",
        "client",
        "freelancer",
        "paused_text",
        "status",
        "answered",
        "decide_due_at",
        "overdue",
    )
    list_filter = ("status", "reason")
    search_fields = ("ref", "milestone__contract__title", "milestone__contract__ref")
    show_full_result_count = False

    # --- The queue --------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        """Open ones first, by deadline."""
        return selectors.disputes_to_decide()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By when a decision is due; ended ones behind."""
        return ("ended_at", "decide_due_at")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever decides disputes may look at them."""
        may: bool = request.user.has_perm("projects.decide_dispute")
        return may or super().has_view_permission(request, obj)

    @admin.display(description=gettext_lazy("about"))
    def about(self, dispute: Dispute) -> str:
        return f"{dispute.milestone.contract.title}: {dispute.milestone.title}"

    @admin.display(description=gettext_lazy("client"))
    def client(self, dispute: Dispute) -> str:
        return dispute.milestone.contract.client.name

    @admin.display(description=gettext_lazy("freelancer"))
    def freelancer(self, dispute: Dispute) -> str:
        return dispute.milestone.contract.freelancer.name

    @admin.display(description=gettext_lazy("paused"), ordering="paused_minor")
    def paused_text(self, dispute: Dispute) -> str:
        return money_text(dispute.paused)

    @admin.display(description=gettext_lazy("answered"), boolean=True)
    def answered(self, dispute: Dispute) -> bool:
        return bool(vars(dispute)["answered"])

    @admin.display(description=gettext_lazy("overdue"), boolean=True)
    def overdue(self, dispute: Dispute) -> bool | None:
        if dispute.status != Dispute.Status.OPEN:
            return None
        return clock.now() < dispute.decide_due_at

    # --- The case ---------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """The page's own live table, beside Django's addresses."""
        split = path(
            "<int:pk>/split/",
            self.admin_site.admin_view(self.split),
            name="projects_dispute_split",
        )
        return [split, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Open the case file (which is recorded), read everything, decide."""
        dispute = self._dispute(request, object_id)
        refused = self._why_not(request, dispute)
        if refused:
            return self._page(request, dispute, refused=refused, status=403)
        if request.method == "POST" and "open" in request.POST:
            return self._open(request, dispute)
        form = _form(request, dispute)
        if form.is_bound and "sums" not in request.POST and freshness.confirmation_of(request):
            form.add_error(None, freshness.too_old_text())
        if request.method == "POST" and self._is_open(request, dispute):
            if "sums" not in request.POST and form.is_valid():
                done = self._decide(request, dispute, form)
                if done:
                    return done
            else:
                form.is_valid()
        return self._page(request, dispute, form=form, status=422 if form.errors else 200)

    def _decide(
        self, request: HttpRequest, dispute: Dispute, form: DecisionForm
    ) -> HttpResponse | None:
        try:
            disputes.decide(dispute, by=_user(request), **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
            return None
        messages.success(request, _("Decided. The money moves now, and both have been told."))
        return SeeOther(reverse("admin:projects_dispute_change", args=[dispute.pk]))

    def _open(self, request: HttpRequest, dispute: Dispute) -> HttpResponse:
        disputes.open_file(dispute, by=_user(request))
        opened = request.session.get(OPENED, [])
        request.session[OPENED] = [*opened, dispute.ref][-50:]
        return SeeOther(reverse("admin:projects_dispute_change", args=[dispute.pk]))

    def split(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the typed amount means for both. Looks only."""
        dispute = self._dispute(request, str(pk))
        if self._why_not(request, dispute):
            raise PermissionDenied
        form = SplitForm(request.GET, paused=dispute.paused)
        part = form.cleaned_data["to_freelancer"] if form.is_valid() else None
        context = {
            "rows": selectors.split_rows(dispute.milestone, part) if part is not None else [],
            "form": form,
        }
        return TemplateResponse(request, "admin/projects/dispute/_split.html", context)

    def _page(
        self,
        request: HttpRequest,
        dispute: Dispute,
        *,
        form: DecisionForm | None = None,
        refused: str = "",
        status: int = 200,
    ) -> HttpResponse:
        opened = not refused and self._is_open(request, dispute)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dispute %(ref)s") % {"ref": dispute.ref},
            "opts": self.model._meta,
            "dispute": dispute,
            "contract": dispute.milestone.contract,
            "milestone": dispute.milestone,
            "refused": refused,
            "opened": opened,
            "case": selectors.case_file(dispute) if opened else None,
            "early": disputes.too_early(dispute),
            "outcome": selectors.outcome_of(dispute),
            "form": form,
            "confirm_url": freshness.confirmation_of(request),
            "rows": _rows(dispute, form),
        }
        return TemplateResponse(
            request, "admin/projects/dispute/decide.html", context, status=status
        )

    def _dispute(self, request: HttpRequest, object_id: str) -> Dispute:
        dispute = self.get_object(request, object_id)
        if not isinstance(dispute, Dispute):
            raise Http404
        if not self.has_view_permission(request, dispute):
            raise PermissionDenied
        return dispute

    def _why_not(self, request: HttpRequest, dispute: Dispute) -> str:
        """Why this member of staff may neither read nor decide the case."""
        try:
            disputes.refuse_judge(_user(request), dispute.milestone.contract)
        except NotAllowed as error:
            return str(error)
        return ""

    def _is_open(self, request: HttpRequest, dispute: Dispute) -> bool:
        return dispute.ref in request.session.get(OPENED, [])


def _form(request: HttpRequest, dispute: Dispute) -> DecisionForm:
    return DecisionForm(
        request.POST if request.method == "POST" else None,
        paused=dispute.paused,
        freelancer=dispute.milestone.contract.freelancer.short_name,
    )


def _rows(dispute: Dispute, form: DecisionForm | None) -> list[Any]:
    if form is None or not form.is_bound:
        return []
    part = form.cleaned_data.get("to_freelancer")
    return selectors.split_rows(dispute.milestone, part) if isinstance(part, Money) else []


def _user(request: HttpRequest) -> Any:
    return request.user
