"""Part of held money the freelancer gives back before its release (rule C3): the rest stays."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from marketplace.core.money import Money
from payments import ledger
from payments.models import GiveBack, Hold, Invoice, Refund, Transfer
from payments.selectors import overviews, periods, tax_reports
from payments.services import funding as paying
from payments.services import returns, trust
from projects.services import approvals, disputes, ending, funding, proposals
from tests.payments.disputing import assert_books_are_clean, charge_back, decide, top_up
from tests.payments.threads import together
from tests.payments.world import World
from tests.projects.work import Work, eur

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = eur("0.00")


@pytest.fixture
def work(stripe_sandbox):
    """A contract of €600, €1,100 and €700, and a platform that can pay Stripe's own fees."""
    work = Work.build(stripe_sandbox)
    top_up(stripe_sandbox, eur("1000.00"))
    return work


@pytest.fixture(autouse=True)
def _every_story_ends_with_clean_books(stripe_sandbox):
    yield
    assert_books_are_clean()


def give(work, amount, n=1, **more):
    return ending.return_part(work.step(n), by=work.freelancer, amount=eur(amount), **more)


def test_part_goes_back_with_its_fee_and_the_rest_is_released_with_the_fees_of_the_rest(work):
    work.connect()
    before = work.delivered(1)
    given = give(work, "150.00")
    work.work_off()

    step = work.step(1)
    assert (step.status, step.hold.status) == ("submitted", "held")
    assert step.review_due_at == before.review_due_at
    assert (step.amount, step.hold.amount, work.held(step.hold)) == (eur("450.00"),) * 3
    assert (given.status, given.to_payer) == ("done", eur("154.50"))
    assert Refund.objects.get().amount == eur("154.50")
    assert Refund.objects.get().status == "succeeded"
    for person in (work.client, work.freelancer):
        assert person.notices.filter(kind="part_returned").count() == 1
    assert work.client.notices.filter(kind="returned_sent").count() == 1
    assert AuditRow.objects.get(action="milestone.part_returned").actor == work.freelancer

    approvals.approve(work.step(1), by=work.client)
    work.work_off()
    assert Transfer.objects.get().amount == eur("414.00")
    assert set(Invoice.objects.values_list("total_minor", flat=True)) == {45000, 1350, 3600}
    assert work.step(1).hold.status == "released"


def test_each_side_reads_what_went_back_and_the_sums_still_make_the_price(work):
    work.funded(1)
    give(work, "150.00")
    work.work_off()
    url = work.contract.get_absolute_url()
    for reader in (work.as_client, work.as_freelancer):
        page = reader.get(url).content.decode()
        assert "€150.00 of it given back before" in page
        assert "the rest stays held" in page
    bar = overviews.spending(work.client)[0]
    assert {segment.state: segment.money for segment in bar} == {
        "held": eur("450.00"),
        "refunded": eur("150.00"),
    }
    paid = periods.statement(work.client.party, periods.periods_of(work.client.party)[0]).paid_in
    assert (paid[0].amount, paid[0].total) == (eur("600.00"), eur("618.00"))
    payments = work.as_client.get(reverse("payments:payments")).content.decode()
    assert "€618.00" in payments
    assert "€154.50" in payments
    table = work.as_client.get(f"{url}payments/").content.decode()
    for said in ("€600.00", "€618.00", "€154.50"):
        assert said in table


def test_several_parts_cost_nobody_a_cent_more_than_one(work):
    work.funded(1)
    for amount in ("5.01", "28.33", "194.99", "5.17"):
        give(work, amount)
    work.work_off()
    hold = work.step(1).hold
    assert hold.returned == eur("233.50")
    assert (hold.amount, hold.client_fee) == (eur("366.50"), eur("11.00"))
    assert hold.paid_in == eur("618.00")
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 618_00 - 377_50


def test_what_is_left_can_be_divided_returned_and_paused_like_any_amount(work):
    work.connect()
    work.delivered(1)
    give(work, "100.00")
    offer = proposals.propose_part(
        work.step(1), by=work.client, amount=eur("400.00"), reason="Two pages are missing."
    )
    proposals.answer(offer, by=work.freelancer, accept=True)
    assert work.step(1).hold.awarded == eur("400.00")
    work.funded(2)
    give(work, "100.00", n=2)
    ending.return_money(work.step(2), by=work.freelancer)
    work.delivered(3)
    give(work, "100.00", n=3)
    dispute = disputes.open_dispute(
        work.step(3),
        by=work.client,
        reason="not_as_agreed",
        body="Two of six pages are missing.",
        to_freelancer=NOTHING,
    )
    assert (dispute.paused_minor, work.paused(work.step(3).hold)) == (600_00, eur("600.00"))
    with pytest.raises(InvalidTransition):
        give(work, "1.00", n=3)
    work.work_off()


def test_a_lower_amount_somebody_proposed_before_is_off_the_table(work):
    work.delivered(1)
    offer = proposals.propose_part(
        work.step(1), by=work.client, amount=eur("550.00"), reason="Two pages are missing."
    )
    give(work, "100.00")
    offer.refresh_from_db()
    assert offer.status == "overtaken"
    with pytest.raises(InvalidTransition):
        proposals.answer(offer, by=work.freelancer, accept=True)
    work.work_off()


def test_a_bonus_has_no_fee_and_gives_back_none(stripe_sandbox):
    world = World.build(stripe_sandbox)
    top_up(stripe_sandbox, eur("100.00"))
    hold = world.held("40.00", fee_free=True)
    given = returns.return_part(hold, by=world.freelancer, amount=eur("15.00"))
    world.work()
    assert (given.fees, given.to_payer, hold.amount) == (NOTHING, eur("15.00"), eur("25.00"))
    assert (hold.client_fee, hold.freelancer_fee) == (NOTHING, NOTHING)


def test_only_the_freelancers_people_only_what_is_held_and_never_all_of_it(work):
    with pytest.raises(InvalidTransition):
        give(work, "10.00")
    work.funded(1)
    with pytest.raises(NotAllowed):
        ending.return_part(work.step(1), by=work.client, amount=eur("10.00"))
    for minor in (0, -1, 600_00, 600_01):
        with pytest.raises(InvalidInput, match="between €5"):
            ending.return_part(work.step(1), by=work.freelancer, amount=Money(minor, "EUR"))
    with pytest.raises(InvalidInput):
        ending.return_part(work.step(1), by=work.freelancer, amount=Money(100, "USD"))
    assert not GiveBack.objects.exists()


def test_a_double_click_and_six_at_once_give_back_once(work):
    work.funded(1)
    outcomes = together(lambda _number: give(work, "100.00", seen=eur("600.00")), 6)
    assert sorted(outcomes) == ["InvalidTransition"] * 5 + ["ok"]
    assert work.step(1).amount == eur("500.00")
    work.work_off()


def test_against_a_release_at_the_same_moment_the_money_goes_one_way(work):
    work.connect()
    work.delivered(1)
    step = work.step(1)

    def act(number):
        if number:
            give(work, "100.00", seen=eur("600.00"))
        else:
            approvals.approve(step, by=work.client)

    outcomes = together(act, 2)
    work.work_off()
    assert outcomes[0] == "ok"
    awarded = 500_00 if outcomes[1] == "ok" else 600_00
    assert Hold.objects.get(pk=step.hold_id).awarded_minor == awarded


def test_when_the_bank_takes_the_rest_nobody_is_paid_twice(work):
    hold = work.funded(1).hold
    give(work, "100.00")
    work.work_off()
    dispute = charge_back(work.stripe, hold, amount=eur("515.00"))
    with pytest.raises(InvalidTransition):
        give(work, "10.00")
    decide(work.stripe, dispute, won=False)
    assert ledger.balance(ledger.held(hold), "EUR") == NOTHING
    assert ledger.balance(ledger.CHARGEBACK_LOSS, "EUR") == NOTHING
    assert work.step(1).status == "cancelled"


def test_the_database_refuses_a_milestone_that_lost_what_nobody_gave_back(work):
    step = work.funded(1)
    rows = type(step).objects.filter(pk=step.pk)
    with pytest.raises(IntegrityError, match="do not sum"), transaction.atomic():
        rows.update(amount_minor=500_00)
    with pytest.raises(IntegrityError, match="milestone_returned_was_held"), transaction.atomic():
        work.contract.milestones.filter(position=2).update(returned_minor=1)


def test_on_screen_the_freelancer_reads_what_moves_before_it_does(work):
    work.funded(1)
    url = f"{work.contract.get_absolute_url()}milestones/1/return-part/"
    all_of_it = work.as_freelancer.get(url.replace("-part", "-money")).content.decode()
    assert url in all_of_it
    assert work.as_client.get(url).status_code == 403
    assert "€600.00 are held" in work.as_freelancer.get(url).content.decode()
    assert work.as_freelancer.get(url, {"amount": "600"}).status_code == 422
    page = work.as_freelancer.get(url, {"amount": "150"}).content.decode()
    for said in ("€150.00", "€4.50", "Give €154.50 back", "€450.00"):
        assert said in page
    sure = {"amount": "150.00", "seen": "60000"}
    assert work.as_freelancer.post(url, sure | {"amount": "700"}).status_code == 422
    assert work.as_freelancer.post(url, sure).status_code == 303
    assert work.as_freelancer.post(url, sure).status_code == 409
    assert work.step(1).amount == eur("450.00")
    work.work_off()


def test_programs_give_part_back_through_the_same_door(work):
    work.funded(1)
    url = f"/api/v1/contracts/{work.contract.ref}/milestones/1/return-part/"
    body = {"amount": "150.00", "left": "600.00"}

    def post(who, key, **changes):
        return who.post(
            url,
            body | changes,
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    given = post(work.as_freelancer, "one")
    assert given.status_code == 200
    assert (given.json()["to_client"], given.json()["status"]) == ("154.50", "done")
    assert post(work.as_freelancer, "one").json() == given.json()
    assert post(work.as_freelancer, "two").status_code == 409
    assert post(work.as_client, "three").status_code == 403
    assert work.step(1).amount == eur("450.00")
    work.work_off()


def test_what_went_back_while_it_was_held_is_taken_off_no_report_twice(work):
    work.connect()
    work.freelancer.party.country = "DE"
    work.freelancer.party.save()
    work.delivered(1)
    give(work, "150.00")
    approvals.approve(work.step(1), by=work.client)
    work.work_off()
    (seller,) = tax_reports.sellers(tax_reports.DAC7, clock.now().year)
    assert sum(part.gross for part in seller.months) == 450_00


def test_the_bank_takes_what_is_left_of_a_joint_payment_and_nobody_gets_more_than_was_paid(work):
    joint = funding.fund_together(work.contract, by=work.client)
    assert paying.checkout_url(joint)
    work.stripe.pay(joint.session_id)
    paying.confirm(joint)
    give(work, "300.00")
    work.work_off()
    left = joint.amount - eur("309.00")
    dispute = charge_back(work.stripe, work.step(1).hold, amount=left)
    decide(work.stripe, dispute, won=False)
    work.work_off()
    assert ledger.balance(ledger.CHARGEBACK_LOSS, "EUR") == NOTHING
    assert Refund.objects.count() == 1
    assert [work.step(n).status for n in (1, 2, 3)] == ["cancelled"] * 3


@pytest.mark.parametrize("amount", ["0.01", "4.99", "595.01", "599.99"])
def test_crumbs_neither_go_back_nor_stay(work, amount):
    work.funded(1)
    with pytest.raises(InvalidInput, match="between"):
        give(work, amount)


def test_who_returned_nearly_all_of_it_has_finished_no_contract(work):
    work.delivered(1)
    give(work, "590.00")
    approvals.approve(work.step(1), by=work.client)
    assert trust.finished_contracts(work.freelancer.party) == 0
