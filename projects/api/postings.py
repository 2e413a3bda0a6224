"""Projects as JSON: the same doors to the same services as the pages."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import hiring_party
from marketplace.core.api import idempotent
from marketplace.core.errors import InvalidInput
from projects.api import market_shapes as shapes
from projects.api.contracts import answers, caller
from projects.api.market_shapes import amount_of
from projects.api.shapes import NothingShape
from projects.models import Project
from projects.selectors import browsing
from projects.selectors import projects as selectors
from projects.selectors.browsing import Browse
from projects.services import posting
from projects.services.wanted import Wanted


class ProjectsView(APIView):
    """Open projects, and a place to write one."""

    def get_permissions(self) -> list[BasePermission]:
        """Everybody may look."""
        return [AllowAny() if self.request.method == "GET" else IsAuthenticated()]

    @extend_schema(
        operation_id="projects",
        parameters=[shapes.BrowseShape],
        responses=shapes.ProjectPageShape,
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """The list with the same filters as the page; amounts compare within one currency."""
        query = request.query_params
        asked = {name: query[name] for name in query if name != "skill"}
        read = shapes.BrowseShape(data={**asked, "skill": query.getlist("skill")})
        read.is_valid(raise_exception=True)
        wanted, mine = _browse(request, read.validated_data)
        found = browsing.find(wanted, request.user, mine, read.validated_data["after"])
        page = {"results": found.rows, "after": found.after, "count": found.count}
        return Response(shapes.ProjectPageShape(page).data)

    @extend_schema(
        operation_id="draft_project", request=shapes.WantedShape, responses=shapes.ProjectShape
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """A draft for the party the caller hires for; nobody else sees it."""
        user = caller(request)
        party = hiring_party(user)
        wanted = _wanted(answers(shapes.WantedShape, request), party.currency)
        project = posting.save_draft(party, by=user, wanted=wanted)
        return Response(shapes.ProjectShape(_shown(request, project.ref)).data, status=201)


class ProjectView(APIView):
    """One project."""

    def get_permissions(self) -> list[BasePermission]:
        """Everybody may look at what is published."""
        return [AllowAny() if self.request.method == "GET" else IsAuthenticated()]

    @extend_schema(operation_id="project", responses=shapes.ProjectShape, auth=[])
    def get(self, request: Request, ref: str) -> Response:
        """With the client's facts; of the bids only their number."""
        return Response(shapes.ProjectShape(_shown(request, ref)).data)

    @extend_schema(
        operation_id="edit_project", request=shapes.WantedShape, responses=shapes.ProjectShape
    )
    @idempotent
    def put(self, request: Request, ref: str) -> Response:
        """Say anew what is wanted; whoever has bid is told."""
        project = selectors.project_to_manage(caller(request), ref)
        wanted = _wanted(answers(shapes.WantedShape, request), project.currency)
        posting.edit(project, by=caller(request), wanted=wanted)
        return Response(shapes.ProjectShape(_shown(request, ref)).data)


class PublishView(APIView):
    """Opening a draft for bids."""

    @extend_schema(
        operation_id="publish_project", request=NothingShape, responses=shapes.ProjectShape
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """It is open now, for as long as the policy says."""
        project = selectors.project_to_manage(caller(request), ref)
        posting.publish(project, by=caller(request))
        return Response(shapes.ProjectShape(_shown(request, ref)).data)


class CloseView(APIView):
    """Closing without hiring."""

    @extend_schema(
        operation_id="close_project", request=NothingShape, responses=shapes.ProjectShape
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Every bidder is told."""
        project = selectors.project_to_manage(caller(request), ref)
        posting.close(project, by=caller(request))
        return Response(shapes.ProjectShape(_shown(request, ref)).data)


def _browse(request: Request, asked: Mapping[str, Any]) -> tuple[Browse, frozenset[int]]:
    currency = asked.get("currency") or str(settings.DEFAULT_CURRENCY)
    known = browsing.skills_for(request.user, asked["skill"])
    if known.unknown:
        raise InvalidInput(f"No such skill: {known.unknown[0]}", field="skill")
    low, high = (
        amount_of(asked[end], currency, end) if end in asked else None for end in ("min", "max")
    )
    wanted = Browse(
        currency=currency,
        q=asked["q"],
        skills=tuple(known.named),
        low=low,
        high=high,
        ai=asked["ai"],
        sort=asked["sort"],
    )
    return wanted, frozenset(skill.pk for skill in known.mine)


def _wanted(asked: Mapping[str, Any], currency: str) -> Wanted:
    currency = asked.get("currency") or currency
    low, high = (
        amount_of(asked[end], currency, end) if asked.get(end) else None
        for end in ("budget_min", "budget_max")
    )
    deliver_by: dt.date | None = asked.get("deliver_by")
    return Wanted(
        title=asked["title"],
        description=asked["description"],
        currency=currency,
        budget_min=low,
        budget_max=high,
        deliver_by=deliver_by,
        ai_policy=asked["ai_policy"],
        skills=asked["skills"],
        content_language=asked.get("content_language", "en"),
    )


def _shown(request: Request, ref: str) -> Project:
    """The project with what its shape shows beside it."""
    project = selectors.project_to_see(request.user, ref)
    vars(project)["shown_facts"] = selectors.client_facts(project.client, project.currency)
    vars(project)["shown_files"] = [
        {"name": file.name, "size": file.size, "url": f"/files/{file.ref}/"}
        for file in selectors.files_of(project)
    ]
    return project
