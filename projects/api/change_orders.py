"""Extra rounds and extra work as JSON: the same doors to the same services."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import idempotent
from marketplace.core.errors import InvalidInput
from projects.api import shapes
from projects.api.contracts import answers, caller
from projects.api.market_shapes import amount_of
from projects.selectors import contracts as selectors
from projects.services.change_orders import offers


def order_now(request: Request, ref: str, order: str) -> Response:
    """The order as it stands after an act."""
    _seat, found = selectors.order_to_read(caller(request), ref, order)
    return Response(shapes.ChangeOrderShape(found).data)


class WantRoundView(APIView):
    """An extra round of changes."""

    @extend_schema(
        operation_id="want_round",
        request=shapes.WantRoundShape,
        responses=shapes.ChangeOrderShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The client asks for it; the freelancer has some days to name a price."""
        _seat, milestone = selectors.milestone_to_send_back(caller(request), ref, n)
        points = answers(shapes.WantRoundShape, request)["points"]
        order = offers.want_round(milestone, by=caller(request), points=points)
        return order_now(request, ref, order.ref)


class OfferWorkView(APIView):
    """Extra work."""

    @extend_schema(
        operation_id="offer_work",
        request=shapes.OfferWorkShape,
        responses=shapes.ChangeOrderShape,
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Either side offers it; the other has some days to agree."""
        seat = selectors.contract_to_end(caller(request), ref)
        given = answers(shapes.OfferWorkShape, request)
        given["amount"] = amount_of(given["amount"], seat.contract.currency, "amount")
        order = offers.offer_work(seat.contract, by=caller(request), **given)
        return order_now(request, ref, order.ref)


class ChangeOrderView(APIView):
    """One order."""

    @extend_schema(operation_id="change_order", responses=shapes.ChangeOrderShape)
    def get(self, request: Request, ref: str, order: str) -> Response:
        """What is asked or offered, and how far it has come."""
        return order_now(request, ref, order)


class PriceOrderView(APIView):
    """The price of an extra round."""

    @extend_schema(
        operation_id="price_order",
        request=shapes.PriceOrderShape,
        responses=shapes.ChangeOrderShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, order: str) -> Response:
        """The freelancer names it, or does the round for nothing by `"amount": null`."""
        seat, found = selectors.order_to_answer(caller(request), ref, order)
        given = answers(shapes.PriceOrderShape, request)
        if given["amount"] is None:
            offers.grant_round(found, by=caller(request))
        elif given["days"] is None:
            raise InvalidInput(_("Enter a number of days, like 20"), field="days")
        else:
            amount = amount_of(given["amount"], seat.contract.currency, "amount")
            offers.price_round(found, by=caller(request), amount=amount, days=given["days"])
        return order_now(request, ref, order)


class AnswerOrderView(APIView):
    """The answer to an offer."""

    @extend_schema(
        operation_id="answer_order",
        request=shapes.AnswerShape,
        responses=shapes.ChangeOrderShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, order: str) -> Response:
        """Agreed, a milestone waits for its money. `"accept": null` takes one's own back."""
        _seat, found = selectors.order_to_answer(caller(request), ref, order)
        accept = answers(shapes.AnswerShape, request)["accept"]
        if accept is None:
            offers.take_back(found, by=caller(request))
        else:
            offers.answer(found, by=caller(request), accept=accept)
        return order_now(request, ref, order)
