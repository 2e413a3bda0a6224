"""What the caller's parties have spent."""

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import Throttle, costs
from marketplace.core.errors import InvalidInput
from payments.api.parts import AmountField, caller
from payments.forms import SpendingForm
from payments.selectors import spending


class TotalSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """All payments of one purchase order, contract or month, in one currency."""

    key = serializers.CharField()
    currency = serializers.CharField()
    payments = serializers.IntegerField()
    paid = AmountField()
    came_back = AmountField(source="back")
    spent = AmountField()
    fees = AmountField()


class SpendingView(APIView):
    """Totals per purchase order, contract or month."""

    throttle_classes = (Throttle, costs("export"))

    @extend_schema(
        operation_id="spending",
        parameters=[
            OpenApiParameter("by", str, enum=["order", "contract", "month"]),
            OpenApiParameter("order", str, description="Only this purchase order"),
            OpenApiParameter("contract", str, description="Only this contract"),
            OpenApiParameter("since", OpenApiTypes.DATE, description="First day, UTC"),
            OpenApiParameter("until", OpenApiTypes.DATE, description="Last day, UTC"),
        ],
        responses=TotalSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """By purchase order, unless something else is asked for."""
        form = SpendingForm(request.query_params)
        if not form.is_valid():
            name, errors = next(iter(form.errors.items()))
            raise InvalidInput(str(errors[0]) or _("This cannot be read"), field=name)
        totals = spending.spending_by(caller(request), spending.Asked(**form.cleaned_data))
        return Response(TotalSerializer(totals, many=True).data)
