"""Paper."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api import Throttle, costs
from marketplace.core.errors import InvalidInput
from payments.api.parts import AFTER, AmountField, caller
from payments.models import TaxKind
from payments.selectors import invoices
from payments.services import paper


class InvoiceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One document, as in the list."""

    ref = serializers.CharField()
    number = serializers.CharField()
    kind = serializers.CharField()
    seller = serializers.CharField(source="document.seller.name")
    buyer = serializers.CharField(source="document.buyer.name")
    # What a credit note takes back; empty for every other document.
    corrects = serializers.CharField(source="document.corrects.number", default="")
    net = AmountField()
    tax = AmountField()
    tax_rate_bps = serializers.IntegerField()
    tax_kind = serializers.ChoiceField(choices=[("", ""), *TaxKind.choices])
    total = AmountField()
    currency = serializers.CharField()
    purchase_order = serializers.CharField(source="document.order", default="")
    issued_at = serializers.DateTimeField()


class InvoiceDetailSerializer(InvoiceSerializer):
    """One document with its frozen content."""

    document = serializers.JSONField()


class InvoicePageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Documents, newest first; `after` is empty on the last page."""

    results = InvoiceSerializer(many=True)
    after = serializers.CharField(allow_blank=True)


class InvoicesView(APIView):
    """Paper of the parties whose money the caller may see."""

    @extend_schema(
        operation_id="invoices",
        parameters=[AFTER, OpenApiParameter("year", int)],
        responses=InvoicePageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        year = request.query_params.get("year", "")
        if year and not (year.isdecimal() and len(year) == 4):
            raise InvalidInput(_("Enter a year, like 2026"), field="year")
        shelf = invoices.invoices_of(
            caller(request),
            year=int(year) if year else None,
            after=request.query_params.get("after", ""),
        )
        page = {"results": shelf.invoices, "after": shelf.after}
        return Response(InvoicePageSerializer(page).data)


class InvoiceView(APIView):
    """One document."""

    @extend_schema(operation_id="invoice", responses=InvoiceDetailSerializer)
    def get(self, request: Request, ref: str) -> Response:
        """Its frozen content."""
        return Response(
            InvoiceDetailSerializer(invoices.invoice_to_read(caller(request), ref)).data
        )


class InvoicePdfView(APIView):
    """One document as a PDF."""

    throttle_classes = [Throttle, costs("paper")]

    @extend_schema(
        operation_id="invoice_pdf", responses={(200, "application/pdf"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        """The same bytes each time."""
        found = invoices.invoice_to_read(caller(request), ref)
        return HttpResponse(
            paper.pdf(found),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{found.number}.pdf"'},
        )
