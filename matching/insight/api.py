"""What the market's past tells, as JSON: the same figures and words as on the pages."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import hiring_party, profile_to_edit
from marketplace.core.api import Throttle, costs, idempotent
from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money, exponent
from matching.insight.selectors import gaps, market, prices
from matching.insight.selectors.market import USUAL_WINDOW, WINDOWS
from matching.insight.selectors.nights import counted_until
from matching.insight.selectors.outlook import outlook_of
from matching.insight.selectors.prices import PriceHint
from matching.insight.services import gaps as gap_services
from matching.skill_services import known_skills
from payments.api.parts import AFTER, AmountField, caller
from projects.selectors.contracts import contract_to_read
from projects.services.wanted import MOST_SKILLS

if TYPE_CHECKING:
    Serializer = serializers.Serializer[Any]
else:
    Serializer = serializers.Serializer

LONGEST_TITLE = 120
LEVELS = "calm, talk or trouble"
AMOUNT = OpenApiParameter("amount", str, description='To be placed in the range, like "1200.50".')
SKILL = OpenApiParameter("skill", str, many=True, required=True, description="Names of skills.")
CURRENCY = OpenApiParameter("currency", str, description="Your own when it is left out.")
TITLE = OpenApiParameter("title", str, description="Words that make one work nearer than another.")
MONTHS = OpenApiParameter("months", int, enum=list(WINDOWS), default=USUAL_WINDOW)


class SkillShape(Serializer):
    name = serializers.CharField()
    slug = serializers.CharField()


# --- Prices ---------------------------------------------------------------------------------


class RangeShape(Serializer):
    """The middle half of what similar work came to. Advice: no price has to lie in it."""

    low = AmountField(help_text="A quarter of the contracts came to less.")
    median = AmountField()
    high = AmountField(help_text="A quarter of the contracts came to more.")
    median_from = AmountField(help_text="The median of all such work lies from here …")
    median_to = AmountField(help_text="… to here, as surely as `sure` says.")
    sure = serializers.IntegerField(source="range.sure", help_text="Percent, at least.")
    contracts = serializers.IntegerField(
        source="range.contracts", help_text="So many or more: in bands, never the exact number."
    )
    clients = serializers.IntegerField(source="range.clients", help_text="So many or more.")
    freelancers = serializers.IntegerField(source="range.freelancers", help_text="So many or more.")


class PriceHintShape(Serializer):
    """`range` is null while fewer than `needed` contracts, or too few people, may be counted."""

    currency = serializers.CharField()
    needed = serializers.IntegerField()
    skills = SkillShape(many=True)
    compared = SkillShape(
        many=True, help_text="Those of the skills that enough contracts asked for by themselves."
    )
    range = RangeShape(source="shown", allow_null=True)
    place = serializers.ChoiceField(
        ["below", "within", "above", ""], help_text="Where `amount` lies; empty without one."
    )
    counted_until = serializers.DateTimeField(allow_null=True)


class ProjectPriceRangeView(APIView):
    """What work like a project's came to."""

    permission_classes = [AllowAny]
    throttle_classes = [Throttle, costs("price_range")]

    @extend_schema(
        operation_id="project_price_range",
        parameters=[AMOUNT],
        responses=PriceHintShape,
        auth=[],
    )
    def get(self, request: Request, ref: str) -> Response:
        """For everybody, while the project takes bids; 404 before and after."""
        project = prices.project_with_prices(request.user, ref)
        return _price(prices.for_project(project), request)


class PriceRangeView(APIView):
    """What work with these skills came to."""

    throttle_classes = [Throttle, costs("price_range")]

    @extend_schema(
        operation_id="price_range",
        parameters=[SKILL, CURRENCY, TITLE, AMOUNT],
        responses=PriceHintShape,
    )
    def get(self, request: Request) -> Response:
        """Names nobody knows are left out; `skills` says which were found."""
        query = request.query_params
        skills = known_skills(query.getlist("skill")[:MOST_SKILLS])
        if not skills:
            raise InvalidInput(_("Name at least one skill we know"), field="skill")
        currency = query.get("currency") or hiring_party(caller(request)).currency
        try:
            exponent(currency)
        except InvalidAmount as error:
            raise InvalidInput(str(error), field="currency") from error
        title = query.get("title", "")[:LONGEST_TITLE]
        return _price(prices.for_work(skills, title=title, currency=currency), request)


def _price(hint: PriceHint, request: Request) -> Response:
    place = ""
    if typed := request.query_params.get("amount", ""):
        try:
            place = hint.place_of(Money.parse(typed, hint.currency))
        except InvalidAmount as error:
            raise InvalidInput(str(error), field="amount") from error
    shown = {
        "currency": hint.currency,
        "needed": hint.needed,
        "skills": hint.skills,
        "compared": hint.compared,
        "shown": hint if hint.range else None,
        "place": place,
        "counted_until": counted_until(),
    }
    return Response(PriceHintShape(shown).data)


# --- The outlook of a contract --------------------------------------------------------------


class CauseShape(Serializer):
    """A summand of the two sums, in words, with what would help."""

    code = serializers.CharField(source="rule.code")
    milestone = serializers.IntegerField(source="number", allow_null=True)
    cause = serializers.CharField(source="text")
    remedy = serializers.CharField()
    delay_points = serializers.IntegerField(source="rule.delay")
    dispute_points = serializers.IntegerField(source="rule.dispute")


class OutlookShape(Serializer):
    """Sums of published points, no probabilities. Both sides get the same; nothing acts on it."""

    running = serializers.BooleanField(help_text="false: the contract is over, nothing is said.")
    delay_points = serializers.IntegerField(allow_null=True)
    delay = serializers.CharField(allow_null=True, help_text=LEVELS)
    dispute_points = serializers.IntegerField(allow_null=True)
    dispute = serializers.CharField(allow_null=True, help_text=LEVELS)
    causes = CauseShape(many=True)


class OutlookView(APIView):
    """What may go wrong with a contract."""

    @extend_schema(operation_id="contract_outlook", responses=OutlookShape)
    def get(self, request: Request, ref: str) -> Response:
        """For the people of its two sides."""
        found = outlook_of(contract_to_read(caller(request), ref))
        shown = {
            "running": found is not None,
            "delay_points": found and found.delay,
            "delay": found and found.delay_level,
            "dispute_points": found and found.dispute,
            "dispute": found and found.dispute_level,
            "causes": found.causes if found else [],
        }
        return Response(OutlookShape(shown).data)


# --- The market -----------------------------------------------------------------------------


class FiguresShape(Serializer):
    """null: fewer people than the site's floor stand behind the figure."""

    posted = serializers.IntegerField(allow_null=True)
    bids_per_project = serializers.DecimalField(8, 1, allow_null=True)
    hired_percent = serializers.IntegerField(allow_null=True)
    available = serializers.IntegerField(allow_null=True)


class SkillRowShape(Serializer):
    skill = SkillShape()
    figures = FiguresShape()


class MarketShape(Serializer):
    results = SkillRowShape(many=True, source="rows")
    after = serializers.CharField(allow_blank=True)
    people = serializers.IntegerField(help_text="The floor: fewer than these are not shown.")
    counted_until = serializers.DateTimeField(source="until", allow_null=True)


class MonthShape(Serializer):
    month = serializers.DateField(help_text="Its first day.")
    figures = FiguresShape()


class SkillMarketShape(Serializer):
    skill = SkillShape()
    year = FiguresShape()
    months = MonthShape(many=True)
    people = serializers.IntegerField(help_text="The floor: fewer than these are not shown.")
    counted_until = serializers.DateTimeField(source="until", allow_null=True)


class MarketView(APIView):
    """Demand and supply by skill over the last twelve months."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="market",
        parameters=[AFTER, OpenApiParameter("q", str, description="Part of the skill's name.")],
        responses=MarketShape,
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """The most asked first."""
        query = request.query_params
        page = market.market(name=query.get("q", ""), after=query.get("after", ""))
        return Response(MarketShape(page).data)


class MarketSkillView(APIView):
    """One skill, month by month."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="market_skill", parameters=[MONTHS], responses=SkillMarketShape, auth=[]
    )
    def get(self, request: Request, slug: str) -> Response:
        """The oldest month first."""
        asked = request.query_params.get("months", str(USUAL_WINDOW))
        months = next((each for each in WINDOWS if str(each) == asked), None)
        if months is None:
            raise InvalidInput(
                _("Ask for one of these: %(months)s")
                % {"months": ", ".join(str(each) for each in WINDOWS)},
                field="months",
            )
        return Response(SkillMarketShape(market.skill_market(slug, months=months)).data)


# --- Skills worth learning ------------------------------------------------------------------


class EvidenceShape(Serializer):
    """Of the `asked` projects that ask for `skill`, `together` ask for the suggested one too."""

    skill = SkillShape()
    together = serializers.IntegerField()
    asked = serializers.IntegerField()


class GapShape(Serializer):
    skill = SkillShape()
    evidence = EvidenceShape(many=True)
    trend = serializers.ChoiceField(["rising", "steady", "falling", ""])


class GapsShape(Serializer):
    results = GapShape(many=True, source="found")
    dismissed = SkillShape(many=True)
    counted_until = serializers.DateTimeField(source="until", allow_null=True)


class GapsView(APIView):
    """Skills asked for together with those of the caller."""

    @extend_schema(operation_id="skill_gaps", responses=GapsShape)
    def get(self, request: Request) -> Response:
        """The strongest first. Nothing is added to the profile."""
        return _gaps(request)


class DismissView(APIView):
    """A suggestion the caller does not want."""

    @extend_schema(operation_id="dismiss_skill", request=None, responses=GapsShape)
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """It is not made again."""
        skill = market.listed_skill(slug)
        user = caller(request)
        gap_services.dismiss(profile_to_edit(user), by=user, skill=skill)
        return _gaps(request)


class RestoreView(APIView):
    """A dismissed suggestion the caller wants after all."""

    @extend_schema(operation_id="restore_skill", request=None, responses=GapsShape)
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """It may be made again."""
        skill = market.listed_skill(slug)
        user = caller(request)
        gap_services.restore(profile_to_edit(user), by=user, skill=skill)
        return _gaps(request)


def _gaps(request: Request) -> Response:
    return Response(GapsShape(gaps.gaps_of(profile_to_edit(caller(request)))).data)
