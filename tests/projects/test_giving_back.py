"""Money the freelancer gives back after its release (rule C3): once, exactly, with the fees."""

import datetime as dt

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from marketplace.pages import proofs
from payments import gateway, ledger
from payments.models import (
    Chargeback,
    GiveBack,
    Hold,
    PlatformPolicy,
    Refund,
    Transfer,
    TransferReversal,
)
from payments.selectors import where_money_is
from payments.services import chargebacks, givebacks, reconciliation, transfers
from payments.services.verification import verify
from projects.services import giving_back
from tests.payments.tax import charge_vat, settle_in
from tests.payments.threads import together
from tests.projects.work import Work, eur

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


@pytest.fixture
def work(stripe_sandbox):
    """A contract of €600, €1,100 and €700, and a platform that can pay refunds of its fees."""
    work = Work.build(stripe_sandbox)
    stripe_sandbox.add_money(eur("1000.00"))
    moved = next(iter(gateway.list_balance_transactions(since=reconciliation.BEGINNING)))
    own = eur("1000.00")
    ledger.post(
        "top-up", "top_up", [(ledger.STRIPE_BALANCE, -own), (ledger.BANK, own)], ref=moved.id
    )
    return work


@pytest.fixture
def holding(db):
    """A policy by which released money waits five days for everybody."""
    return PlatformPolicy.objects.create(
        starts_at=clock.now(), security_hold_by_tier=False, security_hold_days=5
    )


@pytest.fixture(autouse=True)
def _every_story_ends_with_clean_books(stripe_sandbox):
    yield
    assert [line for finding in verify() for line in finding.broken] == []
    assert proofs.broken_laws()[1] == []
    report = reconciliation.reconcile()
    assert report.differences == []
    assert all(there == here for there, here in report.balances.values())


def give(work, amount, n=1, **more):
    return giving_back.give_back(work.step(n), by=work.freelancer, amount=eur(amount), **more)


def hold_of(work, n=1):
    return Hold.objects.get(milestone__contract=work.contract, milestone__position=n)


def paid_out(work, n=1):
    """Approved, and the money is in the freelancer's account at Stripe."""
    work.connect()
    work.approved(n)
    with time_machine.travel(clock.now() + 11 * DAY):
        transfers.run_due()
        work.work_off()
    assert Transfer.objects.get(hold=hold_of(work, n)).status == Transfer.Status.SENT


def charge_back(work, n=1):
    funding = hold_of(work, n).funding_parts.get(taken=True).funding
    return work.stripe.charge_back(funding.charge_id)


def balance(name):
    return ledger.balance(name, "EUR")


def test_a_part_goes_back_out_of_the_security_hold_with_its_share_of_both_fees(holding, work):
    work.connect()
    work.approved(1)
    party = work.freelancer.party

    given = give(work, "100.00")
    work.work_off()

    # €100.00 of €600.00 at 8% and 3%.
    assert (given.status, given.from_payee, given.fees) == ("done", eur("92.00"), eur("11.00"))
    assert Refund.objects.get().amount == eur("103.00")
    assert balance(ledger.pending(party)) == eur("460.00")
    assert hold_of(work).kept == eur("500.00")
    with time_machine.travel(clock.now() + 11 * DAY):
        transfers.run_due()
        work.work_off()
    assert Transfer.objects.get().to_send == eur("460.00")
    assert balance(ledger.payable(party)) == eur("0.00")


def test_all_of_it_goes_back_before_it_was_sent_and_nothing_is_sent_any_more(holding, work):
    work.connect()
    work.approved(1)

    give(work, "600.00")

    assert Transfer.objects.get().status == Transfer.Status.GIVEN_BACK
    assert Refund.objects.get().amount == eur("618.00")
    assert balance(ledger.FEE_REVENUE) == eur("0.00")
    with time_machine.travel(clock.now() + 11 * DAY):
        assert transfers.run_due() == 0


def test_what_waits_for_payout_details_can_be_given_back(work):
    work.approved(1)
    with time_machine.travel(clock.now() + 11 * DAY):
        transfers.run_due()
    assert Transfer.objects.get().status == Transfer.Status.BLOCKED

    give(work, "600.00")

    assert balance(ledger.payable(work.freelancer.party)) == eur("0.00")
    assert Transfer.objects.get().status == Transfer.Status.GIVEN_BACK


def test_what_was_paid_out_is_taken_back_from_the_account_first(work):
    paid_out(work)

    given = give(work, "250.00")
    work.work_off()

    reversal = TransferReversal.objects.get()
    assert (given.status, reversal.status) == ("done", "done")
    assert reversal.amount == given.from_payee == eur("230.00")
    assert Refund.objects.get().amount == eur("257.50")
    assert balance(ledger.freelancer_receivable(work.freelancer.party)) == eur("0.00")


def test_an_account_that_does_not_have_it_any_more_loses_nothing(work):
    paid_out(work)
    account = Transfer.objects.get().destination
    work.stripe.pay_out_of(account, eur("552.00"))

    given = give(work, "250.00")

    assert (given.status, given.failure) == ("refused", "balance_insufficient")
    assert (Refund.objects.count(), hold_of(work).given_back_minor) == (0, 0)
    told = work.freelancer.notices.filter(kind="give_back_refused")
    assert told.count() == 1
    assert balance(ledger.freelancer_receivable(work.freelancer.party)) == eur("0.00")


def test_while_stripe_is_away_it_waits_and_goes_on_by_itself(work):
    paid_out(work)
    work.stripe.fail_next("error_before", on="POST /v1/transfers")

    given = give(work, "250.00")
    with pytest.raises(InvalidTransition):
        give(work, "250.00")
    assert given.status == GiveBack.Status.COLLECTING
    with time_machine.travel(clock.now() + dt.timedelta(minutes=5)):
        work.work_off()

    given.refresh_from_db()
    assert given.status == GiveBack.Status.DONE
    assert TransferReversal.objects.count() == Refund.objects.count() == 1


@pytest.mark.parametrize("parts", [[7] * 6, [200, 133, 1, 266], [599, 1]])
def test_c4_many_small_give_backs_cost_nobody_a_cent_more_than_one(work, parts):
    """Odd amounts, odd fees: together they are what all of it at once would have been."""
    odd = Work.build(work.stripe, "6.03", client=work.client, freelancer=work.freelancer)
    odd.approved(1)
    hold = hold_of(odd)
    whole = hold.shares(hold.awarded)

    for part in parts:
        giving_back.give_back(odd.step(1), by=odd.freelancer, amount=Money(part, "EUR"))
    rest = hold_of(odd).kept
    giving_back.give_back(odd.step(1), by=odd.freelancer, amount=rest)

    rows = GiveBack.objects.filter(hold=hold)
    assert sum(row.from_payee_minor for row in rows) == whole.to_payee.minor
    assert sum(row.fees_minor for row in rows) == whole.fees.minor
    assert sum(row.to_payer_minor for row in rows) == hold.client_pays.minor
    assert balance(ledger.FEE_REVENUE) == eur("0.00")


def test_pages_say_the_exact_amounts_before_and_after(work):
    work.connect()
    work.approved(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/give-back/"

    first = work.as_freelancer.get(url).content.decode()
    sure = work.as_freelancer.get(url, {"amount": "100"}).content.decode()
    too_much = work.as_freelancer.get(url, {"amount": "600.01"})
    done = work.as_freelancer.post(url, {"amount": "100.00", "seen": "60000"})
    again = work.as_freelancer.post(url, {"amount": "100.00", "seen": "60000"})

    assert "See what moves" in first
    for said in ("€92.00", "€8.00", "€3.00", "Give €103.00 back", "cannot be undone"):
        assert said in sure
    assert (too_much.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert Refund.objects.count() == 1
    assert work.client.notices.filter(kind="money_given_back").count() == 1
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    for said in ("€100.00 given back since", "Back to Kim", "after its release"):
        assert said in page
    table = work.as_client.get(f"{work.contract.get_absolute_url()}payments/").content.decode()
    assert "€103.00" in table
    ledger_page = work.as_freelancer.get("/ledger/", follow=True).content.decode()
    assert "Given back by the freelancer" in ledger_page
    money = where_money_is([hold_of(work)])[hold_of(work).pk]
    assert (money.awarded, money.returned) == (eur("500.00"), eur("100.00"))


def test_programs_give_back_too_and_once_for_what_was_left(work):
    work.approved(1)

    def ask(key):
        return work.as_freelancer.post(
            f"/api/v1/contracts/{work.contract.ref}/milestones/1/give-back/",
            {"amount": "100.00", "left": "600.00"},
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    answer, again = ask("give-back-1"), ask("give-back-2")

    assert (answer.status_code, again.status_code) == (200, 409)
    assert answer.json()["to_client"] == "103.00"
    assert GiveBack.objects.count() == 1


def test_only_the_freelancer_gives_back_and_only_for_180_days(work):
    work.approved(1)
    ended = hold_of(work).ended_at

    with pytest.raises(NotAllowed):
        giving_back.give_back(work.step(1), by=work.client, amount=eur("1.00"))
    for amount in ("0.00", "600.01"):
        with pytest.raises(InvalidInput):
            give(work, amount)
    with time_machine.travel(ended + 180 * DAY + dt.timedelta(minutes=1)):
        with pytest.raises(InvalidTransition):
            give(work, "1.00")
        work.work_off()
    with time_machine.travel(ended + 180 * DAY - dt.timedelta(minutes=1)):
        assert give(work, "1.00").status == "done"


def test_held_money_is_not_given_back_this_way(work):
    work.delivered(1)

    with pytest.raises(InvalidTransition):
        give(work, "1.00")


def test_what_was_given_back_is_not_owed_again_after_a_chargeback(work):
    work.connect()
    work.approved(1)
    give(work, "600.00")
    work.work_off()

    dispute = charge_back(work)
    chargebacks.record(gateway.retrieve_dispute(dispute))

    assert balance(ledger.freelancer_receivable(work.freelancer.party)) == eur("0.00")


def test_a_payment_the_bank_claims_is_not_given_back_on_top(work):
    work.connect()
    work.approved(1)
    chargebacks.record(gateway.retrieve_dispute(charge_back(work)))

    with pytest.raises(DomainError, match="would pay it back twice"):
        give(work, "100.00")

    assert Refund.objects.count() == 0


def test_money_on_its_way_back_counts_towards_what_the_bank_took_meanwhile(work):
    paid_out(work)
    work.stripe.fail_next("error_before", on="POST /v1/transfers")
    given = give(work, "250.00")
    chargebacks.record(gateway.retrieve_dispute(charge_back(work)))

    with time_machine.travel(clock.now() + dt.timedelta(minutes=5)):
        work.work_off()

    given.refresh_from_db()
    assert given.status == GiveBack.Status.OVERTAKEN
    assert Refund.objects.count() == 0
    assert hold_of(work).given_back_minor == 0
    # €552.00 had been paid out: €230.00 came back by the give-back, the rest by the chargeback.
    assert balance(ledger.freelancer_receivable(work.freelancer.party)) == eur("0.00")
    assert sum(TransferReversal.objects.values_list("amount_minor", flat=True)) == 552_00


def test_a_double_click_gives_back_once(work):
    many = Work.build(work.stripe, *["10.00"] * 12, client=work.client, freelancer=work.freelancer)
    for n in range(1, 13):
        many.approved(n)
        seen = hold_of(many, n).kept

        outcomes = together(
            lambda _i, n=n, seen=seen: giving_back.give_back(
                many.step(n), by=many.freelancer, amount=eur("4.00"), seen=seen
            ),
            2,
        )

        assert sorted(outcomes) == ["InvalidTransition", "ok"]
        assert Refund.objects.filter(hold=hold_of(many, n)).count() == 1


def test_of_a_give_back_and_a_chargeback_at_the_same_moment_the_payer_gets_it_once(work):
    many = Work.build(work.stripe, *["10.00"] * 12, client=work.client, freelancer=work.freelancer)
    for n in range(1, 13):
        many.approved(n)
        dispute = gateway.retrieve_dispute(charge_back(many, n))

        def act(which, n=n, dispute=dispute):
            if which:
                chargebacks.record(dispute)
            else:
                giving_back.give_back(many.step(n), by=many.freelancer, amount=eur("10.00"))

        outcomes = together(act, 2)

        assert outcomes[1] == "ok"
        assert outcomes[0] in {"ok", "ChargedBack"}
        assert Refund.objects.filter(hold=hold_of(many, n)).count() == (outcomes[0] == "ok")
    assert Chargeback.objects.count() == 12
    # A refund of what the bank claims already is refused by Stripe; it stands as credit then.
    many.work_off()


def test_two_answers_of_stripe_end_a_give_back_once(work):
    paid_out(work)
    work.stripe.fail_next("error_before", on="POST /v1/transfers")
    given = give(work, "250.00")

    with time_machine.travel(clock.now() + dt.timedelta(minutes=5)):
        together(lambda _i: givebacks.hurry(GiveBack.objects.get(pk=given.pk)), 2)
        work.work_off()

    assert GiveBack.objects.get().status == GiveBack.Status.DONE
    assert Refund.objects.count() == 1


# --- Paper ----------------------------------------------------------------------------------


def test_I2_each_paper_of_the_work_is_credited_with_its_share(work, settings):
    charge_vat(settings)
    settle_in(work.freelancer.party, "DE")
    work.connect()
    work.approved(1)

    give(work, "100.00")
    give(work, "200.00")

    hold = hold_of(work)
    credited = {
        paper.kind: [note.total for note in paper.credit_notes.order_by("pk")]
        for paper in hold.invoices.filter(corrects=None)
    }
    assert credited == {
        "work": [eur("100.00"), eur("200.00")],
        "client_fee": [eur("3.00"), eur("6.00")],
        "freelancer_fee": [eur("8.00"), eur("16.00")],
    }
    assert "Given back by the freelancer" in str(hold.invoices.last().document)


def test_the_tax_office_keeps_nothing_of_what_was_given_back(work, settings):
    charge_vat(settings)
    settle_in(work.freelancer.party, "DE")
    settle_in(work.client.hires_for or work.client.party, "DE")
    work.connect()
    work.approved(1)
    # 19% are contained in the fees of €18.00 and €48.00.
    assert balance(ledger.VAT_PAYABLE) == eur("10.53")

    give(work, "200.00")
    # A third of €2.87 and of €7.66 went back.
    assert balance(ledger.VAT_PAYABLE) == eur("7.02")
    give(work, "400.00")

    assert balance(ledger.VAT_PAYABLE) == eur("0.00")
    assert balance(ledger.FEE_REVENUE) == eur("0.00")
