"""Bids as JSON, for their two sides only."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import idempotent
from projects.api import market_shapes as shapes
from projects.api.contracts import AFTER, answers, caller
from projects.api.market_shapes import amount_of
from projects.api.shapes import NothingShape
from projects.models import Bid
from projects.selectors import bids as selectors
from projects.selectors.projects import project_to_bid_on, project_to_manage
from projects.services import bidding, choosing
from projects.services.bidding import Step
from projects.services.contracts import MilestonePlan

TAB = OpenApiParameter("tab", str, enum=list(selectors.TABS))
SHOW = OpenApiParameter("show", str, enum=list(selectors.GROUPS))


class ProjectBidsView(APIView):
    """The bids of a project for its client; and the door for a new one."""

    @extend_schema(
        operation_id="bids_of_project", parameters=[AFTER, TAB], responses=shapes.BidPageShape
    )
    def get(self, request: Request, ref: str) -> Response:
        """One tab of the hiring round, newest first."""
        project = project_to_manage(caller(request), ref)
        tab = request.query_params.get("tab", "")
        rows, after = selectors.bids_on(
            project,
            tab if tab in selectors.TABS else "new",
            after=request.query_params.get("after", ""),
        )
        return Response(shapes.BidPageShape({"results": rows, "after": after}).data)

    @extend_schema(
        operation_id="send_bid", request=shapes.OfferShape, responses={201: shapes.BidShape}
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """The caller's one bid; after a withdrawal it comes back."""
        user = caller(request)
        project = project_to_bid_on(user, ref)
        offer = _offer(answers(shapes.OfferShape, request), project.currency)
        bid = bidding.send_bid(project, by=user, **offer)
        return Response(shapes.BidShape(_shown(request, bid.ref)).data, status=201)


class BidsView(APIView):
    """The caller's own bids."""

    @extend_schema(operation_id="bids", parameters=[AFTER, SHOW], responses=shapes.BidPageShape)
    def get(self, request: Request) -> Response:
        """Newest first."""
        group = request.query_params.get("show", "")
        rows, after = selectors.bids_of(
            caller(request),
            group if group in selectors.GROUPS else "",
            after=request.query_params.get("after", ""),
        )
        return Response(shapes.BidPageShape({"results": rows, "after": after}).data)


class BidView(APIView):
    """One bid."""

    @extend_schema(operation_id="bid", responses=shapes.BidShape)
    def get(self, request: Request, ref: str) -> Response:
        """For its freelancer and the client's people."""
        return Response(shapes.BidShape(_shown(request, ref)).data)

    @extend_schema(operation_id="edit_bid", request=shapes.OfferShape, responses=shapes.BidShape)
    @idempotent
    def put(self, request: Request, ref: str) -> Response:
        """A new version of the offer."""
        user = caller(request)
        bid = selectors.bid_to_change(user, ref)
        bidding.edit_bid(bid, by=user, **_offer(answers(shapes.OfferShape, request), bid.currency))
        return Response(shapes.BidShape(_shown(request, ref)).data)


class WithdrawView(APIView):
    """Taking a bid back."""

    @extend_schema(operation_id="withdraw_bid", request=NothingShape, responses=shapes.BidShape)
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """It may be sent again while the project is open."""
        bidding.withdraw_bid(selectors.bid_to_change(caller(request), ref), by=caller(request))
        return Response(shapes.BidShape(_shown(request, ref)).data)


class DeclineView(APIView):
    """Turning a bid down."""

    @extend_schema(
        operation_id="decline_bid", request=shapes.DeclineShape, responses=shapes.BidShape
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """The freelancer reads the reason."""
        bid = selectors.bid_to_choose(caller(request), ref)
        choosing.decline(bid, by=caller(request), **answers(shapes.DeclineShape, request))
        return Response(shapes.BidShape(_shown(request, ref)).data)


class HireView(APIView):
    """Accepting one bid."""

    @extend_schema(
        operation_id="hire", request=shapes.HireShape, responses={201: shapes.HiredShape}
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Exactly one bid of a project is ever accepted; the others are told."""
        bid = selectors.bid_to_choose(caller(request), ref)
        asked = answers(shapes.HireShape, request)
        plan = [
            MilestonePlan(
                step["title"],
                amount_of(step["amount"], bid.currency, "milestones"),
                step["due_on"],
            )
            for step in asked["milestones"]
        ]
        contract = choosing.hire(
            bid,
            by=caller(request),
            milestones=plan or choosing.proposed_plan(bid),
            seen_version=asked["seen_version"],
        )
        return Response(shapes.HiredShape({"contract": contract.ref}).data, status=201)


class ChoiceView(APIView):
    """A small choice about one bid."""

    act: Callable[..., Bid]

    def _choose(self, request: Request, ref: str) -> Response:
        bid = selectors.bid_to_choose(caller(request), ref)
        type(self).act(bid, by=caller(request))
        return Response(shapes.BidShape(_shown(request, ref)).data)


class ShortlistView(ChoiceView):
    """Putting a bid on the short list."""

    act = staticmethod(choosing.shortlist)

    @extend_schema(operation_id="shortlist_bid", request=NothingShape, responses=shapes.BidShape)
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """The freelancer is told once."""
        return self._choose(request, ref)


class UnshortlistView(ChoiceView):
    """Taking a bid off the short list."""

    act = staticmethod(choosing.unshortlist)

    @extend_schema(operation_id="unshortlist_bid", request=NothingShape, responses=shapes.BidShape)
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Nobody is told."""
        return self._choose(request, ref)


class ReconsiderView(ChoiceView):
    """Taking back a “not chosen”."""

    act = staticmethod(choosing.reconsider)

    @extend_schema(operation_id="reconsider_bid", request=NothingShape, responses=shapes.BidShape)
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """While the project is open."""
        return self._choose(request, ref)


def _offer(asked: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "price": amount_of(asked["price"], currency, "price"),
        "days": asked["days"],
        "message": asked["message"],
        "ai_use": asked["ai_use"],
        "milestones": [
            Step(step["title"], amount_of(step["amount"], currency, "milestones"), step["days"])
            for step in asked["milestones"]
        ],
    }


def _shown(request: Request, ref: str) -> Bid:
    """The bid with what its shape shows beside it."""
    bid = selectors.bid_to_see(caller(request), ref)
    vars(bid)["shown_steps"] = selectors.milestones_of(bid)
    return bid
