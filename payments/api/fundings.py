"""Tries to pay."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.parts import AFTER, AmountField, caller
from payments.models import Funding
from payments.selectors import fundings


class FundingSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One try to pay."""

    ref = serializers.CharField()
    status = serializers.CharField()
    amount = AmountField()
    currency = serializers.CharField()
    purpose = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_purpose(self, funding: Funding) -> str:
        return "; ".join(part.hold.label for part in funding.parts.all())


class FundingPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Tries to pay, newest first; `after` is empty on the last page."""

    results = FundingSerializer(many=True)
    after = serializers.CharField(allow_blank=True)


class FundingsView(APIView):
    """Tries to pay of the parties whose money the caller may see."""

    @extend_schema(operation_id="fundings", parameters=[AFTER], responses=FundingPageSerializer)
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows, after = fundings.fundings_of(
            caller(request), after=request.query_params.get("after", "")
        )
        return Response(FundingPageSerializer({"results": rows, "after": after}).data)


class FundingView(APIView):
    """One try to pay."""

    @extend_schema(operation_id="funding", responses=FundingSerializer)
    def get(self, request: Request, ref: str) -> Response:
        """How it stands."""
        return Response(FundingSerializer(fundings.funding_to_read(caller(request), ref)).data)
