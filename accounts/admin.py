"""People as staff see them: much to read, little to press, no passwords to edit."""

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Membership, Notice, Party, Profile, Skill, SkillAlias, User
from accounts.services import skills
from marketplace.core import audit
from marketplace.core.admin import ModelAdmin, ReadOnlyAdmin
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest

if TYPE_CHECKING:
    MembershipBase = admin.TabularInline[Membership, Model]
    AliasBase = admin.TabularInline[SkillAlias, Skill]
else:
    MembershipBase = AliasBase = admin.TabularInline

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


@admin.register(Skill)
class SkillAdmin(ReadOnlyAdmin):
    """Proposed skills wait here to be taken into the list or merged into one that is there."""

    list_display = ("name", "state", "area", "people", "slug")
    list_filter = ("state", "area")
    search_fields = ("name", "aliases__folded")
    ordering = ("-state", "name")
    inlines = (AliasInline,)
    actions = ("curate", "merge")

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


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("kind", "group", "user", "url", "created_at", "read_at", "mailed_at")
    list_filter = ("group", "kind")
    list_select_related = ("user",)
    search_fields = ("user__email", "key", "ref")
    ordering = ("-pk",)
    show_full_result_count = False
