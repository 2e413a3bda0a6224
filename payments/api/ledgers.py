"""Every entry about a party's money, and its months and years."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Party
from marketplace.core.api import Throttle, costs
from payments.api.parts import AFTER, AmountField, caller
from payments.forms import LedgerFilterForm
from payments.selectors import periods, statements
from payments.services import exports


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

    throttle_classes = [Throttle, costs("export")]

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
