"""Disputes: the cardholder's bank takes a payment back, and somebody decides who keeps it."""

from payments.sandbox import balance
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.events import emit
from payments.sandbox.state import Body, public
from payments.sandbox.world import Call, World

# What a dispute costs whoever wins it, and what answering it costs unless it is won.
RECEIVED_FEE, COUNTERED_FEE = 1500, 1500
ANSWER_WITHIN = 10 * 24 * 3600
LONGEST_EVIDENCE = 150_000
ANSWERABLE = {
    "needs_response": "under_review",
    "warning_needs_response": "warning_under_review",
    "appeal_needs_response": "appeal_under_review",
}
OPEN = {*ANSWERABLE, *ANSWERABLE.values()}


def open_dispute(
    world: World, charge: Body, *, amount: int | None = None, inquiry: bool = False
) -> Body:
    """The bank questions a payment; unless it only asks, the money leaves our balance at once."""
    state = world.state
    details = {"card": {"brand": "visa", "case_type": "inquiry" if inquiry else "chargeback"}}
    dispute = state.create(
        "dispute",
        amount=amount or charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        evidence=_nothing_said(),
        evidence_details={
            "due_by": state.now() + ANSWER_WITHIN,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=inquiry,
        metadata={},
        network_reason_code="10.4",
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": "card",
            "card": details["card"] | {"network": "visa", "network_reason_code": "10.4"},
        },
        reason="fraudulent",
        status="warning_needs_response" if inquiry else "needs_response",
    )
    charge["disputed"] = True
    state.save(charge)
    emit(world, "charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(world, dispute)
    return dispute


def _nothing_said() -> Body:
    return {"enhanced_evidence": {}}


def _withdraw(world: World, dispute: Body) -> None:
    _move(world, dispute, -dispute["amount"], fee=RECEIVED_FEE)
    emit(world, "charge.dispute.funds_withdrawn", dispute)


def _move(world: World, dispute: Body, amount: int, *, fee: int) -> None:
    moved = balance.post(
        world, "adjustment", amount, dispute["currency"], source=dispute["id"], fee=fee
    )
    dispute["balance_transactions"].append(public(moved))
    world.state.save(dispute)


def update(call: Call) -> Body:
    """POST /v1/disputes/{dispute}: put evidence down, and with `submit` hand it to the bank."""
    world, params, dispute = call.world, call.params, call.object("dispute")
    if dispute["status"] not in OPEN:
        raise StripeRefusal("This dispute is already closed", code="dispute_closed")
    evidence = params.get("evidence") or {}
    details = dispute["evidence_details"]
    submits = params.get("submit", True) and (evidence or details["has_evidence"])
    if dispute["status"] not in ANSWERABLE:
        raise StripeRefusal("The evidence of this dispute has been submitted already.")
    if details["due_by"] < world.state.now():
        raise StripeRefusal("The time to submit evidence for this dispute is over.")
    if sum(len(text) for text in evidence.values() if isinstance(text, str)) > LONGEST_EVIDENCE:
        raise StripeRefusal("The combined character count of evidence is too large.")
    dispute["evidence"] |= evidence
    dispute["metadata"] |= params.get("metadata") or {}
    details["has_evidence"] = details["has_evidence"] or bool(evidence)
    if submits:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        was = dispute["status"]
        dispute["status"] = ANSWERABLE[was]
        if was == "needs_response":
            _move(world, dispute, 0, fee=COUNTERED_FEE)
    world.state.save(dispute)
    emit(world, "charge.dispute.updated", dispute)
    return dispute


def escalate(world: World, dispute: Body) -> None:
    """The bank was not content with an answer to its inquiry: now it takes the money."""
    dispute["status"] = "needs_response"
    dispute["is_charge_refundable"] = False
    emit(world, "charge.dispute.updated", dispute)
    _withdraw(world, dispute)


def decide(world: World, dispute: Body, *, won: bool) -> None:
    """The bank decides. On a win the money comes back, with the fee for answering, if any."""
    if dispute["status"].startswith("warning_"):
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = "won" if won else "lost"
        if won:
            answered = any(moved["amount"] == 0 for moved in dispute["balance_transactions"])
            _move(world, dispute, dispute["amount"], fee=-COUNTERED_FEE if answered else 0)
            emit(world, "charge.dispute.funds_reinstated", dispute)
    world.state.save(dispute)
    emit(world, "charge.dispute.closed", dispute)


def appeal(world: World, dispute: Body) -> None:
    """One side does not accept the outcome: it is open again, and a won sum is taken once more."""
    was_won = dispute["status"] == "won"
    dispute["status"] = "appeal_needs_response"
    dispute["evidence_details"]["due_by"] = world.state.now() + ANSWER_WITHIN
    world.state.save(dispute)
    emit(world, "charge.dispute.updated", dispute)
    if was_won:
        _move(world, dispute, -dispute["amount"], fee=0)
        emit(world, "charge.dispute.funds_withdrawn", dispute)


def disputed_amount(world: World, charge: Body) -> int:
    """What of a charge banks have taken back, or are about to decide on."""
    disputes = world.state.select("dispute", {"charge": charge["id"]})
    return sum(
        dispute["amount"]
        for dispute in disputes
        if dispute["status"] not in {"won", "prevented"}
        and not dispute["status"].startswith("warning_")
    )


def warn(world: World, charge: Body) -> Body:
    """The bank suspects fraud and says so before anybody disputes anything."""
    warning = world.state.create(
        "radar.early_fraud_warning",
        actionable=not charge.get("refunded") and not charge.get("disputed"),
        charge=charge["id"],
        fraud_type="unauthorized_use_of_card",
        payment_intent=charge["payment_intent"],
    )
    emit(world, "radar.early_fraud_warning.created", warning)
    return warning
