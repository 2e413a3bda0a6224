"""Money as JSON: what a price means, tries to pay, and paper. Nothing here moves money."""

import hashlib

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Party, User
from marketplace.core.api import idempotent
from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money
from payments.forms import LedgerFilterForm
from payments.models import Funding, TaxKind
from payments.selectors import fundings, invoices, payouts, periods, statements
from payments.services import bank_payouts, exports, paper, quotes

AFTER = OpenApiParameter("after", str, description="The `after` of the page before")


@extend_schema_field({"type": "string", "example": "1200.50"})
class AmountField(serializers.Field):  # type: ignore[type-arg]
    """An amount in canonical text; its currency stands beside it."""

    def to_representation(self, value: Money) -> str:
        return value.decimal_text


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


class LedgerLineSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One entry of a party's ledger; `running` is what is with us after it."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    account = serializers.CharField(source="place")
    amount = AmountField()
    running = AmountField()
    currency = serializers.CharField()
    payment = serializers.CharField(allow_blank=True)
    about = serializers.CharField(allow_blank=True)


class LedgerPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Entries, newest first; `after` is empty on the last page."""

    results = LedgerLineSerializer(many=True)
    after = serializers.CharField(allow_blank=True)


class LedgerPartySerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A party whose ledger the caller may read."""

    ref = serializers.CharField()
    name = serializers.CharField()


class MoveSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What happenings of one kind changed together."""

    what = serializers.CharField(source="kind_text")
    amount = AmountField()


class SumsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One currency: what was with us, what changed it, what was with us after."""

    currency = serializers.CharField()
    opening = AmountField()
    moves = MoveSerializer(many=True)
    closing = AmountField()


class WorkSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One payment with its fee."""

    on = serializers.DateField()
    about = serializers.CharField()
    other_side = serializers.CharField()
    amount = AmountField()
    fee = AmountField()
    total = AmountField()


class SectionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Payments of one currency with their totals."""

    currency = serializers.CharField(source="total.currency")
    amount = AmountField()
    fee = AmountField()
    total = AmountField()
    works = WorkSerializer(many=True)


class PeriodSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A month like `2026-11` or a year like `2026`."""

    period = serializers.CharField(source="slug")
    is_over = serializers.BooleanField()


class StatementSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A month or a year of a party's money; months and days are those of UTC."""

    period = serializers.CharField(source="period.slug")
    is_over = serializers.BooleanField(source="period.is_over")
    sums = SumsSerializer(many=True)
    earned = SectionSerializer(many=True)
    paid_in = SectionSerializer(many=True)


class FundingPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Tries to pay, newest first; `after` is empty on the last page."""

    results = FundingSerializer(many=True)
    after = serializers.CharField(allow_blank=True)


class InvoicePageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Documents, newest first; `after` is empty on the last page."""

    results = InvoiceSerializer(many=True)
    after = serializers.CharField(allow_blank=True)


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


def caller(request: Request) -> User:
    """Who is signed in; the permission classes have let nobody else through."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


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


class PayoutsView(APIView):
    """Payouts to the banks of the parties whose money the caller may see."""

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


LEDGER_FILTERS = [
    OpenApiParameter("kind", str, description="What happened, like `released`"),
    OpenApiParameter("since", OpenApiTypes.DATE, description="First day, in your time zone"),
    OpenApiParameter("until", OpenApiTypes.DATE, description="Last day, in your time zone"),
]


class LedgersView(APIView):
    """The parties whose ledger the caller may read."""

    @extend_schema(operation_id="ledgers", responses=LedgerPartySerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's own first."""
        parties = statements.ledgers_of(caller(request))
        return Response(LedgerPartySerializer(parties, many=True).data)


class LedgerView(APIView):
    """Every entry about a party's money."""

    @extend_schema(
        operation_id="ledger", parameters=[AFTER, *LEDGER_FILTERS], responses=LedgerPageSerializer
    )
    def get(self, request: Request, ref: str) -> Response:
        """Newest first."""
        party, wanted = _ledger(request, ref)
        page = statements.page(party, wanted, after=request.query_params.get("after", ""))
        shown = {"results": page.lines, "after": page.after}
        return Response(LedgerPageSerializer(shown).data)


class LedgerCsvView(APIView):
    """The same for a spreadsheet."""

    @extend_schema(
        operation_id="ledger_csv",
        parameters=LEDGER_FILTERS,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        """All of it, oldest first."""
        party, wanted = _ledger(request, ref)
        return HttpResponse(
            exports.ledger_csv(statements.everything(party, wanted)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="ledger-{ref}.csv"'},
        )


class StatementsView(APIView):
    """The months and years in which a party's money moved."""

    @extend_schema(operation_id="statements", responses=PeriodSerializer(many=True))
    def get(self, request: Request, ref: str) -> Response:
        """Newest first, a year before its months."""
        party = statements.ledger_to_read(caller(request), ref)
        return Response(PeriodSerializer(periods.periods_of(party), many=True).data)


class StatementView(APIView):
    """A month or a year of a party's money."""

    @extend_schema(operation_id="statement", responses=StatementSerializer)
    def get(self, request: Request, ref: str, period: str) -> Response:
        """Sums from the ledger, and what was earned and paid in."""
        party = statements.ledger_to_read(caller(request), ref)
        found = periods.statement(party, periods.Period.named(period))
        return Response(StatementSerializer(found).data)


def _ledger(request: Request, ref: str) -> tuple[Party, statements.Wanted]:
    """The party and what is asked for of its ledger."""
    party = statements.ledger_to_read(caller(request), ref)
    kinds = statements.overview(party).kinds
    form = LedgerFilterForm(request.query_params, kinds=[(kind, kind) for kind in kinds])
    if not form.is_valid():
        raise serializers.ValidationError(
            {field: [str(error) for error in errors] for field, errors in form.errors.items()}
        )
    return party, statements.Wanted(**form.cleaned_data)


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
