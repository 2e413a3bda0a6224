"""Proposals, money given back and bonuses as JSON: the same doors to the same services."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import Throttle, costs, idempotent
from projects.api import shapes
from projects.api.contracts import answers, caller, contract_now
from projects.api.market_shapes import amount_of
from projects.selectors import contracts as selectors
from projects.services import bonuses, ending, proposals


class ExtendView(APIView):
    """A new due date."""

    @extend_schema(
        operation_id="propose_extension",
        request=shapes.ExtendShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The other side has some days to accept; otherwise nothing changes."""
        _seat, milestone = selectors.milestone_to_move(caller(request), ref, n)
        given = answers(shapes.ExtendShape, request)
        proposals.propose_extension(milestone, by=caller(request), **given)
        return contract_now(request, ref)


class ReleasePartView(APIView):
    """A lower amount."""

    @extend_schema(
        operation_id="propose_part",
        request=shapes.ReleasePartShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """Nothing moves before the other side accepts."""
        seat, milestone = selectors.milestone_to_move(caller(request), ref, n)
        given = answers(shapes.ReleasePartShape, request)
        amount = amount_of(given["amount"], seat.contract.currency, "amount")
        proposals.propose_part(
            milestone,
            by=caller(request),
            amount=amount,
            reason=given["reason"],
            carry=given["carry"],
        )
        return contract_now(request, ref)


class AnswerProposalView(APIView):
    """The answer to a proposal."""

    @extend_schema(
        operation_id="answer_proposal",
        request=shapes.AnswerProposalShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, proposal: str) -> Response:
        """Accepted, the date or the money moves at once."""
        _seat, found = selectors.proposal_to_answer(caller(request), ref, proposal)
        given = answers(shapes.AnswerProposalShape, request)
        if given["accept"] is None:
            proposals.take_back(found, by=caller(request))
        else:
            proposals.answer(
                found,
                by=caller(request),
                accept=given["accept"],
                take_rest_back=given["take_rest_back"],
            )
        return contract_now(request, ref)


class ReturnMoneyView(APIView):
    """Giving held money back."""

    @extend_schema(
        operation_id="return_money", request=shapes.NothingShape, responses=shapes.ContractShape
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """All of it goes back to the client, the fee included."""
        _seat, milestone = selectors.milestone_to_return(caller(request), ref, n)
        ending.return_money(milestone, by=caller(request))
        return contract_now(request, ref)


class BonusView(APIView):
    """Money on top."""

    throttle_classes = [Throttle, costs("stripe")]

    @extend_schema(
        operation_id="pay_bonus",
        request=shapes.GiveBonusShape,
        responses=shapes.BonusCheckoutShape,
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Start the Checkout, or get the one that runs."""
        seat = selectors.contract_to_reward(caller(request), ref)
        given = answers(shapes.GiveBonusShape, request)
        amount = amount_of(given["amount"], seat.contract.currency, "amount")
        url = bonuses.start_payment(
            seat.contract, by=caller(request), amount=amount, note=given["note"]
        )
        return Response(shapes.BonusCheckoutShape({"checkout_url": url}).data)
