"""What a price means for both sides."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money
from payments.api.parts import AmountField
from payments.services import quotes


class QuoteSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A price with both fees, and what each side pays or gets."""

    price = AmountField()
    client_fee = AmountField()
    client_pays = AmountField()
    freelancer_fee = AmountField()
    freelancer_gets = AmountField()
    client_fee_bps = serializers.IntegerField()
    freelancer_fee_bps = serializers.IntegerField()
    currency = serializers.CharField(source="price.currency")


class QuoteView(APIView):
    """What a price means for both sides, under today's policy."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="quote",
        parameters=[
            OpenApiParameter("amount", str, required=True, description="Like 1200 or 1200.50"),
            OpenApiParameter("currency", str, description="ISO 4217, by default ours"),
        ],
        responses=QuoteSerializer,
    )
    def get(self, request: Request) -> Response:
        """The fees on an amount."""
        asked = request.query_params
        currency = asked.get("currency", settings.DEFAULT_CURRENCY)
        try:
            price = Money.parse(asked.get("amount", ""), currency)
        except InvalidAmount as error:
            raise InvalidInput(str(error), field="amount") from error
        return Response(QuoteSerializer(quotes.quote(price)).data)
