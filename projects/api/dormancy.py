"""Held money nobody did anything about, as JSON: the same door to the same services."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import idempotent
from projects.api import shapes
from projects.api.contracts import answers, caller, contract_now
from projects.selectors import contracts as selectors
from projects.services import dormancy

ANSWERS = {
    "go-on": dormancy.go_on,
    "ask": dormancy.ask_for_release,
    "pay": dormancy.pay,
    "decline": dormancy.decline,
}


class DormantView(APIView):
    """What shall become of it."""

    @extend_schema(
        operation_id="answer_dormant",
        request=shapes.DormantAnswerShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """It goes on; the freelancer asks for the money; the client pays or declines."""
        _seat, milestone = selectors.milestone_to_move(caller(request), ref, n)
        answer = ANSWERS[answers(shapes.DormantAnswerShape, request)["answer"]]
        answer(milestone, by=caller(request))
        return contract_now(request, ref)
