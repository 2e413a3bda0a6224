"""People as JSON. Input is checked for shape here; the rules are those of the pages."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors
from accounts.forms.people import Looking
from accounts.models import Notice, PortfolioItem, Profile, ProfileSkill, Skill, User
from accounts.services import naming, notices, people, profiles, skills
from accounts.spelling import LONGEST
from marketplace.core.api import Throttle, costs, idempotent
from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money

# Names that can be asked about in one call.
MOST_NAMES = 30

AFTER = OpenApiParameter("after", str, description="The `after` of the page before")


@extend_schema_field({"type": "string", "nullable": True, "example": "55.00"})
class RateField(serializers.Field):  # type: ignore[type-arg]
    """An hourly rate in canonical text, in the currency that stands beside it."""

    def to_representation(self, value: Money) -> str:
        return value.decimal_text

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or len(data) > 20:
            raise serializers.ValidationError('Send the amount as text, like "55.00".')
        return data


# --- Me -------------------------------------------------------------------------------------


class PartySerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A person or an organisation."""

    ref = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The signed-in person."""

    ref = serializers.CharField()
    email = serializers.EmailField()
    name = serializers.CharField()
    side = serializers.ChoiceField(choices=User.Side.choices)
    language = serializers.CharField()
    time_zone = serializers.CharField()
    party = PartySerializer(source="own_party")
    hires_for = serializers.SerializerMethodField()
    unread_notices = serializers.IntegerField()

    @extend_schema_field(PartySerializer)
    def get_hires_for(self, user: User) -> Any:
        return PartySerializer(selectors.hiring_party(user)).data


class SettingsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What a person may change about the account; what is left out stays."""

    name = serializers.CharField(max_length=120, required=False)
    language = serializers.CharField(max_length=8, required=False)
    time_zone = serializers.CharField(max_length=60, required=False)


class MeView(APIView):
    """The signed-in person."""

    @extend_schema(responses=MeSerializer, operation_id="me")
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(request.user).data)

    @extend_schema(request=SettingsSerializer, responses=MeSerializer, operation_id="me_update")
    @idempotent
    def patch(self, request: Request) -> Response:
        form = SettingsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = _me(request)
        now = {"name": user.name, "language": user.language, "time_zone": user.time_zone}
        people.update_settings(user, **(now | form.validated_data))
        return Response(MeSerializer(user).data)


# --- Profiles -------------------------------------------------------------------------------


class LevelSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A skill and how well: 1 basic, 2 good, 3 expert."""

    name = serializers.CharField(max_length=60, source="skill.name")
    level = serializers.ChoiceField(choices=ProfileSkill.Level.choices)


class SampleSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A piece of work to show."""

    ref = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    url = serializers.CharField()
    image_url = serializers.SerializerMethodField()
    image_alt = serializers.CharField()

    def get_image_url(self, item: PortfolioItem) -> str | None:
        return reverse("accounts:portfolio-image", args=[item.ref]) if item.image_id else None


class PersonSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What everybody may see of a freelancer in a list."""

    ref = serializers.CharField(source="party.ref")
    handle = serializers.CharField()
    name = serializers.CharField(source="party.name")
    headline = serializers.CharField()
    availability = serializers.ChoiceField(choices=Profile.Availability.choices)
    available_from = serializers.DateField(allow_null=True)
    hours_per_week = serializers.IntegerField(allow_null=True)
    languages = serializers.CharField()
    rate_min = RateField(source="rate_low", allow_null=True)
    rate_max = RateField(source="rate_high", allow_null=True)
    currency = serializers.CharField()
    skills = LevelSerializer(many=True, source="profile_skills.all")


class WholePersonSerializer(PersonSerializer):
    """What everybody may see of a freelancer."""

    bio = serializers.CharField()
    samples = SampleSerializer(many=True, source="portfolio.all")


class ProfileSerializer(WholePersonSerializer):
    """One's own profile."""

    is_visible = serializers.BooleanField()


class ProfileChangeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What to change of one's profile; what is left out stays. `skills` replaces all of them."""

    headline = serializers.CharField(max_length=120, allow_blank=True, required=False)
    bio = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    rate_min = RateField(allow_null=True, required=False)
    rate_max = RateField(allow_null=True, required=False)
    availability = serializers.ChoiceField(choices=Profile.Availability.choices, required=False)
    available_from = serializers.DateField(allow_null=True, required=False)
    hours_per_week = serializers.IntegerField(allow_null=True, required=False)
    languages = serializers.CharField(max_length=120, allow_blank=True, required=False)
    is_visible = serializers.BooleanField(required=False)
    skills = serializers.ListField(child=LevelSerializer(), max_length=30, required=False)


class ProfileView(APIView):
    """One's own profile."""

    @extend_schema(responses=ProfileSerializer, operation_id="profile")
    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(selectors.profile_to_edit(_me(request))).data)

    @extend_schema(
        request=ProfileChangeSerializer, responses=ProfileSerializer, operation_id="profile_update"
    )
    @idempotent
    def patch(self, request: Request) -> Response:
        form = ProfileChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = _me(request)
        profile = selectors.profile_to_edit(user)
        changes = dict(form.validated_data)
        wanted = changes.pop("skills", None)
        for end in ("rate_min", "rate_max"):
            if changes.get(end) is not None:
                changes[end] = _rate(changes[end], profile.currency, end)
        profiles.change_profile(profile, by=user, **changes)
        if wanted is not None:
            named = [(entry["skill"]["name"], entry["level"]) for entry in wanted]
            skills.set_by_name(profile, by=user, named=named)
        return Response(ProfileSerializer(selectors.profile_to_edit(user)).data)


def _rate(text: str, currency: str, field: str) -> Money:
    try:
        return Money.parse(text, currency)
    except InvalidAmount as error:
        raise InvalidInput(str(error), field=field) from error


@dataclass(frozen=True)
class PeoplePage:
    """What the list of people answers."""

    results: list[Profile]
    count: int
    count_is_capped: bool
    after: str


class PeoplePageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A page of people; pass `after` back for the next one."""

    results = PersonSerializer(many=True)
    count = serializers.IntegerField()
    count_is_capped = serializers.BooleanField()
    after = serializers.CharField()


class PeopleView(APIView):
    """Freelancers who show a profile."""

    permission_classes = (AllowAny,)

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, description="Words in name, headline, skills or text"),
            OpenApiParameter("skill", str, many=True, description="Skills they all must have"),
            OpenApiParameter("available", OpenApiTypes.BOOL, description="`1`: takes work"),
            OpenApiParameter("rate", str, description="Hourly rate at most, in whole or decimal"),
            AFTER,
        ],
        responses=PeoplePageSerializer,
        operation_id="people",
    )
    def get(self, request: Request) -> Response:
        query: QueryDict = request.query_params
        looking = Looking(query, action="")
        page = selectors.page_of_people(looking.wanted, after=looking.after)
        answer = PeoplePage(page.rows, page.count, page.capped, page.after)
        return Response(PeoplePageSerializer(answer).data)


class PersonView(APIView):
    """One freelancer; one's own also while hidden."""

    permission_classes = (AllowAny,)

    @extend_schema(responses=WholePersonSerializer, operation_id="person")
    def get(self, request: Request, handle: str) -> Response:
        user = request.user if isinstance(request.user, User) else None
        profile = selectors.profile_to_show(user, handle)
        return Response(WholePersonSerializer(profile).data)


# --- Skills ---------------------------------------------------------------------------------


class SkillSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A skill under its one name."""

    name = serializers.CharField()
    slug = serializers.CharField()
    state = serializers.ChoiceField(choices=Skill.State.choices)
    area = serializers.CharField()


class SkillsView(APIView):
    """Skills that start with what was typed, by any of their spellings."""

    permission_classes = (AllowAny,)

    @extend_schema(
        parameters=[OpenApiParameter("q", str, required=True)],
        responses=SkillSerializer(many=True),
        operation_id="skills",
    )
    def get(self, request: Request) -> Response:
        found = selectors.suggest_skills(request.query_params.get("q", ""))
        return Response(SkillSerializer(found, many=True).data)


class MeaningSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What a typed name stands for. Without a skill a person should be asked: see candidates."""

    typed = serializers.CharField()
    skill = SkillSerializer(allow_null=True)
    exact = serializers.BooleanField()
    candidates = SkillSerializer(many=True)


class MeantSkillsView(APIView):
    """What names of skills stand for, as people type them."""

    permission_classes = (AllowAny,)
    throttle_classes = (Throttle, costs("skill_names"))

    @extend_schema(
        parameters=[OpenApiParameter("name", str, many=True, required=True)],
        responses=MeaningSerializer(many=True),
        operation_id="skills_meant",
    )
    def get(self, request: Request) -> Response:
        typed = [name[:LONGEST] for name in request.query_params.getlist("name")[:MOST_NAMES]]
        found = naming.meanings(typed)
        return Response(MeaningSerializer(found, many=True).data)


# --- Notices --------------------------------------------------------------------------------


class NoticeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One line that says what happened, and where."""

    ref = serializers.CharField()
    kind = serializers.CharField()
    group = serializers.CharField()
    text = serializers.SerializerMethodField()
    url = serializers.CharField()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)

    def get_text(self, notice: Notice) -> str:
        return notices.line_of(notice)


class NoticesPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A page of notices; pass `after` back for the next one."""

    results = NoticeSerializer(many=True)
    unread = serializers.IntegerField()
    after = serializers.CharField()


class NoticesView(APIView):
    """What we told the person, newest first."""

    @extend_schema(parameters=[AFTER], responses=NoticesPageSerializer, operation_id="notices")
    def get(self, request: Request) -> Response:
        user = _me(request)
        after = request.query_params.get("after", "")
        before = int(after) if after.isascii() and after.isdecimal() and len(after) < 18 else None
        rows, further = selectors.page_of_notices(user, before=before)
        page = {"results": rows, "unread": user.unread_notices, "after": str(further or "")}
        return Response(NoticesPageSerializer(page).data)


class ReadSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Which notices were read; none named means all."""

    refs = serializers.ListField(
        child=serializers.CharField(max_length=10), max_length=100, required=False
    )


class ReadNoticesView(APIView):
    """Mark notices as read. Harmless to repeat."""

    @extend_schema(request=ReadSerializer, responses={204: None}, operation_id="notices_read")
    @idempotent
    def post(self, request: Request) -> Response:
        form = ReadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = _me(request)
        if "refs" in form.validated_data:
            notices.mark_read_by_ref(user, form.validated_data["refs"])
        else:
            notices.mark_all_read(user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _me(request: Request) -> User:
    """The person behind `IsAuthenticated`."""
    if not isinstance(request.user, User):
        raise TypeError("this view needs IsAuthenticated")
    return request.user
