"""Giving money back, as JSON: the same doors to the same services."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import Throttle, costs, idempotent
from projects.api import shapes
from projects.api.contracts import answers, caller
from projects.api.market_shapes import amount_of
from projects.selectors import contracts as selectors
from projects.services import ending, giving_back


class GiveBackView(APIView):
    """Money that was released."""

    @extend_schema(
        operation_id="give_back", request=shapes.GiveBackShape, responses=shapes.GivenBackShape
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """So much of the agreed amount goes back to the client, and both fees of it."""
        seat, milestone = selectors.milestone_to_return(caller(request), ref, n)
        typed = answers(shapes.GiveBackShape, request)
        amount, left = (
            amount_of(typed[name], seat.contract.currency, name) for name in ("amount", "left")
        )
        given = giving_back.give_back(milestone, by=caller(request), amount=amount, seen=left)
        return Response(shapes.GivenBackShape(given).data)


class ReturnPartView(APIView):
    """Money that is held."""

    throttle_classes = [Throttle, costs("stripe")]

    @extend_schema(
        operation_id="return_part", request=shapes.GiveBackShape, responses=shapes.GivenBackShape
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """So much of the held amount goes back to the client with our fee; the rest stays held."""
        seat, milestone = selectors.milestone_to_return(caller(request), ref, n)
        typed = answers(shapes.GiveBackShape, request)
        amount, left = (
            amount_of(typed[name], seat.contract.currency, name) for name in ("amount", "left")
        )
        given = ending.return_part(milestone, by=caller(request), amount=amount, seen=left)
        return Response(shapes.GivenBackShape(given).data)
