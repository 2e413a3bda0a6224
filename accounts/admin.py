"""People as staff see them: much to read, little to press, no passwords to edit."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import (
    Membership,
    Notice,
    Party,
    Profile,
    Skill,
    SkillAlias,
    SkillCode,
    SkillLink,
    User,
)
from accounts.services import skills, taxonomy
from marketplace.core import audit
from marketplace.core.admin import ModelAdmin, ReadOnlyAdmin
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest

if TYPE_CHECKING:
    MembershipBase = admin.TabularInline[Membership, Model]
    AliasBase = admin.TabularInline[SkillAlias, Skill]
    LinkBase = admin.TabularInline[SkillLink, Skill]
    CodeBase = admin.TabularInline[SkillCode, Skill]
else:
    MembershipBase = AliasBase = LinkBase = CodeBase = admin.TabularInline

# One door for everybody: the sign-in page, then the check for staff.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class MembershipInline(MembershipBase):
    """Who acts for whom."""

    model = Membership
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "user",
        "party",
        "can_post",
        "can_hire",
        "can_pay",
        "can_manage",
        "created_at",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "party")


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Look a person up; a superuser also says who is staff and in which group."""

    list_display = ("name", "email", "side", "is_active", "is_staff", "joined_at")
    list_filter = ("is_active", "is_staff", "side", "language")
    search_fields = ("email", "name", "ref")
    ordering = ("-pk",)
    show_full_result_count = False
    filter_horizontal = ("groups", "user_permissions")
    inlines = (MembershipInline,)
    ROLES: ClassVar[tuple[str, ...]] = ("is_staff", "is_superuser", "groups", "user_permissions")
    FACTS: ClassVar[tuple[str, ...]] = (
        "ref",
        "email",
        "name",
        "party",
        "side",
        "hires_for",
        "language",
        "time_zone",
        "is_active",
        "joined_at",
        "last_login",
    )
    fieldsets = (
        (None, {"fields": FACTS}),
        (gettext_lazy("Staff"), {"fields": ROLES}),
    )
    readonly_fields = FACTS

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_authenticated and request.user.is_superuser)

    def save_related(
        self, request: HttpRequest, form: ModelForm[User], formsets: Any, change: bool
    ) -> None:
        """Who may do what is of record, whoever changes it."""
        super().save_related(request, form, formsets, change)
        user = form.instance
        if form.changed_data and isinstance(request.user, User):
            audit.record(
                request.user,
                "user.role_changed",
                user,
                is_staff=user.is_staff,
                is_superuser=user.is_superuser,
                groups=list(user.groups.order_by("name").values_list("name", flat=True)),
                permissions=user.user_permissions.count(),
            )


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "country", "vat_id", "currency", "ref", "created_at")
    list_filter = ("kind", "country")
    search_fields = ("name", "legal_name", "ref", "vat_id")
    fields = (
        *("ref", "kind", "name", "legal_name", "address", "country", "vat_id"),
        *("currency", "website", "about", "created_at"),
    )
    ordering = ("-pk",)
    show_full_result_count = False
    inlines = (MembershipInline,)


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ("party", "headline", "availability", "is_visible", "updated_at")
    list_filter = ("is_visible", "availability")
    list_select_related = ("party",)
    search_fields = ("handle", "headline", "party__name")
    ordering = ("-updated_at",)
    show_full_result_count = False
    exclude = ("search", "words")


class AliasInline(AliasBase):
    """The spellings a skill is found under."""

    model = SkillAlias
    extra = 0
    can_delete = False
    fields = readonly_fields = ("folded",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LinkInline(LinkBase):
    """What a skill is part of and goes with."""

    model = SkillLink
    fk_name = "skill"
    extra = 0
    can_delete = False
    fields = readonly_fields = ("kind", "other")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkillLink]:
        return super().get_queryset(request).select_related("skill", "other")


class LinkedFromInline(LinkInline):
    """What is part of a skill, or was linked to it from the other side."""

    fk_name = "other"
    fields = readonly_fields = ("skill", "kind")
    verbose_name_plural = gettext_lazy("linked from")


class CodeInline(CodeBase):
    """What public classifications call a skill."""

    model = SkillCode
    extra = 0
    can_delete = False
    fields = readonly_fields = ("scheme", "code")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Skill)
class SkillAdmin(ReadOnlyAdmin):
    """Proposed skills wait here to be taken into the list or merged into one that is there."""

    list_display = ("name", "state", "area", "people", "slug")
    list_filter = ("state", "area")
    search_fields = ("name", "aliases__folded")
    ordering = ("-state", "name")
    inlines = (AliasInline, LinkInline, LinkedFromInline, CodeInline)
    actions = ("curate", "merge", "relate", "unlink")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        skills: QuerySet[Skill] = super().get_queryset(request)
        return skills.annotate(people=Count("profiles", distinct=True))

    @admin.display(description=gettext_lazy("people"), ordering="people")
    def people(self, skill: Any) -> int:
        """How many profiles name it."""
        return int(skill.people)

    def has_tidy_permission(self, request: HttpRequest) -> bool:
        """Actions ask for the right to change skills, which the page itself does not give."""
        return request.user.has_perm("accounts.change_skill")

    @admin.action(description=gettext_lazy("Take into the list of skills"), permissions=["tidy"])
    def curate(self, request: UserRequest, chosen: QuerySet[Skill]) -> None:
        for skill in chosen:
            skills.curate(skill, by=request.user)
        self.message_user(request, _("Done."))

    @admin.action(
        description=gettext_lazy("Merge the proposed ones into the one of the list"),
        permissions=["tidy"],
    )
    def merge(self, request: UserRequest, chosen: QuerySet[Skill]) -> None:
        """Choose one skill of the list and the proposed ones that mean the same."""
        kept = [skill for skill in chosen if skill.state == Skill.State.CURATED]
        proposed = [skill for skill in chosen if skill.state == Skill.State.PROPOSED]
        if len(kept) != 1 or not proposed:
            self.message_user(
                request,
                _("Choose exactly one skill of the list, and the proposed ones to merge into it."),
                messages.ERROR,
            )
            return
        try:
            for skill in proposed:
                skills.merge(skill, into=kept[0], by=request.user)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        text = ngettext(
            "%(n)d skill is now another spelling of %(name)s.",
            "%(n)d skills are now other spellings of %(name)s.",
            len(proposed),
        ) % {"n": len(proposed), "name": kept[0].name}
        self.message_user(request, text)

    @admin.action(
        description=gettext_lazy("Say that these two go with each other"), permissions=["tidy"]
    )
    def relate(self, request: UserRequest, chosen: QuerySet[Skill]) -> None:
        if pair := self._two(request, chosen):
            taxonomy.link(pair[0], other=pair[1], kind=SkillLink.Kind.RELATED, by=request.user)
            self.message_user(request, _("Done."))

    @admin.action(description=gettext_lazy("Part these two again"), permissions=["tidy"])
    def unlink(self, request: UserRequest, chosen: QuerySet[Skill]) -> None:
        if pair := self._two(request, chosen):
            taxonomy.unlink(pair[0], other=pair[1], by=request.user)
            self.message_user(request, _("Done."))

    def _two(self, request: UserRequest, chosen: QuerySet[Skill]) -> list[Skill]:
        """The two that were chosen, or nothing and a sentence."""
        pair = list(chosen[:3])
        if len(pair) == 2:
            return pair
        self.message_user(request, _("Choose exactly two skills."), messages.ERROR)
        return []


class LinkForm(ModelForm):  # type: ignore[type-arg]
    """Two skills, and how they hang together."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        skill, other, kind = (cleaned.get(name) for name in ("skill", "other", "kind"))
        if skill and other and kind:
            try:
                taxonomy.refuse_link(skill, other=other, kind=kind)
            except DomainError as error:
                raise ValidationError({error.field or "other": str(error)}) from error
        return cleaned

    def validate_constraints(self) -> None:
        """A link of the pair that is there already is replaced, not refused."""


@admin.register(SkillLink)
class SkillLinkAdmin(ReadOnlyAdmin):
    """Links between skills; adding one says what is part of what."""

    list_display = ("skill", "kind", "other")
    list_filter = ("kind",)
    list_select_related = ("skill", "other")
    search_fields = ("skill__name", "other__name")
    autocomplete_fields = ("skill", "other")
    ordering = ("skill__name", "other__name")
    form = LinkForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_skill")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("skill", "kind", "other")

    def save_model(self, request: HttpRequest, obj: SkillLink, form: Any, change: bool) -> None:
        """Through the service, which knows about circles."""
        by = cast("User", request.user)
        obj.pk = taxonomy.link(obj.skill, other=obj.other, kind=obj.kind, by=by).pk


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("kind", "group", "user", "url", "created_at", "read_at", "mailed_at")
    list_filter = ("group", "kind")
    list_select_related = ("user",)
    search_fields = ("user__email", "key", "ref")
    ordering = ("-pk",)
    show_full_result_count = False
