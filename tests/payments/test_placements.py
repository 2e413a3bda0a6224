"""Money a bank gave back too late goes where two people say, to the cent."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Membership, Notice
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed
from marketplace.core.money import Money
from payments import ledger
from payments.models import ChargebackPart, Placement, Refund, Transfer
from payments.services import holds, placements, reversals
from payments.services.freezing import PaymentQuestioned
from tests.factories import StaffFactory, UserFactory
from tests.payments.disputing import (
    assert_books_are_clean,
    balance,
    charge_back,
    read,
    top_up,
    win_too_late,
)
from tests.payments.threads import together
from tests.payments.world import World, eur
from tests.projects.work import Work

pytestmark = pytest.mark.django_db(transaction=True)

BECAUSE = "Six of six pages were delivered, and the client had said yes to four of them."
NOTHING = eur("0.00")


@pytest.fixture(autouse=True)
def _every_story_ends_with_clean_books(stripe_sandbox):
    yield
    assert_books_are_clean()


def waiting(stripe_sandbox, amount):
    """A contract whose first milestone the bank ended and gave back too late; and the row."""
    work = Work.build(stripe_sandbox, amount)
    work.connect()
    top_up(work.stripe, eur("1000.00"))
    win_too_late(work.stripe, work.funded(1).hold)
    return work, ChargebackPart.objects.get(bearer="suspense")


@pytest.fixture
def small(stripe_sandbox):
    return waiting(stripe_sandbox, "50.00")


@pytest.fixture
def large(stripe_sandbox):
    return waiting(stripe_sandbox, "600.00")


def place(part, to_payee, to_payer="0.00", by=None, reason=BECAUSE):
    return placements.ask(
        part, to_payee=eur(to_payee), to_payer=eur(to_payer), by=by or StaffFactory(), reason=reason
    )


def test_a_small_sum_is_divided_by_one_person_and_both_get_their_part(small):
    work, part = small
    row = place(part, "30.00", "20.00")
    work.work_off()
    assert (row.status, row.ours) == ("posted", eur("1.50"))
    assert balance(ledger.SUSPENSE) == NOTHING
    assert balance(ledger.CHARGEBACK_LOSS) == eur("1.50")
    sent, refund = Transfer.objects.get(placement=row), Refund.objects.get(placement=row)
    assert (sent.status, sent.to_send) == ("sent", eur("30.00"))
    assert (refund.status, refund.amount) == ("succeeded", eur("20.00"))
    assert Notice.objects.filter(user=work.freelancer, kind="placed_with_payee").count() == 1
    assert Notice.objects.filter(user=work.client, kind="placed_with_payer").count() == 1
    assert not Notice.objects.filter(kind="money_paid_out").exists()
    assert work.step(1).status == "cancelled"


def test_a_large_sum_waits_for_a_second_person_who_hears_of_it(large):
    work, part = large
    first, second = StaffFactory(), StaffFactory()
    row = place(part, "552.00", by=first)
    assert (row.status, balance(ledger.SUSPENSE)) == ("asked", eur("618.00"))
    assert Notice.objects.filter(user=second, kind="second_person_wanted").count() == 1
    with pytest.raises(DomainError, match="decided on this money already"):
        place(part, "0.00", "618.00", by=second)
    with pytest.raises(NotAllowed, match="another person"):
        placements.approve(row, by=first, reason=BECAUSE)
    placements.approve(row, by=second, reason=BECAUSE)
    work.work_off()
    assert balance(ledger.SUSPENSE) == NOTHING
    assert Transfer.objects.get(placement=row).status == "sent"


def test_a_refused_decision_leaves_the_money_for_another(large):
    _work, part = large
    row = place(part, "552.00")
    placements.refuse(row, by=StaffFactory(), reason="The files were empty, I opened them.")
    assert balance(ledger.SUSPENSE) == eur("618.00")
    assert place(part, "0.00", "618.00").status == "asked"


def test_what_the_freelancer_owes_is_kept_of_it_first(small):
    work, part = small
    market = World(work.stripe, work.client, work.freelancer)
    account = work.freelancer.party.payout_account
    hold = market.held("10.00")
    holds.release(hold, by=market.client, basis="approval")
    work.stripe.pay_out_of(account.stripe_id, eur("9.20"))
    charge_back(work.stripe, hold)
    row = place(part, "30.00")
    work.work_off()
    sent = Transfer.objects.get(placement=row)
    assert (sent.set_off_minor, sent.to_send) == (9_20, eur("20.80"))
    assert balance(ledger.freelancer_receivable(work.freelancer.party)) == NOTHING


def test_nobody_gets_anything_while_the_bank_asks_once_more(small):
    work, part = small
    dispute = part.movement.chargeback.stripe_id
    work.stripe.appeal(dispute)
    read(dispute)
    for to_payee, to_payer in (("30.00", "0.00"), ("0.00", "30.00")):
        with pytest.raises(PaymentQuestioned):
            place(part, to_payee, to_payer)
    assert place(part, "0.00").status == "posted"
    assert balance(ledger.SUSPENSE) == NOTHING


def test_not_more_than_there_is_and_not_by_those_it_is_for(small):
    work, part = small
    for to_payee, to_payer in ((5151, 0), (3000, 2151), (-100, 0), (0, -100)):
        with pytest.raises(InvalidInput, match="€51"):
            placements.ask(
                part,
                to_payee=Money(to_payee, "EUR"),
                to_payer=Money(to_payer, "EUR"),
                by=StaffFactory(),
                reason=BECAUSE,
            )
    with pytest.raises(NotAllowed):
        place(part, "1.00", by=UserFactory())
    insider = StaffFactory()
    Membership.objects.create(party=work.freelancer.party, user=insider)
    with pytest.raises(NotAllowed, match="of your own"):
        place(part, "1.00", by=insider)
    with pytest.raises(InvalidInput, match="Say why"):
        place(part, "1.00", reason="ok")
    assert not Placement.objects.exists()


def test_the_database_refuses_more_than_there_is_and_one_person_twice(large):
    _work, part = large
    first = StaffFactory()
    rows = Placement.objects.filter(pk=place(part, "1.00", by=first).pk)
    with pytest.raises(IntegrityError, match="placement_within"), transaction.atomic():
        rows.update(to_payer_minor=617_01)
    with pytest.raises(IntegrityError, match="placement_two_people"), transaction.atomic():
        rows.update(decided_by=first, answer=BECAUSE)


def test_of_many_who_decide_at_once_one_is_heard(small):
    _work, part = small
    people = [StaffFactory() for _number in range(4)]
    outcomes = together(lambda number: place(part, "1.00", by=people[number]), 4)
    assert sorted(outcomes) == ["DomainError"] * 3 + ["ok"]
    assert Placement.objects.filter(status="posted").count() == 1


def test_what_was_placed_as_ours_is_no_journal_to_reverse(small):
    _work, part = small
    assert "Money nobody has placed yet" in reversals.why_not(place(part, "0.00").posted)


def test_finance_decides_on_screen_and_the_second_person_too(client, large):
    work, part = large
    first, second = StaffFactory(), StaffFactory()
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(first, backend)
    waiting_list = reverse("admin:payments_chargebackpart_changelist")
    url = reverse("admin:payments_chargebackpart_change", args=[part.pk])
    assert url in client.get(waiting_list).content.decode()
    page = client.get(url).content.decode()
    assert "€618.00" in page
    assert "€552.00" in page
    typed = {"confirm": "1", "to_payee": "552.00", "to_payer": "", "reason": BECAUSE}
    assert client.post(url, typed | {"to_payee": "700.00"}).status_code == 422
    assert client.post(url, typed).status_code == 303
    assert "decided on this money already" in client.get(url).content.decode()
    assert url not in client.get(waiting_list).content.decode()
    row = Placement.objects.get()
    decide_on = reverse("admin:payments_placement_change", args=[row.pk])
    assert 'name="approve"' not in client.get(decide_on).content.decode()
    client.force_login(second, backend)
    assert "Place €618.00 like this" in client.get(decide_on).content.decode()
    assert client.post(decide_on, {"approve": "1", "reason": BECAUSE}).status_code == 303
    row.refresh_from_db()
    assert row.status == "posted"
    work.work_off()
    ledger_page = work.as_freelancer.get(
        reverse("payments:ledger", args=[work.freelancer.party.ref])
    ).content.decode()
    assert "won on appeal" in ledger_page
    client.force_login(UserFactory(), backend)
    assert client.get(url).status_code == 302
