"""Matches as JSON: the same lists and reasons as on the pages."""

from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Profile, User
from marketplace.core.api import Throttle, costs, idempotent
from matching import appeal_services, skill_services, whynot_services, wish_services
from matching.engine import explain
from matching.models import Match, MatchAppeal, MatchRun, MatchWishes, Mode
from matching.selectors import matches, wishes
from matching.selectors.skills import LONGEST_TEXT, text_to_read
from matching.selectors.whynot import Told, told
from projects.models import Project
from projects.selectors.projects import project_to_manage

AFTER = OpenApiParameter("after", str, description="Cursor: `after` of the page before.")


class ReasonOut(serializers.Serializer[explain.Words]):
    fits = serializers.ChoiceField(["yes", "part", "no"], source="kind")
    text = serializers.CharField()
    detail = serializers.CharField()


class PersonOut(serializers.Serializer[Profile]):
    ref = serializers.CharField(source="party.ref")
    name = serializers.CharField(source="party.name")
    handle = serializers.CharField()
    headline = serializers.CharField()


class ProjectOut(serializers.Serializer[Project]):
    ref = serializers.CharField()
    slug = serializers.CharField()
    title = serializers.CharField()
    client = serializers.CharField(source="client.name")
    published_at = serializers.DateTimeField()


class PlaceOut(serializers.Serializer[dict[str, Any]]):
    """One place. Without a ranking, everything but the person or project is null or empty."""

    rank = serializers.IntegerField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    strength = serializers.IntegerField(
        allow_null=True, help_text="3 strong, 2 good, 1 partial: facts, not a share of the best."
    )
    factors = serializers.DictField(child=serializers.FloatField())
    reasons = ReasonOut(many=True)


class PersonPlaceOut(PlaceOut):
    person = PersonOut()


class ProjectPlaceOut(PlaceOut):
    project = ProjectOut()


class ListOut(serializers.Serializer[dict[str, Any]]):
    mode = serializers.ChoiceField(
        Mode.values, help_text="off, or ranked but not shown (shadow): newest first"
    )
    engine = serializers.CharField(allow_null=True)
    computed_at = serializers.DateTimeField(
        allow_null=True, help_text="null while nothing has been ranked yet"
    )


class PeopleListOut(ListOut):
    results = PersonPlaceOut(many=True)


class ProjectsListOut(ListOut):
    results = ProjectPlaceOut(many=True)
    after = serializers.CharField(allow_blank=True)


class ProjectMatches(APIView):
    """People for a project, for those who post or hire for its client."""

    @extend_schema(operation_id="list_people_for_project", responses=PeopleListOut)
    def get(self, request: Request, ref: str) -> Response:
        project = project_to_manage(_user(request), ref)
        mode = matches.mode()
        run = matches.last_run_for_project(project) if mode == Mode.ON else None
        if run:
            found = matches.people_for(project)
            shows = not project.is_blind
            results = [
                _place(m, "client", titles=shows) | {"person": m.party.profile} for m in found
            ]
        elif mode == Mode.ON or not project.is_open:
            results = []
        else:
            results = [UNRANKED | {"person": p} for p in matches.people_unranked(project)]
        said = PeopleListOut(_list(run, mode) | {"results": results}).data
        if project.is_blind:
            for number, place in enumerate(said["results"], start=1):
                place["person"] = NOBODY | {"name": _("Person %(n)d") % {"n": number}}
        return Response(said)


class MyMatches(APIView):
    """Open projects for the signed-in freelancer."""

    @extend_schema(
        operation_id="list_projects_for_me", parameters=[AFTER], responses=ProjectsListOut
    )
    def get(self, request: Request) -> Response:
        party = _user(request).own_party
        mode, wants = matches.mode(), wishes.of(party).is_on
        run = matches.last_run_for_party(party) if mode == Mode.ON and wants else None
        after = ""
        if run:
            page = matches.projects_for(party, after=request.query_params.get("after", ""))
            results = [_place(m, "freelancer") | {"project": m.project} for m in page.rows]
            after = page.after
        else:
            results = [UNRANKED | {"project": p} for p in matches.newest_projects(party)]
        found = _list(run, mode) | {"results": results, "after": after}
        return Response(ProjectsListOut(found).data)


# What is told of a person while a project hides names.
NOBODY: dict[str, str] = {"ref": "", "name": "", "handle": "", "headline": ""}
UNRANKED: dict[str, Any] = {
    "rank": None,
    "score": None,
    "strength": None,
    "factors": {},
    "reasons": [],
}


def _user(request: Request) -> User:
    """The person who asks; the API lets nobody else in."""
    return cast("User", request.user)


def _list(run: MatchRun | None, mode: Mode) -> dict[str, Any]:
    return {
        "mode": mode.value,
        "engine": run.engine if run else None,
        "computed_at": run.at if run else None,
    }


def _place(match: Match, audience: explain.Audience, *, titles: bool = True) -> dict[str, Any]:
    return {
        "rank": match.rank,
        "score": match.score,
        "strength": match.strength,
        "factors": match.features,
        "reasons": explain.words(match.told, audience, titles=titles),
    }


# --- Controls -------------------------------------------------------------------------------


class WishesShape(serializers.Serializer[MatchWishes]):
    """On or off, whether finished work may be used, and what counts in one's own list."""

    is_on = serializers.BooleanField()
    uses_record = serializers.BooleanField()
    skills = serializers.ChoiceField(MatchWishes.Level.choices)
    works = serializers.ChoiceField(MatchWishes.Level.choices)
    profile = serializers.ChoiceField(MatchWishes.Level.choices)


class Wishes(APIView):
    """What the signed-in person decided about suggestions."""

    @extend_schema(operation_id="my_match_wishes", responses=WishesShape)
    def get(self, request: Request) -> Response:
        return Response(WishesShape(wishes.of(_user(request).own_party)).data)

    @extend_schema(operation_id="set_my_match_wishes", request=WishesShape, responses=WishesShape)
    @idempotent
    def post(self, request: Request) -> Response:
        """All five at once; the list follows in a few seconds."""
        asked = WishesShape(data=request.data)
        asked.is_valid(raise_exception=True)
        user = _user(request)
        wanted = wish_services.set_wishes(user.own_party, by=user, **asked.validated_data)
        return Response(WishesShape(wanted).data)


class StepOut(serializers.Serializer[Any]):
    text = serializers.CharField()
    place = serializers.IntegerField(help_text="where it led when it was tried")


class PartOut(serializers.Serializer[Any]):
    part = serializers.CharField(source="label")
    own = serializers.IntegerField()
    first = serializers.IntegerField(
        allow_null=True, help_text="mean of the first ten others; null when they are too few"
    )


class WhyNotOut(serializers.Serializer[Told]):
    """Where somebody stands. `is_whole` is false where only a part of a large market was ranked."""

    place = serializers.IntegerField(allow_null=True)
    is_whole = serializers.BooleanField()
    blocked = serializers.ListField(child=serializers.CharField())
    parts = PartOut(many=True)
    steps = StepOut(many=True)
    tried = serializers.IntegerField()


class QuestionOut(serializers.Serializer[dict[str, Any]]):
    asked_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    answer = WhyNotOut(allow_null=True)


class WhyNotMe(APIView):
    """Why the signed-in freelancer is not among the first for a project."""

    throttle_classes = [Throttle]

    def get_throttles(self) -> list[Any]:
        """Asking is costly, reading the answer is not."""
        asks = self.request.method == "POST"
        kinds: list[Any] = [Throttle, costs("why_not")] if asks else [Throttle]
        return [kind() for kind in kinds]

    @extend_schema(operation_id="why_not_me", responses=QuestionOut)
    def get(self, request: Request, ref: str) -> Response:
        project = matches.project_to_explain(_user(request), ref)
        return Response(_question(project, _user(request)))

    @extend_schema(operation_id="ask_why_not_me", request=None, responses=QuestionOut)
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """A worker answers in some seconds: get it again until `answered_at` is set."""
        project = matches.project_to_explain(_user(request), ref)
        whynot_services.ask(project, by=_user(request))
        return Response(_question(project, _user(request)))


def _question(project: Project, user: User) -> Any:
    asked = matches.why_not_of(project, user.own_party) if matches.is_on() else None
    answer = told(asked) if asked and asked.answered_at else None
    found = {
        "asked_at": asked.asked_at if asked else None,
        "answered_at": asked.answered_at if asked else None,
        "answer": answer,
    }
    return QuestionOut(found).data


class AppealIn(serializers.Serializer[dict[str, Any]]):
    said = serializers.CharField(max_length=2000)


class AppealOut(serializers.Serializer[MatchAppeal]):
    ref = serializers.CharField()
    status = serializers.ChoiceField(MatchAppeal.Status.choices)
    project = serializers.CharField(source="project.ref")
    said = serializers.CharField()
    at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    remedy = serializers.CharField()


class Appeals(APIView):
    """Asking a person about a match, or about being in no list."""

    throttle_classes = [Throttle, costs("match_appeal")]

    @extend_schema(operation_id="appeal_against_match", request=AppealIn, responses=AppealOut)
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """The receipt says by when a person answers."""
        project, party = matches.project_to_appeal(_user(request), ref)
        asked = AppealIn(data=request.data)
        asked.is_valid(raise_exception=True)
        row = appeal_services.appeal(
            project, party, by=_user(request), said=asked.validated_data["said"]
        )
        return Response(AppealOut(row).data, status=201)


class Appeal(APIView):
    """One appeal of the signed-in person's parties."""

    @extend_schema(operation_id="match_appeal", responses=AppealOut)
    def get(self, request: Request, ref: str) -> Response:
        return Response(AppealOut(matches.appeal_to_see(_user(request), ref)).data)


# --- Skills for a text ----------------------------------------------------------------------


class TextIn(serializers.Serializer[dict[str, Any]]):
    """What a posting or a profile says, and the skills it names already."""

    text = serializers.CharField(max_length=LONGEST_TEXT)
    without = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=30, required=False
    )


class SuggestedSkill(serializers.Serializer[Any]):
    """A skill the text seems to ask for. `said` quotes it; empty: clients often choose it."""

    name = serializers.CharField(source="skill.name")
    slug = serializers.CharField(source="skill.slug")
    said = serializers.CharField()


class SuggestedSkillsOut(serializers.Serializer[Any]):
    """Likeliest first. `is_read` is false while only exact names could be looked for."""

    is_read = serializers.BooleanField()
    results = SuggestedSkill(many=True, source="found")


class SuggestedSkills(APIView):
    """Skills for a text. Nothing is saved: a person confirms what is right."""

    throttle_classes = [Throttle, costs("skill_reading")]

    @extend_schema(operation_id="suggest_skills", request=TextIn, responses=SuggestedSkillsOut)
    def post(self, request: Request) -> Response:
        asked = TextIn(data=request.data)
        asked.is_valid(raise_exception=True)
        text = text_to_read(asked.validated_data["text"])
        skill_services.ask(text, asker=f"user:{_user(request).pk}")
        found = skill_services.suggest(text, without=asked.validated_data.get("without", ()))
        return Response(SuggestedSkillsOut(found).data)
