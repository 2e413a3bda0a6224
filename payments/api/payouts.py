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
from payments.services import bank_payouts, instant


class PayoutSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Money on its way from the payee's account at Stripe to their bank."""

    ref = serializers.CharField()
    status = serializers.CharField()
    amount = AmountField()
    currency = serializers.CharField()
    automatic = serializers.BooleanField()
    at_once = serializers.BooleanField()
    fee = AmountField()
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
    fee = serializers.CharField(
        required=False,
        help_text="With it the money goes within minutes, if that is offered for this fee",
    )


class PayoutOfferSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What can arrive within minutes, and what that costs beside it."""

    amount = AmountField()
    fee = AmountField()
    currency = serializers.CharField()


class PayoutPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Payouts, newest first; `after` is empty on the last page."""

    results = PayoutSerializer(many=True)
    after = serializers.CharField(allow_blank=True)
    at_once = PayoutOfferSerializer(many=True)


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
        account = payouts.payout_account_of(caller(request).own_party)
        offers = instant.offers(account) if account and account.stripe_id else []
        page = {"results": rows, "after": after, "at_once": offers}
        return Response(PayoutPageSerializer(page).data)

    @extend_schema(
        operation_id="pay_out", request=PayOutSerializer, responses={201: PayoutSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Send money that is ready to the caller's own bank now."""
        asked = PayOutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        amount = _amount(given["amount"], given["currency"], "amount")
        user = caller(request)
        # The caller's key is of any length; its digest names the wish in our rows.
        key = hashlib.sha256(request.headers["Idempotency-Key"].encode()).hexdigest()
        account = payouts.payout_account_to_manage(user)
        if "fee" in given:
            fee = _amount(given["fee"], given["currency"], "fee")
            payout = bank_payouts.pay_out_at_once(account, by=user, amount=amount, fee=fee, key=key)
        else:
            payout = bank_payouts.pay_out(account, by=user, amount=amount, key=key)
        payout.refresh_from_db()
        return Response(PayoutSerializer(payout).data, status=201)


def _amount(typed: str, currency: str, field: str) -> Money:
    try:
        return Money.parse(typed, currency)
    except InvalidAmount as error:
        raise InvalidInput(str(error), field=field) from error
