"""The shapes of projects and bids in JSON. No rules live here."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money
from payments.api.parts import AmountField
from projects.api.shapes import FileShape, PartyShape
from projects.models import Bid, Project
from projects.models.projects import AiPolicy
from projects.selectors.browsing import SORTS

if TYPE_CHECKING:
    Serializer = serializers.Serializer[Any]
    Field = serializers.Field[Any, Any, Any, Any]
else:
    Serializer = serializers.Serializer
    Field = serializers.Field


@extend_schema_field({"type": "string", "example": "1200.50"})
class AmountIn(Field):
    """An amount in canonical text. A JSON number would have two readings."""

    default_error_messages = {"text": _('Write the amount as text, like "1200.50"')}

    def to_internal_value(self, data: Any) -> str:
        """The text; `amount_of` reads it once the currency is known."""
        if not isinstance(data, str):
            self.fail("text")
        return str(data)


def amount_of(text: str, currency: str, field: str) -> Money:
    """The amount; raises InvalidInput at `field`."""
    try:
        return Money.parse(text, currency)
    except InvalidAmount as error:
        raise InvalidInput(str(error), field=field) from error


# --- Out ------------------------------------------------------------------------------------


class ProjectRowShape(Serializer):
    """A project in a list."""

    ref = serializers.CharField()
    url = serializers.CharField(source="get_absolute_url")
    title = serializers.CharField()
    status = serializers.CharField()
    client = PartyShape()
    budget_min = AmountField(allow_null=True)
    budget_max = AmountField(allow_null=True)
    currency = serializers.CharField()
    deliver_by = serializers.DateField(allow_null=True)
    ai_policy = serializers.CharField()
    skills = serializers.SerializerMethodField()
    bids_count = serializers.IntegerField()
    published_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_skills(self, project: Project) -> list[str]:
        """Names of the skills asked for."""
        return [skill.name for skill in project.skills.all()]


class ProjectPageShape(Serializer):
    """Open projects; `after` is empty on the last page, `count` is exact up to 2,000."""

    results = ProjectRowShape(many=True)
    after = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class ClientFactsShape(Serializer):
    """What is true of the client's past here."""

    rating = serializers.FloatField(allow_null=True)
    reviews = serializers.IntegerField()
    hires = serializers.IntegerField()
    paid = AmountField()
    bids_answered = serializers.IntegerField()
    bids_ended = serializers.IntegerField()
    disputes = serializers.IntegerField()


class ProjectShape(ProjectRowShape):
    """One project. `own_bid` is the ref of the caller's bid, or empty."""

    description = serializers.CharField()
    content_language = serializers.CharField()
    files = FileShape(many=True, source="shown_files")
    own_bid = serializers.CharField(source="own_bid_ref", allow_null=True)
    facts = ClientFactsShape(source="shown_facts")


class ProposedStepShape(Serializer):
    """A milestone the freelancer proposes."""

    title = serializers.CharField()
    amount = AmountField()
    days = serializers.IntegerField()


class BidRowShape(Serializer):
    """A bid in a list, for its two sides only."""

    ref = serializers.CharField()
    project = serializers.CharField(source="project.ref")
    freelancer = PartyShape()
    status = serializers.CharField()
    price = AmountField()
    currency = serializers.CharField()
    days = serializers.IntegerField()
    message = serializers.CharField()
    ai_use = serializers.CharField()
    version = serializers.IntegerField()
    sent_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    why_not = serializers.CharField(allow_blank=True)


class BidShape(BidRowShape):
    """One bid with its milestones and, once accepted, the ref of its contract."""

    milestones = ProposedStepShape(many=True, source="shown_steps")
    contract = serializers.CharField(source="contract_ref", allow_null=True)


class BidPageShape(Serializer):
    """Bids, newest first; `after` is empty on the last page."""

    results = BidRowShape(many=True)
    after = serializers.CharField(allow_blank=True)


class HiredShape(Serializer):
    """The contract that was drawn up."""

    contract = serializers.CharField()


# --- In -------------------------------------------------------------------------------------


class BrowseShape(Serializer):
    """The filters of the list."""

    q = serializers.CharField(required=False, default="", max_length=200, allow_blank=True)
    skill = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, default=list, max_length=10
    )
    min = AmountIn(required=False)
    max = AmountIn(required=False)
    currency = serializers.CharField(required=False, min_length=3, max_length=3)
    ai = serializers.ChoiceField(AiPolicy.choices, required=False, default="")
    sort = serializers.ChoiceField(SORTS, required=False, default="newest")
    after = serializers.CharField(required=False, default="", max_length=20, allow_blank=True)


class WantedShape(Serializer):
    """What a client asks for. Without a budget freelancers name their price."""

    title = serializers.CharField(max_length=400, allow_blank=True)
    description = serializers.CharField(max_length=20000, allow_blank=True)
    currency = serializers.CharField(required=False, min_length=3, max_length=3)
    budget_min = AmountIn(required=False, allow_null=True)
    budget_max = AmountIn(required=False, allow_null=True)
    deliver_by = serializers.DateField(required=False, allow_null=True)
    ai_policy = serializers.ChoiceField(AiPolicy.choices, required=False, default=AiPolicy.ASK)
    skills = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50)
    content_language = serializers.RegexField("^[a-z]{2}(-[a-z]{2,4})?$", required=False)


class StepIn(Serializer):
    """A proposed milestone."""

    title = serializers.CharField(max_length=120)
    amount = AmountIn()
    days = serializers.IntegerField(min_value=1, max_value=365)


class OfferShape(Serializer):
    """A bid, sent or changed."""

    price = AmountIn()
    days = serializers.IntegerField()
    message = serializers.CharField(max_length=4000)
    ai_use = serializers.ChoiceField(Bid.AiUse.choices)
    milestones = serializers.ListField(child=StepIn(), required=False, default=list, max_length=20)


class DeclineShape(Serializer):
    """Why not: `price`, `skills`, `timing`, or the client's own words."""

    reason = serializers.CharField(max_length=200)


class PlanIn(Serializer):
    """A milestone of the contract."""

    title = serializers.CharField(max_length=120)
    amount = AmountIn()
    due_on = serializers.DateField(required=False, allow_null=True, default=None)


class HireShape(Serializer):
    """The version of the bid the client looked at; without milestones those of the bid."""

    seen_version = serializers.IntegerField(min_value=1)
    milestones = serializers.ListField(child=PlanIn(), required=False, default=list, max_length=20)
