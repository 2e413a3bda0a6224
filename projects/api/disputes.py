"""Disputes as JSON, for the two sides. Deciding is done in the admin."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import idempotent
from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money
from projects.api import shapes
from projects.api.contracts import answers, caller
from projects.selectors import disputes as selectors
from projects.services import disputes


def dispute_now(request: Request, ref: str) -> Response:
    """The dispute as it stands after an act."""
    return Response(shapes.DisputeShape(selectors.dispute_to_read(caller(request), ref)).data)


def _amount(typed: str, currency: str) -> Money:
    try:
        return Money.parse(typed, currency)
    except InvalidAmount as error:
        raise InvalidInput(str(error), field="to_freelancer") from error


class OpenDisputeView(APIView):
    """Opening a dispute about the money held for a milestone."""

    @extend_schema(
        operation_id="open_dispute",
        request=shapes.OpenDisputeShape,
        responses=shapes.DisputeShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The money is paused at once."""
        seat, milestone = selectors.milestone_to_dispute(caller(request), ref, n)
        given = answers(shapes.OpenDisputeShape, request)
        part = _amount(given.pop("to_freelancer"), seat.contract.currency)
        opened = disputes.open_dispute(milestone, by=caller(request), to_freelancer=part, **given)
        return dispute_now(request, opened.ref)


class DisputeView(APIView):
    """One dispute."""

    @extend_schema(operation_id="dispute", responses=shapes.DisputeShape)
    def get(self, request: Request, ref: str) -> Response:
        """What both say and propose, and how it ended."""
        return dispute_now(request, ref)


class StatementsView(APIView):
    """Adding to a dispute."""

    @extend_schema(
        operation_id="add_statement",
        request=shapes.AddStatementShape,
        responses=shapes.DisputeShape,
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Explain, or propose another split."""
        view = selectors.dispute_to_answer(caller(request), ref)
        given = answers(shapes.AddStatementShape, request)
        typed = given.pop("to_freelancer")
        part = _amount(typed, view.dispute.currency) if typed else None
        disputes.add_statement(view.dispute, by=caller(request), to_freelancer=part, **given)
        return dispute_now(request, ref)


class SettleView(APIView):
    """Accepting the other side's proposal."""

    @extend_schema(
        operation_id="settle_dispute", request=shapes.SettleShape, responses=shapes.DisputeShape
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Both agree: the money moves at once."""
        view = selectors.dispute_to_answer(caller(request), ref)
        disputes.settle(view.dispute, by=caller(request), **answers(shapes.SettleShape, request))
        return dispute_now(request, ref)


class WithdrawView(APIView):
    """Taking one's own dispute back."""

    @extend_schema(
        operation_id="withdraw_dispute",
        request=shapes.NothingShape,
        responses=shapes.DisputeShape,
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """The money is held as before."""
        view = selectors.dispute_to_answer(caller(request), ref)
        disputes.withdraw(view.dispute, by=caller(request))
        return dispute_now(request, ref)
