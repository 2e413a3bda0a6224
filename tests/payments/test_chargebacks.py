"""Card disputes: held money is frozen, released money is recovered, and every cent is explained."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow, OutboxMessage
from marketplace.pages import proofs
from payments import gateway, ledger
from payments.models import (
    Chargeback,
    ChargebackMovement,
    FraudWarning,
    Hold,
    Journal,
    Refund,
    StripeEvent,
    Transfer,
    TransferReversal,
)
from payments.selectors import where_money_is
from payments.services import (
    chargebacks,
    due,
    evidence,
    freezing,
    holds,
    reconciliation,
    refunds,
    transfers,
    warnings,
)
from payments.services import funding as paying
from payments.services.verification import verify
from projects.services import approvals, disputes, ending, funding
from tests.factories import StaffFactory
from tests.payments.threads import together
from tests.payments.world import eur
from tests.projects.work import REASON, Work, moderator
from tests.stripe_sandbox import AUTHENTICATED_CARD

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)
NOTHING = eur("0.00")


@pytest.fixture
def work(stripe_sandbox):
    """A contract of €600, €1,100 and €700."""
    return Work.build(stripe_sandbox)


@pytest.fixture(autouse=True)
def _every_story_ends_with_clean_books(stripe_sandbox):
    """L5: the ledger is whole, the market tells the same story, and Stripe agrees to the cent."""
    yield
    assert [line for finding in verify() for line in finding.broken] == []
    assert proofs.broken_laws()[1] == []
    report = reconciliation.reconcile()
    assert report.differences == []
    assert all(there == here for there, here in report.balances.values())


def balance(name):
    return ledger.balance(name, "EUR")


def loss():
    return -balance(ledger.CHARGEBACK_LOSS)


def fees():
    return -balance(ledger.DISPUTE_FEES)


def owed(freelancer):
    return -balance(ledger.freelancer_receivable(freelancer.party))


def charge_of(hold):
    return hold.funding_parts.get(taken=True).funding.charge_id


def charge_back(where, hold, **how):
    """The bank disputes the payment behind the hold, and we hear of it."""
    dispute = where.stripe.charge_back(charge_of(hold), **how)
    read(dispute)
    return dispute


def decide(where, dispute, *, won):
    where.stripe.end_dispute(dispute, won=won)
    read(dispute)


def read(dispute):
    chargebacks.record(gateway.retrieve_dispute(dispute))


def top_up(where):
    """Put the operator's own money on the balance, and into the books."""
    where.stripe.add_money(eur("1000.00"))
    moved = next(iter(gateway.list_balance_transactions(since=reconciliation.BEGINNING)))
    assert moved.type == "adjustment"
    own = eur("1000.00")
    ledger.post(
        "top-up", "top_up", [(ledger.STRIPE_BALANCE, -own), (ledger.BANK, own)], ref=moved.id
    )


def fresh(hold):
    return Hold.objects.get(pk=hold.pk)


# --- C1: before release -----------------------------------------------------------------------


def test_c1_a_chargeback_before_release_freezes_the_money_and_a_release_is_refused(work):
    before = work.delivered(1)
    hold = before.hold
    charge_back(work, hold)

    step = work.step(1)
    assert (step.status, step.hold.status) == ("frozen", "frozen")
    assert (step.review_due_at, step.remind_at) == (None, None)
    assert balance(ledger.held(hold)) == balance(ledger.client_fee_held(hold)) == NOTHING
    assert fees() == eur("15.00")
    with pytest.raises(InvalidTransition):
        approvals.approve(step, by=work.client)
    for act in (holds.release, holds.refund):
        with pytest.raises(freezing.PaymentQuestioned, match="questions this card payment"):
            act(fresh(hold), by=work.client, basis="approval")
    with pytest.raises(freezing.PaymentQuestioned):
        holds.pause(fresh(hold), by=work.client)
    with time_machine.travel(clock.now() + 60 * DAY, tick=True):
        assert approvals.approve_due() == 0
    assert not Transfer.objects.exists()
    for person, page in ((work.client, work.as_client), (work.freelancer, work.as_freelancer)):
        assert person.notices.filter(kind="payment_questioned").count() == 1
        shown = page.get(work.contract.get_absolute_url()).content.decode()
        assert "€600.00 of “Step 1” is on hold" in shown
        assert "bank questions the card payment" in shown
    assert where_money_is([step.hold])[step.hold.pk].state == "frozen"


def test_c1_lost_it_is_written_off_against_the_hold_and_nobody_is_refunded_twice(work):
    hold = work.delivered(1).hold
    dispute = charge_back(work, hold)
    decide(work, dispute, won=False)

    step = work.step(1)
    assert (step.status, step.hold.status, step.hold.awarded_minor) == ("cancelled", "refunded", 0)
    assert (step.hold.basis, step.hold.basis_detail) == ("rule", f"C6:{dispute}")
    assert not Refund.objects.exists()
    assert loss() == NOTHING
    assert Chargeback.objects.get().status == "lost"
    assert work.client.notices.filter(kind="payment_taken_back").count() == 1
    assert work.freelancer.notices.filter(kind="payment_taken_back").count() == 1
    shown = work.as_freelancer.get(work.contract.get_absolute_url()).content.decode()
    assert "Paid back by Kim" in shown


def test_c1_won_the_money_is_restored_and_the_review_clock_runs_on(work):
    before = work.delivered(1)
    dispute = charge_back(work, before.hold)
    left = work.step(1).frozen_left
    later = clock.now() + 40 * DAY
    with time_machine.travel(later, tick=False):
        decide(work, dispute, won=True)

    step = work.step(1)
    assert (step.status, step.hold.status) == ("submitted", "held")
    assert step.review_due_at == later + dt.timedelta(seconds=left)
    assert step.remind_at > later
    assert balance(ledger.held(step.hold)) == eur("600.00")
    assert balance(ledger.client_fee_held(step.hold)) == step.hold.client_fee
    approvals.approve(step, by=work.client)
    assert work.step(1).status == "approved"


def test_c1_the_whole_story_told_at_once_and_afterwards_ends_the_same(work):
    hold = work.delivered(1).hold
    dispute = work.stripe.charge_back(charge_of(hold))
    work.stripe.end_dispute(dispute, won=False)
    read(dispute)
    assert work.step(1).status == "cancelled"
    assert fresh(hold).status == "refunded"
    assert Chargeback.objects.get().ended_at is not None


def test_an_inquiry_freezes_the_money_without_taking_it_and_closing_it_thaws(work):
    hold = work.delivered(1).hold
    dispute = charge_back(work, hold, inquiry=True)
    assert work.step(1).status == "frozen"
    assert balance(ledger.held(hold)) == eur("600.00")
    assert not ChargebackMovement.objects.exists()
    decide(work, dispute, won=True)
    assert Chargeback.objects.get().status == "warning_closed"
    assert (work.step(1).status, fresh(hold).status) == ("submitted", "held")


def test_an_inquiry_that_becomes_a_dispute_takes_the_money_then(work):
    hold = work.funded(1).hold
    dispute = charge_back(work, hold, inquiry=True)
    work.stripe.escalate(dispute)
    read(dispute)
    assert balance(ledger.held(hold)) == NOTHING
    decide(work, dispute, won=True)
    assert work.step(1).status == "funded"


def test_a_dispute_about_a_part_is_lost_and_the_rest_goes_back_by_the_card(work):
    top_up(work)
    hold = work.funded(1).hold
    dispute = charge_back(work, hold, amount=eur("200.00"))
    assert balance(ledger.held(hold)) == eur("400.00")
    decide(work, dispute, won=False)
    assert fresh(hold).status == "refunded"
    assert Refund.objects.get().amount == hold.client_pays - eur("200.00")
    assert Refund.objects.get().status == "succeeded"


# --- C2: after release, unprotected -----------------------------------------------------------


@pytest.fixture
def paid_out(market):
    """Released and in the freelancer's account, without proof of the cardholder."""
    market.account = market.connect()
    hold = market.held("100.00")
    holds.release(hold, by=market.client, basis="approval")
    assert Transfer.objects.get().status == "sent"
    return hold


def test_c2_after_payout_the_money_is_taken_back_from_the_freelancers_account(market, paid_out):
    charge_back(market, paid_out)

    reversal = TransferReversal.objects.get()
    assert (reversal.status, reversal.amount) == ("done", eur("92.00"))
    assert owed(market.freelancer) == NOTHING
    assert gateway.balance(account=market.account.stripe_id) == {"EUR": 0}
    # Our own fees of it are our loss.
    assert loss() == eur("11.00")
    assert fees() == eur("15.00")
    assert market.freelancer.notices.filter(kind="chargeback_owed").count() == 1
    assert market.client.notices.filter(kind="chargeback_opened").count() == 1


def test_c2_what_the_account_no_longer_has_is_owed_and_kept_from_later_earnings(market, paid_out):
    market.stripe.pay_out_of(market.account.stripe_id, eur("60.00"))
    dispute = charge_back(market, paid_out)
    decide(market, dispute, won=False)

    reversal = TransferReversal.objects.get()
    assert (reversal.status, reversal.amount, reversal.attempt) == ("done", eur("32.00"), 2)
    assert owed(market.freelancer) == eur("60.00")
    assert gateway.balance(account=market.account.stripe_id) == {"EUR": 0}

    # The next small job is kept whole, the one after that in part.
    small, large = market.held("50.00"), market.held("100.00")
    holds.release(small, by=market.client, basis="approval")
    kept = small.transfers.get()
    assert (kept.status, kept.set_off_minor) == ("set_off", 46_00)
    assert owed(market.freelancer) == eur("14.00")
    holds.release(large, by=market.client, basis="approval")
    sent = large.transfers.get()
    assert (sent.status, sent.to_send) == ("sent", eur("78.00"))
    assert owed(market.freelancer) == NOTHING
    assert gateway.balance(account=market.account.stripe_id) == {"EUR": 78_00}
    assert market.freelancer.notices.filter(kind="earnings_set_off").count() == 2


def test_c2_with_nothing_left_everything_is_owed_and_the_account_never_goes_below_zero(
    market, paid_out
):
    market.stripe.pay_out_of(market.account.stripe_id, eur("92.00"))
    charge_back(market, paid_out)
    assert TransferReversal.objects.get().status == "refused"
    assert owed(market.freelancer) == eur("92.00")
    assert gateway.balance(account=market.account.stripe_id) == {"EUR": 0}


def test_c2_a_win_gives_the_freelancer_back_what_was_collected(market, paid_out):
    dispute = charge_back(market, paid_out)
    decide(market, dispute, won=True)

    again = Transfer.objects.get(returns__isnull=False)
    assert (again.status, again.amount) == ("failed", eur("92.00"))
    assert again.failure == "balance_insufficient"
    assert balance(ledger.payable(market.freelancer.party)) == eur("92.00")
    assert owed(market.freelancer) == loss() == NOTHING
    # It comes from our own balance, which the fees have emptied.
    top_up(market)
    transfers.retry(again, by=StaffFactory())
    again.refresh_from_db()
    assert again.status == "sent"
    assert gateway.balance(account=market.account.stripe_id) == {"EUR": 92_00}


def test_c2_money_still_in_the_security_hold_is_set_off_when_it_ends(market):
    market.connect()
    hold = market.held("100.00")
    # As if the freelancer's account had not been ready.
    market.stripe.restrict(market.freelancer.party.payout_account.stripe_id)
    holds.release(hold, by=market.client, basis="approval")
    assert hold.transfers.get().status == "blocked"
    charge_back(market, hold)
    assert not TransferReversal.objects.exists()
    assert owed(market.freelancer) == eur("92.00")
    market.connect()
    due.run()
    assert hold.transfers.get().status == "set_off"
    assert owed(market.freelancer) == NOTHING


def test_c2_a_reversal_stripe_made_and_we_never_heard_of_is_one_reversal(market, paid_out):
    market.stripe.fail_next("drop_after", on="POST /v1/transfers/tr_", times=2)
    charge_back(market, paid_out)
    assert TransferReversal.objects.get().status == "requested"
    report = reconciliation.reconcile()
    assert report.differences == []
    assert len(report.under_way) == 1
    OutboxMessage.objects.filter(state="pending").update(due_at="2020-01-01T00:00Z")
    market.work()
    assert TransferReversal.objects.get().status == "done"
    reversals = [r for r in market.stripe.requests if r["path"].endswith("/reversals")]
    assert len({r["key"] for r in reversals if r["method"] == "POST"}) == 1


# --- C6 of the rules: protected work ----------------------------------------------------------


def test_protected_work_costs_the_reserve_and_not_the_freelancer(work):
    work.connect()
    work.funded(1, card=AUTHENTICATED_CARD)
    hold = work.approved(1).hold
    dispute = charge_back(work, hold)
    set_aside = eur("3.00")
    assert balance(ledger.CHARGEBACK_RESERVE) == set_aside - hold.client_pays
    assert owed(work.freelancer) == NOTHING
    assert not TransferReversal.objects.exists()
    assert not work.freelancer.notices.filter(kind="chargeback_owed").exists()
    decide(work, dispute, won=False)
    assert balance(ledger.CHARGEBACK_RESERVE) == set_aside - hold.client_pays
    assert loss() == NOTHING
    assert work.step(1).status == "approved"


def test_delivered_and_accepted_work_is_unprotected_when_the_cardholder_proved_nothing(work):
    work.connect()
    hold = work.approved(1).hold
    charge_back(work, hold)
    assert TransferReversal.objects.get().amount == eur("552.00")
    assert loss() == hold.client_pays - eur("552.00")


def test_proof_alone_does_not_protect_what_was_never_delivered(market):
    market.connect()
    hold = market.open("100.00")
    started = market.start(hold)
    market.stripe.pay(started.session_id, card=AUTHENTICATED_CARD)
    paying.confirm(started)
    hold.refresh_from_db()
    holds.release(hold, by=market.client, basis="approval")
    charge_back(market, hold)
    assert TransferReversal.objects.get().amount == eur("92.00")


# --- C4 ---------------------------------------------------------------------------------------


def test_c4_a_refund_of_a_charged_back_payment_is_refused_before_stripe_is_asked(work):
    hold = work.funded(1).hold
    dispute = charge_back(work, hold)
    with pytest.raises(freezing.PaymentQuestioned):
        holds.refund(fresh(hold), by=work.client, basis="settlement")
    with pytest.raises(InvalidTransition):
        ending.call_off(work.step(1), by=work.freelancer)
    decide(work, dispute, won=False)
    with pytest.raises(refunds.ChargedBack, match="pay it back twice"):
        refunds.draw_up(hold, hold.funding_parts.get().funding, eur("1.00"))
    assert not Refund.objects.exists()
    assert not [r for r in work.stripe.requests if r["path"] == "/v1/refunds"]


def test_c4_after_a_win_it_can_be_refunded(work):
    top_up(work)
    hold = work.funded(1).hold
    dispute = charge_back(work, hold)
    decide(work, dispute, won=True)
    ending.call_off(work.step(1), by=work.freelancer)
    assert work.step(1).status == "cancelled"
    assert Refund.objects.get().amount == hold.client_pays


# --- C6 of the acceptance list: fees ----------------------------------------------------------


@pytest.mark.parametrize(("answers", "won", "left"), [
    (True, True, "15.00"),
    (True, False, "30.00"),
    (False, True, "15.00"),
    (False, False, "15.00"),
])  # fmt: skip
def test_c6_the_fee_is_an_expense_and_only_the_one_for_answering_returns_on_a_win(
    work, answers, won, left
):
    dispute = charge_back(work, work.funded(1).hold)
    if answers:
        said = {"uncategorized_text": "Delivered"}
        gateway.submit_evidence(dispute, key="answer", evidence=said, submit=True)
        read(dispute)
        assert fees() == eur("30.00")
    decide(work, dispute, won=won)
    assert fees() == eur(left)


# --- C7: early fraud warnings -----------------------------------------------------------------


def warn(where, hold):
    warning = where.stripe.warn_of_fraud(charge_of(hold))
    warnings.record(gateway.retrieve_fraud_warning(warning))
    return FraudWarning.objects.get(stripe_id=warning)


def test_c7_a_fraud_warning_puts_an_unreleased_milestone_on_hold_until_staff_lift_it(work):
    before = work.delivered(1)
    warning = warn(work, before.hold)
    assert (work.step(1).status, work.step(1).hold.status) == ("frozen", "frozen")
    with pytest.raises(InvalidTransition):
        approvals.approve(work.step(1), by=work.client)
    with pytest.raises(NotAllowed):
        warnings.lift(warning, by=work.client, reason="They are a friend of mine, it is fine.")
    staff = StaffFactory()
    with pytest.raises(InvalidInput):
        warnings.lift(warning, by=staff, reason="fine")

    warnings.lift(warning, by=staff, reason="Called the client; the card is theirs.")
    warning.refresh_from_db()
    assert (warning.status, warning.lifted_by) == ("lifted", staff)
    step = work.step(1)
    assert (step.status, step.hold.status) == ("submitted", "held")
    assert abs(step.review_due_at - before.review_due_at) < dt.timedelta(minutes=1)
    with pytest.raises(InvalidTransition):
        warnings.lift(warning, by=staff, reason="Called the client; the card is theirs.")


def test_c7_a_warning_about_released_money_changes_nothing(work):
    work.connect()
    hold = work.approved(1).hold
    warn(work, hold)
    assert work.step(1).status == "approved"
    assert fresh(hold).status == "released"


def test_c7_the_dispute_overtakes_the_warning_and_lifting_cannot_thaw_it(work):
    hold = work.funded(1).hold
    warning = warn(work, hold)
    dispute = charge_back(work, hold)
    warning.refresh_from_db()
    assert warning.status == "overtaken"
    with pytest.raises(InvalidTransition):
        warnings.lift(warning, by=StaffFactory(), reason="Called the client; it is theirs.")
    assert fresh(hold).status == "frozen"
    decide(work, dispute, won=True)
    assert work.step(1).status == "funded"


# --- D5 ---------------------------------------------------------------------------------------


def test_d5_nobody_decides_settles_or_withdraws_a_dispute_while_the_bank_has_a_say(work):
    mine = work.disputed(1)
    work.answered(mine, "500.00")
    hold = work.step(1).hold
    dispute = charge_back(work, hold)
    assert (work.step(1).status, fresh(hold).status) == ("disputed", "frozen")
    for act in (
        lambda: disputes.decide(mine, by=moderator(), to_freelancer=eur("300.00"), reason=REASON),
        lambda: disputes.settle(mine, by=work.client),
        lambda: disputes.withdraw(mine, by=work.client),
    ):
        with pytest.raises(freezing.PaymentQuestioned):
            act()
        mine.refresh_from_db()
        assert mine.status == "open"

    decide(work, dispute, won=True)
    assert fresh(hold).status == "paused"
    assert balance(ledger.dispute_hold(hold)) == eur("600.00")
    work.connect()
    disputes.decide(mine, by=moderator(), to_freelancer=eur("300.00"), reason=REASON)
    assert work.step(1).status == "settled"


def test_d5_the_dispute_of_the_two_ends_when_the_bank_takes_the_money(work):
    mine = work.disputed(1)
    dispute = charge_back(work, work.step(1).hold)
    decide(work, dispute, won=False)
    mine.refresh_from_db()
    assert (mine.status, work.step(1).status) == ("overtaken", "cancelled")
    with pytest.raises(InvalidTransition):
        disputes.decide(mine, by=moderator(), to_freelancer=eur("300.00"), reason=REASON)


# --- News in any order ------------------------------------------------------------------------


def test_w4_the_news_of_a_dispute_may_come_reversed_doubled_and_before_its_payment(work):
    started = funding.fund_milestone(work.step(1), by=work.client)
    paying.checkout_url(started)
    work.stripe.switch(duplicate=1, reorder=True)
    work.stripe.pay(started.session_id)
    charge = gateway.retrieve_checkout(started.session_id).charge
    dispute = work.stripe.charge_back(charge)
    work.stripe.end_dispute(dispute, won=True)
    work.hear()
    assert not StripeEvent.objects.exclude(state__in=["done", "ignored"]).exists()
    assert (work.step(1).status, Chargeback.objects.get().status) == ("funded", "won")
    assert Journal.objects.filter(idempotency_key__startswith="dispute:").count() == 2


def test_an_older_state_that_arrives_late_changes_nothing(work):
    hold = work.funded(1).hold
    dispute = work.stripe.charge_back(charge_of(hold))
    old = gateway.retrieve_dispute(dispute)
    decide(work, dispute, won=True)
    chargebacks.record(old)
    assert Chargeback.objects.get().status == "won"
    assert fresh(hold).status == "held"


def test_four_readers_of_one_dispute_book_it_once(work):
    hold = work.delivered(1).hold
    dispute = work.stripe.charge_back(charge_of(hold))
    assert set(together(lambda _number: read(dispute), 4)) == {"ok"}
    assert ChargebackMovement.objects.count() == 1
    assert Journal.objects.filter(kind="charged_back").count() == 1


def test_release_against_chargeback_has_one_story_ten_times(market):
    market.connect()
    for round_ in range(10):
        hold = market.held()
        dispute = market.stripe.charge_back(charge_of(hold))

        def act(number, hold=hold, dispute=dispute):
            if number:
                read(dispute)
            else:
                holds.release(fresh(hold), by=market.client, basis="approval")

        outcomes = together(act, 2)
        market.work()
        assert outcomes[1] == "ok", round_
        assert outcomes[0] in {"ok", "PaymentQuestioned"}, round_
        assert fresh(hold).status == ("released" if outcomes[0] == "ok" else "frozen")


def test_a_dispute_nobody_told_us_of_is_found_by_the_reconciliation(work):
    hold = work.funded(1).hold
    work.stripe.switch(lose=10)
    work.stripe.charge_back(charge_of(hold))
    report = reconciliation.reconcile()
    assert report.differences == []
    assert report.caught_up == 1
    assert fresh(hold).status == "frozen"


def test_an_appeal_takes_a_won_sum_once_more(market, paid_out):
    dispute = charge_back(market, paid_out)
    decide(market, dispute, won=True)
    market.stripe.appeal(dispute)
    read(dispute)
    assert Chargeback.objects.get().status == "appeal_needs_response"
    # It had been owed to the freelancer again, so now it is set off instead of paid.
    assert loss() == eur("11.00")
    decide(market, dispute, won=False)
    assert Chargeback.objects.get().status == "lost"


def test_a_lost_dispute_won_on_appeal_after_the_milestone_ended_waits_for_a_person(work):
    hold = work.funded(1).hold
    dispute = charge_back(work, hold)
    decide(work, dispute, won=False)
    work.stripe.appeal(dispute)
    decide(work, dispute, won=True)
    assert balance(ledger.SUSPENSE) == hold.client_pays
    assert fresh(hold).status == "refunded"


# --- Answering the bank -----------------------------------------------------------------------


@pytest.fixture
def staff(client):
    """A browser of a member of staff."""
    person = StaffFactory()
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    client.person = person
    return client


def test_evidence_is_collected_and_staged_and_only_a_person_sends_it(work, staff):
    work.connect()
    hold = work.approved(1).hold
    dispute = charge_back(work, hold)
    chargeback = Chargeback.objects.get()
    assert chargeback.evidence_state == "staged"
    said = chargeback.evidence["uncategorized_text"]
    assert "All pages are on staging." in said
    assert "Accepted by the client on" in said
    assert hold.invoices.first().number in said
    assert chargeback.evidence["refund_policy_disclosure"] == work.contract.terms
    at_stripe = gateway.retrieve_dispute(dispute)
    assert (at_stripe.has_evidence, at_stripe.submissions) == (True, 0)

    url = reverse("admin:payments_chargeback_change", args=[chargeback.pk])
    shown = staff.get(url).content.decode()
    assert "All pages are on staging." in shown
    assert "Answer until" in shown
    assert staff.post(url, {}).status_code == 422
    assert gateway.retrieve_dispute(dispute).submissions == 0
    assert staff.post(url, {"read": "on"}).status_code == 303
    chargeback.refresh_from_db()
    assert (chargeback.evidence_state, chargeback.submitted_by) == ("submitted", staff.person)
    at_stripe = gateway.retrieve_dispute(dispute)
    assert (at_stripe.status, at_stripe.submissions) == ("under_review", 1)
    read(dispute)
    assert Chargeback.objects.get().status == "under_review"
    assert AuditRow.objects.get(action="chargeback.submitted").actor == staff.person
    with pytest.raises(InvalidTransition):
        evidence.submit(chargeback, by=staff.person)


def test_evidence_is_not_sent_after_the_deadline_nor_by_others(work):
    charge_back(work, work.funded(1).hold)
    chargeback = Chargeback.objects.get()
    with pytest.raises(NotAllowed):
        evidence.submit(chargeback, by=work.freelancer)
    staff = StaffFactory()
    with (
        time_machine.travel(chargeback.due_by + DAY, tick=True),
        pytest.raises(DomainError, match="is over"),
    ):
        evidence.submit(chargeback, by=staff)
    assert Chargeback.objects.get().evidence_state == "staged"


def test_submitting_is_one_submission_when_stripe_did_it_and_we_never_heard(work):
    dispute = charge_back(work, work.funded(1).hold)
    work.stripe.fail_next("drop_after", on="POST /v1/disputes", times=2)
    evidence.submit(Chargeback.objects.get(), by=StaffFactory())
    assert Chargeback.objects.get().evidence_state == "submitting"
    OutboxMessage.objects.filter(state="pending").update(due_at="2020-01-01T00:00Z")
    work.work_off()
    assert Chargeback.objects.get().evidence_state == "submitted"
    assert gateway.retrieve_dispute(dispute).submissions == 1
    read(dispute)


def test_a_bank_that_asks_again_is_answered_again(work):
    dispute = charge_back(work, work.funded(1).hold, inquiry=True)
    staff = StaffFactory()
    evidence.submit(Chargeback.objects.get(), by=staff)
    read(dispute)
    chargeback = Chargeback.objects.get()
    assert (chargeback.status, chargeback.evidence_state) == ("warning_under_review", "submitted")
    work.stripe.escalate(dispute)
    read(dispute)
    chargeback = Chargeback.objects.get()
    assert (chargeback.status, chargeback.evidence_state) == ("needs_response", "staged")
    evidence.submit(chargeback, by=staff)
    assert gateway.retrieve_dispute(dispute).submissions == 2
    read(dispute)


def test_staff_lift_a_warning_on_its_page_with_a_reason(work, staff):
    warning = warn(work, work.funded(1).hold)
    url = reverse("admin:payments_fraudwarning_change", args=[warning.pk])
    assert "Lift the warning" in staff.get(url).content.decode()
    assert staff.post(url, {"reason": "fine"}).status_code == 422
    assert work.step(1).status == "frozen"
    reason = "Called the client; the card is theirs."
    assert staff.post(url, {"reason": reason}).status_code == 303
    assert work.step(1).status == "funded"
    assert reason in staff.get(url).content.decode()
