"""The cardholder's bank: disputes, their money and fees, warnings, and money taken back."""

import pytest

from marketplace.core.money import Money
from payments import gateway
from tests.stripe_sandbox import AUTHENTICATED_CARD

EUR_100 = Money(100_00, "EUR")


def events_of(stripe_sandbox):
    return [webhook.type for webhook in stripe_sandbox.drain()]


def nets(dispute):
    return [moved.net for moved in dispute.movements]


@pytest.fixture
def disputed(stripe_sandbox, paid_charge):
    """A charge and the dispute about it."""
    charge = paid_charge(EUR_100)
    stripe_sandbox.drain()
    return charge, stripe_sandbox.charge_back(charge.id)


def test_a_dispute_takes_its_amount_and_a_fee_at_once(stripe_sandbox, disputed):
    charge, dispute_id = disputed
    dispute = gateway.retrieve_dispute(dispute_id)
    assert (dispute.status, dispute.charge, dispute.amount) == (
        "needs_response",
        charge.id,
        100_00,
    )
    assert [(m.amount, m.fee, m.source) for m in dispute.movements] == [
        (-100_00, 15_00, dispute_id)
    ]
    assert gateway.balance() == {"EUR": 98_25 - 115_00}
    assert gateway.retrieve_charge(charge.id).disputed
    assert events_of(stripe_sandbox) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]


def test_evidence_is_staged_then_submitted_once_and_answering_costs_a_fee(stripe_sandbox, disputed):
    _charge, dispute_id = disputed
    said = {"uncategorized_text": "Delivered on 3 May", "customer_name": "Kim"}
    staged = gateway.submit_evidence(dispute_id, key="stage", evidence=said, submit=False)
    assert (staged.status, staged.has_evidence, staged.submissions) == ("needs_response", True, 0)
    sent = gateway.submit_evidence(dispute_id, key="send", evidence={}, submit=True)
    assert (sent.status, sent.submissions) == ("under_review", 1)
    assert nets(sent) == [-115_00, -15_00]
    with pytest.raises(gateway.Refused, match="submitted already"):
        gateway.submit_evidence(dispute_id, key="again", evidence=said, submit=True)


@pytest.mark.parametrize(("answers", "back"), [(True, 115_00), (False, 100_00)])
def test_a_win_gives_back_the_amount_and_only_the_fee_for_answering(
    stripe_sandbox, disputed, answers, back
):
    _charge, dispute_id = disputed
    if answers:
        said = {"uncategorized_text": "Delivered"}
        gateway.submit_evidence(dispute_id, key="send", evidence=said, submit=True)
    stripe_sandbox.drain()
    stripe_sandbox.end_dispute(dispute_id, won=True)
    dispute = gateway.retrieve_dispute(dispute_id)
    assert dispute.status == "won"
    assert nets(dispute)[-1] == back
    assert events_of(stripe_sandbox) == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]


def test_a_loss_moves_nothing_more_and_an_appeal_opens_it_again(stripe_sandbox, disputed):
    _charge, dispute_id = disputed
    stripe_sandbox.end_dispute(dispute_id, won=False)
    lost = gateway.retrieve_dispute(dispute_id)
    assert (lost.status, nets(lost)) == ("lost", [-115_00])
    with pytest.raises(gateway.Refused, match="closed"):
        gateway.submit_evidence(dispute_id, key="late", evidence={}, submit=False)
    stripe_sandbox.appeal(dispute_id)
    assert gateway.retrieve_dispute(dispute_id).status == "appeal_needs_response"
    stripe_sandbox.end_dispute(dispute_id, won=True)
    assert nets(gateway.retrieve_dispute(dispute_id)) == [-115_00, 100_00]


def test_an_inquiry_takes_no_money_until_it_becomes_a_dispute(stripe_sandbox, paid_charge):
    charge = paid_charge(EUR_100)
    dispute_id = stripe_sandbox.charge_back(charge.id, inquiry=True)
    asked = gateway.retrieve_dispute(dispute_id)
    assert (asked.status, asked.movements) == ("warning_needs_response", ())
    stripe_sandbox.escalate(dispute_id)
    taken = gateway.retrieve_dispute(dispute_id)
    assert (taken.status, nets(taken)) == ("needs_response", [-115_00])


def test_evidence_after_its_time_is_refused(stripe_sandbox, disputed):
    stripe_sandbox.move_clock(11 * 24 * 3600)
    with pytest.raises(gateway.Refused, match="is over"):
        gateway.submit_evidence(
            disputed[1], key="late", evidence={"uncategorized_text": "x"}, submit=True
        )


def test_a_disputed_charge_cannot_be_refunded(disputed, refund):
    with pytest.raises(gateway.Refused) as refused:
        refund(disputed[0], EUR_100)
    assert refused.value.code == "charge_disputed"


def test_a_warning_names_its_charge(stripe_sandbox, paid_charge):
    charge = paid_charge(EUR_100)
    stripe_sandbox.drain()
    warning = gateway.retrieve_fraud_warning(stripe_sandbox.warn_of_fraud(charge.id))
    assert (warning.charge, warning.actionable) == (charge.id, True)
    assert events_of(stripe_sandbox) == ["radar.early_fraud_warning.created"]


def test_a_card_that_proves_its_holder_is_seen_as_such(paid_charge):
    assert not paid_charge(EUR_100).authenticated
    assert paid_charge(EUR_100, card=AUTHENTICATED_CARD).authenticated


def test_a_transfer_is_reversed_in_parts_up_to_what_the_account_still_has(
    stripe_sandbox, paid_charge, transfer, payee
):
    sent = transfer(paid_charge(EUR_100), Money(90_00, "EUR"))
    stripe_sandbox.pay_out_of(payee, Money(30_00, "EUR"))
    assert gateway.balance(account=payee) == {"EUR": 60_00}

    def reverse(minor, command):
        return gateway.reverse_transfer(
            key=command,
            transfer=sent.id,
            amount=Money(minor, "EUR"),
            metadata={"command": command},
        )

    with pytest.raises(gateway.Refused) as refused:
        reverse(60_01, "too-much")
    assert refused.value.code == "balance_insufficient"
    made = reverse(20_00, "part")
    assert (made.transfer, made.amount) == (sent.id, 20_00)
    assert reverse(40_00, "rest").amount == 40_00
    assert gateway.find_reversal(transfer=sent.id, command_id="part") == made
    assert gateway.find_reversal(transfer=sent.id, command_id="other") is None
    assert "transfer.reversed" in events_of(stripe_sandbox)
