"""Matches as JSON: the same lists and reasons as on the pages."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Profile, User
from marketplace.core.api import Throttle, costs
from matching import skill_services
from matching.engine import explain
from matching.models import Match, MatchRun, Mode
from matching.selectors import matches
from matching.selectors.skills import LONGEST_TEXT, text_to_read
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
            results = [_place(m, "client") | {"person": m.party.profile} for m in found]
        elif mode == Mode.ON or not project.is_open:
            results = []
        else:
            results = [UNRANKED | {"person": p} for p in matches.newest_people(project)]
        return Response(PeopleListOut(_list(run, mode) | {"results": results}).data)


class MyMatches(APIView):
    """Open projects for the signed-in freelancer."""

    @extend_schema(
        operation_id="list_projects_for_me", parameters=[AFTER], responses=ProjectsListOut
    )
    def get(self, request: Request) -> Response:
        party = _user(request).own_party
        mode = matches.mode()
        run = matches.last_run_for_party(party) if mode == Mode.ON else None
        after = ""
        if run:
            page = matches.projects_for(party, after=request.query_params.get("after", ""))
            results = [_place(m, "freelancer") | {"project": m.project} for m in page.rows]
            after = page.after
        else:
            results = [UNRANKED | {"project": p} for p in matches.newest_projects(party)]
        found = _list(run, mode) | {"results": results, "after": after}
        return Response(ProjectsListOut(found).data)


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


def _place(match: Match, audience: explain.Audience) -> dict[str, Any]:
    return {
        "rank": match.rank,
        "score": match.score,
        "strength": match.strength,
        "factors": match.features,
        "reasons": explain.words(match.told, audience),
    }


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
