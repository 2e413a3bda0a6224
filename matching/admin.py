"""What staff see of matching: rankings, what was learned, weights, the switch, and appeals."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.display import moment_text
from marketplace.core.errors import DomainError
from marketplace.core.http import SeeOther, UserRequest
from matching import appeal_services, model_services
from matching.engine import explain
from matching.engine.documents import Reason
from matching.forms import AnswerForm, WeightsForm
from matching.insight.models import CountedNight
from matching.models import (
    BiasAudit,
    MatchAppeal,
    MatcherSwitch,
    MatchModel,
    MatchRun,
    Mode,
    Promotion,
    TagLesson,
)
from matching.selectors import registry
from payments.admin.pages import ask_for_reason
from projects.forms.refusals import show_refusal

Fact = tuple[str, object]


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


# --- Weights --------------------------------------------------------------------------------


class RegistryAdmin(ReadOnlyAdmin):
    """Whoever may act may look."""

    permission = model_services.PERMISSION
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may act may look."""
        return request.user.has_perm(self.permission) or super().has_view_permission(request, obj)

    def _found(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


@admin.register(MatchModel)
class MatchModelAdmin(RegistryAdmin):
    """All weights; opening some shows what they would change, and what can be done with them."""

    list_display = ("version", "status", "origin", "engine", "created_at", "active_since")
    list_filter = ("status", "origin")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Entering is adding."""
        return request.user.has_perm(self.permission)

    def add_view(
        self,
        request: UserRequest,  # type: ignore[override]
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Put a file of weights on the list."""
        if not self.has_add_permission(request):
            raise PermissionDenied

        def enter(**typed: Any) -> str:
            model = model_services.enter(by=request.user, **typed)
            return _("Weights %(version)s are on the list, not in use.") % {
                "version": model.version
            }

        return ask_for_reason(
            self,
            request,
            title=_("Enter weights"),
            text=_("They are checked and put on the list. Nobody is ranked with them yet."),
            facts=[],
            buttons={"enter": (_("Enter the weights"), enter)},
            done_url=reverse("admin:matching_matchmodel_changelist"),
            form_of=WeightsForm,
        )

    def change_view(
        self,
        request: UserRequest,  # type: ignore[override]
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The weights beside the active ones, and what can be done."""
        model: MatchModel = self._found(request, object_id)
        buttons = _buttons(model, request.user)
        return ask_for_reason(
            self,
            request,
            title=_("Weights %(version)s") % {"version": model.version},
            text=_("Say why. Your name and the reason stay on the record."),
            facts=[*_facts(model), *_beside_active(model), *_acts(model)],
            buttons=buttons,
            done_url=reverse("admin:matching_matchmodel_changelist"),
            refused="" if buttons else _("Nothing can be done with these weights now."),
        )


def _buttons(model: MatchModel, user: User) -> dict[str, tuple[str, Callable[..., str]]]:
    """What can be done with weights in this state, by this person."""
    if not user.has_perm(model_services.PERMISSION):
        return {}

    def done(act: Callable[..., object], said: str, **typed: Any) -> str:
        act(model, by=user, **typed)
        return said

    def roll_back(reason: str) -> str:
        before = model_services.roll_back(why=reason, by=user)
        return _("Weights %(version)s rank again.") % {"version": before.version}

    def button(act: Callable[..., object], said: str) -> Callable[..., str]:
        return partial(done, act, said)

    retire = (_("Retire"), button(model_services.retire, _("They are off the list.")))
    match model.status:
        case MatchModel.Status.STAGING:
            tried = button(model_services.try_out, _("They are tried beside the active ones."))
            return {"try": (_("Try beside the active ones"), tried), "retire": retire}
        case MatchModel.Status.SHADOW:
            asked = button(model_services.propose, _("Proposed. A second person has to agree."))
            rested = button(model_services.rest, _("They wait, and are not tried any more."))
            return {
                "propose": (_("Propose to use them"), asked),
                "rest": (_("Stop trying"), rested),
                "retire": retire,
            }
        case MatchModel.Status.ACTIVE if model.replaced:
            label = _("Go back to %(version)s now") % {"version": model.replaced.version}
            return {"back": (label, roll_back)}
    return {}


def _facts(model: MatchModel) -> list[Fact]:
    return [
        (_("Status"), model.get_status_display()),
        (_("Origin"), model.get_origin_display()),
        ("SHA-256", model.sha256),
        (_("Engine"), model.engine),
        (_("How they were fitted"), model.fitted.get("method", "–")),
        (_("Entered"), moment_text(model.created_at)),
        (_("Replaced"), model.replaced or "–"),
    ]


def _beside_active(model: MatchModel) -> list[Fact]:
    """Weights and figures beside those of the active model, and what stands against using them."""
    now = registry.active() or model
    features = sorted({*model.weights, *now.weights})
    facts: list[Fact] = [
        (name, _beside(model.weights.get(name), now.weights.get(name))) for name in features
    ]
    for suite in sorted({*model.figures, *now.figures}):
        here, there = model.figures.get(suite, {}), now.figures.get(suite, {})
        facts.append((f"nDCG@10 {suite}", _beside(here.get("ndcg10"), there.get("ndcg10"))))
    if model.status != MatchModel.Status.SHADOW:
        return facts
    shown = registry.trial(model, beside=now)
    facts += [
        (_("Tried since"), moment_text(model.shadow_since) if model.shadow_since else "–"),
        (_("Lists of people compared"), shown.lists),
        (_("Of the first ten, both have"), _share(shown.overlap)),
        (_("Kendall’s tau of the first ten"), _number(shown.tau)),
        (_("Newcomers in the first ten"), f"{_share(shown.new_tried)} ({_share(shown.new)})"),
    ]
    for sentence in registry.against(model):
        facts.append((_("Not to be used yet"), sentence))
    return facts


def _acts(model: MatchModel) -> list[Fact]:
    return [
        (moment_text(act.at), f"{act.get_what_display()}, {act.by or _('by rule')}: {act.why}")
        for act in registry.history().filter(model=model)[:30]
    ]


def _beside(here: float | None, there: float | None) -> str:
    if here == there:
        return _number(here)
    return _("%(here)s (active: %(there)s)") % {"here": _number(here), "there": _number(there)}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


@admin.register(Promotion)
class PromotionAdmin(RegistryAdmin):
    """Proposals; opening one that waits is deciding on it."""

    list_display = ("ref", "model", "status", "asked_by", "asked_at", "decided_by", "decided_at")
    list_filter = ("status",)
    list_select_related = ("model", "asked_by", "decided_by")
    ordering = ("-pk",)

    def change_view(
        self,
        request: UserRequest,  # type: ignore[override]
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Everything about it, and for a second person two buttons."""
        row: Promotion = self._found(request, object_id)

        def confirm(reason: str) -> str:
            model_services.confirm(row, by=request.user, reason=reason)
            return _("In use. New lists are made with them; the others follow.")

        def refuse(reason: str) -> str:
            model_services.refuse(row, by=request.user, reason=reason)
            return _("Refused. They go on being tried.")

        waits = row.status == Promotion.Status.ASKED
        refused = model_services.why_not_by(row, request.user)
        return ask_for_reason(
            self,
            request,
            title=_("Use weights %(version)s?") % {"version": row.model.version},
            text=_("Look at what would change. Your name stays beside the decision."),
            facts=[
                (_("Status"), row.get_status_display()),
                (_("Reason"), row.reason),
                (_("Asked by"), row.asked_by),
                (_("Decided by"), row.decided_by or "–"),
                (_("Answer"), row.answer or "–"),
                *_beside_active(row.model),
            ],
            buttons={
                "confirm": (_("Use these weights"), confirm),
                "refuse": (_("Refuse"), refuse),
            },
            done_url=reverse("admin:matching_promotion_changelist"),
            refused=refused if waits else _("This is decided."),
        )


# --- The switch -----------------------------------------------------------------------------


@admin.register(MatcherSwitch)
class MatcherSwitchAdmin(RegistryAdmin):
    """Who switched matching when and why; the newest row holds."""

    permission = model_services.SWITCH_PERMISSION
    list_display = ("at", "mode", "by", "why")
    list_select_related = ("by",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Switching is adding a row."""
        return request.user.has_perm(self.permission)

    def add_view(
        self,
        request: UserRequest,  # type: ignore[override]
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Off, on, or ranking without showing it."""
        if not self.has_add_permission(request):
            raise PermissionDenied

        def switch(mode: str, reason: str) -> str:
            model_services.switch(mode, by=request.user, reason=reason)
            return _("Switched. It holds from the next page on.")

        state = registry.state()
        return ask_for_reason(
            self,
            request,
            title=_("Switch matching"),
            text=_(
                "It holds from the next page on, without a restart. While it is not on, every list "
                "is newest first and says so. Everything else goes on."
            ),
            facts=[
                (_("Now"), state.mode.label),
                (_("In the environment (MATCHER_MODE)"), settings.MATCHER_MODE),
                (_("Trouble with the weights"), state.trouble or "–"),
            ],
            buttons={
                "off": (_("Switch off"), partial(switch, Mode.OFF.value)),
                "shadow": (_("Rank, but do not show it"), partial(switch, Mode.SHADOW.value)),
                "on": (_("Switch on"), partial(switch, Mode.ON.value)),
            },
            done_url=reverse("admin:matching_matcherswitch_changelist"),
        )


# --- Appeals --------------------------------------------------------------------------------


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


# --- What is counted -------------------------------------------------------------------------


@admin.register(CountedNight)
class CountedNightAdmin(ReadOnlyAdmin):
    """Whether the figures of prices, demand and skills are fresh."""

    list_display = ("at", "until", "prices", "months", "pairs", "took_ms")


@admin.register(BiasAudit)
class BiasAuditAdmin(ReadOnlyAdmin):
    """Audits of the matcher; the last one on the market stands on the public page."""

    list_display = ("at", "source", "verdict", "engine", "sha256")
    list_filter = ("source", "verdict")
    date_hierarchy = "at"
    ordering = ("-pk",)
