"""Contracts as JSON: the same doors to the same services as the pages."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from marketplace.core.api import Throttle, costs, idempotent
from marketplace.core.errors import InvalidInput
from projects.api import shapes
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.selectors.messages import thread_of
from projects.selectors.reviews import contract_to_review
from projects.selectors.workspace import contract_rows, workspace_of
from projects.services import approvals, deliveries, ending, funding, messages, reviews

AFTER = OpenApiParameter("after", str, description="The `after` of the page before")


def caller(request: Request) -> User:
    """Who asks; every view here is for signed-in people."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - IsAuthenticated has looked
    return user


def answers(shape: type[shapes.Serializer], request: Request) -> dict[str, Any]:
    """The body in that shape; DRF answers 400 otherwise."""
    read = shape(data=request.data)
    read.is_valid(raise_exception=True)
    values: dict[str, Any] = read.validated_data
    return values


def contract_now(request: Request, ref: str) -> Response:
    """The contract as it stands after an act."""
    seat = selectors.contract_to_read(caller(request), ref)
    return Response(shapes.ContractShape(workspace_of(seat)).data)


# --- Reading --------------------------------------------------------------------------------


class ContractsView(APIView):
    """The caller's contracts, on whichever side."""

    @extend_schema(
        operation_id="contracts",
        parameters=[AFTER, OpenApiParameter("show", str, enum=list(selectors.TABS))],
        responses=shapes.ContractPageShape,
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        tab = request.query_params.get("show", "")
        rows, after = contract_rows(
            caller(request),
            tab if tab in selectors.TABS else "",
            after=request.query_params.get("after", ""),
        )
        return Response(shapes.ContractPageShape({"results": rows, "after": after}).data)


class ContractView(APIView):
    """One contract."""

    @extend_schema(operation_id="contract", responses=shapes.ContractShape)
    def get(self, request: Request, ref: str) -> Response:
        """With its milestones and where their money is."""
        return contract_now(request, ref)


# --- Milestones -----------------------------------------------------------------------------


class FundView(APIView):
    """Paying for a milestone."""

    throttle_classes = [Throttle, costs("stripe")]

    @extend_schema(
        operation_id="fund_milestone", request=shapes.NothingShape, responses=shapes.CheckoutShape
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """Start the Checkout, or get the one that runs."""
        _seat, milestone = selectors.milestone_to_fund(caller(request), ref, n)
        url = funding.start_payment(milestone, by=caller(request))
        tried = selectors.last_try(selectors.milestone_to_fund(caller(request), ref, n)[1])
        answer = {"milestone": n, "status": tried.status if tried else "", "checkout_url": url}
        return Response(shapes.CheckoutShape(answer).data)


class FundTogetherView(APIView):
    """Paying for several milestones at once."""

    throttle_classes = [Throttle, costs("stripe")]

    @extend_schema(
        operation_id="fund_together",
        request=shapes.NothingShape,
        responses=shapes.JointCheckoutShape,
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Start one Checkout for all that can be funded now, or get the one that runs."""
        seat = selectors.contract_to_reward(caller(request), ref)
        url = funding.start_payment_together(seat.contract, by=caller(request))
        running = selectors.newest_payment(seat.contract)
        answer = {
            "milestones": [step.position for step in running.steps] if running else [],
            "total": running.tried.amount if running else None,
            "status": running.tried.status if running else "",
            "checkout_url": url,
        }
        return Response(shapes.JointCheckoutShape(answer).data)


class DeliverView(APIView):
    """Handing work over."""

    @extend_schema(
        operation_id="deliver_milestone",
        request=shapes.DeliverShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The client's review window starts now."""
        _seat, milestone = selectors.milestone_to_deliver(caller(request), ref, n)
        deliveries.deliver(milestone, by=caller(request), **answers(shapes.DeliverShape, request))
        return contract_now(request, ref)


class AskChangesView(APIView):
    """Sending work back."""

    @extend_schema(
        operation_id="ask_for_changes", request=shapes.ChangesShape, responses=shapes.ContractShape
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The review clock stops."""
        _seat, milestone = selectors.milestone_to_send_back(caller(request), ref, n)
        deliveries.ask_for_changes(
            milestone, by=caller(request), **answers(shapes.ChangesShape, request)
        )
        return contract_now(request, ref)


class ApproveView(APIView):
    """Saying yes."""

    @extend_schema(
        operation_id="approve_milestone",
        request=shapes.ApproveShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The held money is released to the freelancer, once."""
        _seat, milestone = selectors.milestone_to_approve(caller(request), ref, n)
        seen = answers(shapes.ApproveShape, request)["round"]
        approvals.approve(milestone, by=caller(request), seen_round=seen)
        return contract_now(request, ref)


class CallOffView(APIView):
    """Calling a funded milestone off before anything was delivered."""

    @extend_schema(
        operation_id="call_off_milestone",
        request=shapes.CallOffShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """At once where the rules allow it, otherwise as a question to the freelancer."""
        _seat, milestone = selectors.milestone_to_move(caller(request), ref, n)
        ending.call_off(milestone, by=caller(request), **answers(shapes.CallOffShape, request))
        return contract_now(request, ref)


class AnswerCallOffView(APIView):
    """The answer to a wish to call a milestone off."""

    @extend_schema(
        operation_id="answer_call_off",
        request=shapes.AnswerShape,
        responses=shapes.ContractShape,
    )
    @idempotent
    def post(self, request: Request, ref: str, n: int) -> Response:
        """The freelancer agrees or declines; the client takes it back, by `"accept": null`."""
        seat, milestone = selectors.milestone_to_move(caller(request), ref, n)
        accept = answers(shapes.AnswerShape, request)["accept"]
        if seat.is_client and accept is not None:
            raise InvalidInput(
                _("The freelancer answers. To take your wish back, send null"), field="accept"
            )
        if accept is None:
            ending.take_back(milestone, by=caller(request))
        else:
            ending.answer(milestone, by=caller(request), accept=accept)
        return contract_now(request, ref)


class AskToEndView(APIView):
    """Ending a contract while money is held."""

    @extend_schema(
        operation_id="ask_to_end", request=shapes.AskToEndShape, responses=shapes.ContractShape
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Ask the freelancer for every milestone whose money is held."""
        seat = selectors.contract_to_reward(caller(request), ref)
        reason = answers(shapes.AskToEndShape, request)["reason"]
        ending.ask_to_end(seat.contract, by=caller(request), reason=reason)
        return contract_now(request, ref)


# --- Words ----------------------------------------------------------------------------------


class MessagesView(APIView):
    """The thread of a contract."""

    @extend_schema(
        operation_id="messages",
        parameters=[OpenApiParameter("before", str)],
        responses=shapes.ThreadShape,
    )
    def get(self, request: Request, ref: str) -> Response:
        """The newest messages, oldest first. Reading them here does not mark them as read."""
        seat = selectors.contract_to_read(caller(request), ref)
        return _thread(seat, request.query_params.get("before", ""))

    @extend_schema(
        operation_id="send_message", request=shapes.SendShape, responses=shapes.ThreadShape
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Send one."""
        seat = selectors.contract_to_read(caller(request), ref)
        body = answers(shapes.SendShape, request)["body"]
        messages.send(seat.contract, by=caller(request), body=body)
        return _thread(seat, "")


def _thread(seat: Seat, before: str) -> Response:
    thread = thread_of(seat, before=before, events=False)
    answer = {"results": thread.lines, "before": thread.earlier}
    return Response(shapes.ThreadShape(answer).data)


class ReviewView(APIView):
    """The reviews of a contract."""

    @extend_schema(operation_id="reviews", responses=shapes.ReviewsShape)
    def get(self, request: Request, ref: str) -> Response:
        """One's own, and the other side's once it is published."""
        return Response(shapes.ReviewsShape(contract_to_review(caller(request), ref)).data)

    @extend_schema(
        operation_id="write_review",
        request=shapes.WriteReviewShape,
        responses=shapes.ReviewsShape,
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        """Review the other side, once."""
        found = contract_to_review(caller(request), ref)
        given = answers(shapes.WriteReviewShape, request)
        reviews.write(found.seat.contract, by=caller(request), **given)
        return Response(shapes.ReviewsShape(contract_to_review(caller(request), ref)).data)
