"""Money on its last way, to a bank."""

import hashlib

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.freshness import require_fresh
from marketplace.core.api import Throttle, costs, idempotent
from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money
from payments.api.parts import AFTER, AmountField, caller
from payments.selectors import payouts
from payments.services import bank_payouts


class PayoutSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Money on its way from the payee's account at Stripe to their bank."""

    ref = serializers.CharField()
    status = serializers.CharField()
    amount = AmountField()
    currency = serializers.CharField()
    automatic = serializers.BooleanField()
    bank = serializers.CharField(allow_null=True)
    arrives_on = serializers.DateField(allow_null=True)
    failure = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class PayOutSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What to send to the bank now."""

    amount = serializers.CharField(help_text="Like 92 or 92.00")
    currency = serializers.CharField(max_length=3)


class PayoutPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Payouts, newest first; `after` is empty on the last page."""

    results = PayoutSerializer(many=True)
    after = serializers.CharField(allow_blank=True)


class PayoutsView(APIView):
    """Payouts to the banks of the parties whose money the caller may see."""

    throttle_classes = [Throttle, costs("stripe", "POST")]

    def check_permissions(self, request: Request) -> None:
        """Before the key is looked at, or a repeat after confirming would be refused again."""
        super().check_permissions(request)
        if request.method == "POST":
            require_fresh(request)

    @extend_schema(operation_id="payouts", parameters=[AFTER], responses=PayoutPageSerializer)
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows, after = payouts.payouts_of(
            caller(request), after=request.query_params.get("after", "")
        )
        return Response(PayoutPageSerializer({"results": rows, "after": after}).data)

    @extend_schema(
        operation_id="pay_out", request=PayOutSerializer, responses={201: PayoutSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Send money that is ready to the caller's own bank now."""
        asked = PayOutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            amount = Money.parse(asked.validated_data["amount"], asked.validated_data["currency"])
        except InvalidAmount as error:
            raise InvalidInput(str(error), field="amount") from error
        user = caller(request)
        # The caller's key is of any length; its digest names the wish in our rows.
        key = hashlib.sha256(request.headers["Idempotency-Key"].encode()).hexdigest()
        payout = bank_payouts.pay_out(
            payouts.payout_account_to_manage(user), by=user, amount=amount, key=key
        )
        payout.refresh_from_db()
        return Response(PayoutSerializer(payout).data, status=201)
