"""The shapes of contracts in JSON: what comes in, what goes out. No rules live here."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payments.api.parts import AmountField

if TYPE_CHECKING:
    Serializer = serializers.Serializer[Any]
else:
    Serializer = serializers.Serializer

# --- Out ------------------------------------------------------------------------------------


class PartyShape(Serializer):
    """One side, as the other knows it."""

    ref = serializers.CharField()
    name = serializers.CharField()


class MoneyPartShape(Serializer):
    """A part of an amount and where it is: the states of the money bar."""

    state = serializers.CharField()
    amount = AmountField(source="money")


class ProposalShape(Serializer):
    """An open proposal: a new due date or a lower amount."""

    ref = serializers.CharField()
    kind = serializers.CharField()
    mine = serializers.BooleanField()
    due_on = serializers.DateField(allow_null=True)
    amount = AmountField(allow_null=True)
    carry = serializers.BooleanField()
    answer_due_at = serializers.DateTimeField()


class BonusRowShape(Serializer):
    """A bonus that was paid."""

    ref = serializers.CharField(source="bonus.ref")
    amount = AmountField()
    note = serializers.CharField(source="bonus.note")
    paid_at = serializers.DateTimeField(source="bonus.hold.held_at")
    available_at = serializers.DateTimeField(source="money.available_at", allow_null=True)
    paid_out = serializers.BooleanField(source="money.paid_out")


class ChangeOrderShape(Serializer):
    """An extra round of changes, or extra work, and how far it has come."""

    ref = serializers.CharField()
    status = serializers.CharField()
    kind = serializers.CharField()
    side = serializers.CharField()
    about = serializers.IntegerField(source="about.position", allow_null=True, default=None)
    milestone = serializers.IntegerField(source="milestone.position", allow_null=True, default=None)
    title = serializers.CharField()
    body = serializers.CharField()
    amount = AmountField(allow_null=True)
    days = serializers.IntegerField(allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    answer_due_at = serializers.DateTimeField(source="due_at")
    ended_at = serializers.DateTimeField(allow_null=True)


class StepShape(Serializer):
    """A milestone and where its money is."""

    number = serializers.IntegerField()
    ref = serializers.CharField(source="milestone.ref")
    title = serializers.CharField()
    amount = AmountField(source="money")
    status = serializers.CharField()
    due_on = serializers.DateField(source="milestone.due_on", allow_null=True)
    review_due_at = serializers.DateTimeField(source="milestone.review_due_at", allow_null=True)
    late_at = serializers.DateTimeField(source="milestone.late_at", allow_null=True)
    very_late_at = serializers.DateTimeField(source="milestone.very_late_at", allow_null=True)
    dormant = serializers.CharField(source="milestone.dormant", allow_blank=True)
    dormant_due_at = serializers.DateTimeField(source="milestone.dormant_due_at", allow_null=True)
    custody_ends_at = serializers.DateTimeField(source="milestone.custody_ends_at", allow_null=True)
    available_at = serializers.DateTimeField(allow_null=True)
    proposals = ProposalShape(many=True)
    changes_asked = serializers.IntegerField(source="milestone.changes_asked")
    round = serializers.SerializerMethodField()
    dispute = serializers.SerializerMethodField()
    money = MoneyPartShape(source="segments", many=True)

    @extend_schema_field(int)
    def get_round(self, step: Any) -> int:
        """How often it was delivered."""
        return int(step.delivery["round"]) if step.delivery else 0

    @extend_schema_field(str)
    def get_dispute(self, step: Any) -> str:
        """The ref of its newest dispute, or nothing."""
        dispute = vars(step.milestone).get("disputed")
        return str(dispute["ref"]) if dispute else ""


class ContractRowShape(Serializer):
    """A contract in a list."""

    ref = serializers.CharField(source="seat.contract.ref")
    title = serializers.CharField(source="seat.contract.title")
    status = serializers.CharField(source="seat.contract.status")
    side = serializers.CharField(source="seat.side")
    other = PartyShape(source="seat.other")
    price = AmountField(source="seat.contract.price")
    currency = serializers.CharField(source="seat.contract.currency")
    unread = serializers.IntegerField(source="seat.unread")
    milestones_done = serializers.IntegerField(source="done")
    milestones = serializers.IntegerField(source="all")
    money = MoneyPartShape(source="segments", many=True)


class ContractShape(Serializer):
    """A contract with its milestones, from the caller's side."""

    ref = serializers.CharField(source="seat.contract.ref")
    title = serializers.CharField(source="seat.contract.title")
    status = serializers.CharField(source="seat.contract.status")
    side = serializers.CharField(source="seat.side")
    client = PartyShape(source="seat.contract.client")
    freelancer = PartyShape(source="seat.contract.freelancer")
    price = AmountField(source="seat.contract.price")
    currency = serializers.CharField(source="seat.contract.currency")
    review_days = serializers.IntegerField(source="seat.contract.review_days")
    change_rounds = serializers.IntegerField(source="seat.contract.change_rounds")
    terms_sha256 = serializers.CharField(source="seat.contract.terms_sha256")
    created_at = serializers.DateTimeField(source="seat.contract.created_at")
    ended_at = serializers.DateTimeField(source="seat.contract.ended_at", allow_null=True)
    milestones = StepShape(source="steps", many=True)
    bonuses = BonusRowShape(many=True)
    change_order = ChangeOrderShape(source="order", allow_null=True)


class ContractPageShape(Serializer):
    """Contracts, newest first; `after` is empty on the last page."""

    results = ContractRowShape(many=True)
    after = serializers.CharField(allow_blank=True)


class CheckoutShape(Serializer):
    """Where the client pays; no address while Stripe does not answer."""

    milestone = serializers.IntegerField()
    status = serializers.CharField()
    checkout_url = serializers.CharField(allow_null=True)


class JointCheckoutShape(Serializer):
    """Where the client pays for several milestones at once; fees are in the total."""

    milestones = serializers.ListField(child=serializers.IntegerField())
    total = AmountField(allow_null=True)
    status = serializers.CharField()
    checkout_url = serializers.CharField(allow_null=True)


class FileShape(Serializer):
    """A file; its content is at its address, for the people who may read it."""

    name = serializers.CharField()
    size = serializers.IntegerField()
    url = serializers.CharField(allow_blank=True)


class MessageShape(Serializer):
    """A message of the thread."""

    sent_at = serializers.DateTimeField()
    author = serializers.CharField(source="author.name")
    mine = serializers.BooleanField()
    body = serializers.CharField()
    files = FileShape(many=True)


class ThreadShape(Serializer):
    """The newest part of a thread, oldest first; `before` leads to the part before."""

    results = MessageShape(many=True)
    before = serializers.CharField(allow_blank=True)


class StatementShape(Serializer):
    """What a side says, and what split it proposes."""

    ref = serializers.CharField(source="statement.ref")
    side = serializers.CharField()
    body = serializers.CharField(source="statement.body")
    to_freelancer = AmountField(source="statement.to_freelancer", allow_null=True)
    made_at = serializers.DateTimeField(source="statement.made_at")
    files = FileShape(many=True)


class OutcomeShape(Serializer):
    """How the paused money was split, and why."""

    to_freelancer = AmountField()
    to_client = AmountField()
    by = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)


class DisputeShape(Serializer):
    """A dispute from the caller's side."""

    ref = serializers.CharField(source="dispute.ref")
    status = serializers.CharField(source="dispute.status")
    reason = serializers.CharField(source="dispute.reason")
    contract = serializers.CharField(source="seat.contract.ref")
    milestone = serializers.IntegerField(source="milestone.position")
    opened_by_me = serializers.BooleanField()
    paused = AmountField(source="dispute.paused")
    currency = serializers.CharField(source="dispute.currency")
    opened_at = serializers.DateTimeField(source="dispute.opened_at")
    answer_due_at = serializers.DateTimeField(source="dispute.answer_due_at")
    decide_due_at = serializers.DateTimeField(source="dispute.decide_due_at")
    statements = StatementShape(source="said", many=True)
    outcome = OutcomeShape(allow_null=True)


class ReviewShape(Serializer):
    """A review; the other side's only once it is published."""

    ref = serializers.CharField()
    stars_work = serializers.IntegerField()
    stars_communication = serializers.IntegerField()
    stars_fairness = serializers.IntegerField()
    text = serializers.CharField()
    reply = serializers.CharField(allow_blank=True)
    written_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)


class ReviewsShape(Serializer):
    """Both reviews of a contract, as the caller may see them."""

    own = ReviewShape(allow_null=True)
    other = ReviewShape(allow_null=True)


# --- In -------------------------------------------------------------------------------------


class DeliverShape(Serializer):
    """Work handed over."""

    note = serializers.CharField(max_length=4000)
    link = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class ChangesShape(Serializer):
    """What should change."""

    points = serializers.CharField(max_length=4000)


class ApproveShape(Serializer):
    """Which delivery the client looked at."""

    round = serializers.IntegerField(min_value=1)


class CallOffShape(Serializer):
    """Why the client wants to call it off; not needed when they may do it alone."""

    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class AskToEndShape(Serializer):
    """Why the client wants to end the contract."""

    reason = serializers.CharField(max_length=2000)


class ExtendShape(Serializer):
    """A new due date, and why."""

    due_on = serializers.DateField()
    reason = serializers.CharField(max_length=2000)


class ReleasePartShape(Serializer):
    """A lower amount for the freelancer, before the fee, and why."""

    amount = serializers.CharField(max_length=20)
    reason = serializers.CharField(max_length=2000)
    carry = serializers.BooleanField(
        required=False, default=False, help_text="Hold the rest for the next milestone"
    )


class WantRoundShape(Serializer):
    """What should change beyond the included rounds."""

    points = serializers.CharField(max_length=4000)


class OfferWorkShape(Serializer):
    """Extra work: what is added, for how much, until when."""

    title = serializers.CharField(max_length=120)
    body = serializers.CharField(max_length=4000)
    amount = serializers.CharField(max_length=20)
    due_on = serializers.DateField()


class PriceOrderShape(Serializer):
    """What an extra round costs and how many days it takes once paid; `null` for no extra pay."""

    amount = serializers.CharField(max_length=20, allow_null=True)
    days = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)


class AnswerShape(Serializer):
    """Whether the proposal is accepted; `null` takes one's own back."""

    accept = serializers.BooleanField(allow_null=True)


class AnswerProposalShape(AnswerShape):
    """The same; a client may take a rest back that would be held for the next milestone."""

    take_rest_back = serializers.BooleanField(required=False, default=False)


class GiveBonusShape(Serializer):
    """Money on top."""

    amount = serializers.CharField(max_length=20)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class DormantAnswerShape(Serializer):
    """What shall become of money nobody did anything about."""

    answer = serializers.ChoiceField(choices=["go-on", "ask", "pay", "decline"])


class GiveBackShape(Serializer):
    """How much of the amount goes back, before the fees, and what of it was left when that was
    decided: asked again after it went back, the answer is a conflict and nothing moves twice.
    """

    amount = serializers.CharField(max_length=20)
    left = serializers.CharField(max_length=20)


class GivenBackShape(Serializer):
    """What came of giving money back: done, collecting, refused or overtaken."""

    ref = serializers.CharField()
    status = serializers.CharField()
    amount = AmountField()
    from_freelancer = AmountField(source="from_payee")
    fees = AmountField()
    to_client = AmountField(source="to_payer")
    currency = serializers.CharField()


class BonusCheckoutShape(Serializer):
    """Where the client pays the bonus; no address while Stripe does not answer."""

    checkout_url = serializers.CharField(allow_null=True)


class SendShape(Serializer):
    """A message."""

    body = serializers.CharField(max_length=4000)


class OpenDisputeShape(Serializer):
    """What is wrong, and how much of the held amount the freelancer would fairly get."""

    reason = serializers.CharField(max_length=16)
    body = serializers.CharField(max_length=6000)
    to_freelancer = serializers.CharField(max_length=20)


class AddStatementShape(Serializer):
    """An explanation, with or without a new proposal."""

    body = serializers.CharField(max_length=6000)
    to_freelancer = serializers.CharField(max_length=20, required=False, default="")


class SettleShape(Serializer):
    """The ref of the statement whose proposal is accepted."""

    seen = serializers.CharField(max_length=10)


class WriteReviewShape(Serializer):
    """A review of the other side."""

    stars_work = serializers.IntegerField(min_value=1, max_value=5)
    stars_communication = serializers.IntegerField(min_value=1, max_value=5)
    stars_fairness = serializers.IntegerField(min_value=1, max_value=5)
    text = serializers.CharField(max_length=2000)
    private_note = serializers.CharField(
        max_length=2000, required=False, default="", allow_blank=True
    )


class NothingShape(Serializer):
    """No body."""
