"""Debts that cannot be collected become our loss, by two people, and income again if they come."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Membership, Notice
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from payments import ledger
from payments.models import Journal, Transfer, WriteOff
from payments.services import holds, receivables, reversals, two_people, write_offs
from tests.factories import StaffFactory, UserFactory
from tests.payments.disputing import (
    assert_books_are_clean,
    balance,
    charge_back,
    decide,
    top_up,
)
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

BECAUSE = "Three letters came back, and the account at Stripe is closed."
NOTHING = eur("0.00")


@pytest.fixture(autouse=True)
def _every_story_ends_with_clean_books(stripe_sandbox):
    yield
    assert_books_are_clean()


@pytest.fixture
def debt(market):
    """A lost dispute about released money the freelancer's account no longer has; their party."""
    return in_debt(market, "100.00")


def in_debt(market, amount):
    account = market.connect()
    hold = market.held(amount)
    holds.release(hold, by=market.client, basis="approval")
    top_up(market.stripe, eur("1000.00"))
    got = hold.shares(hold.amount).to_payee
    market.stripe.pay_out_of(account.stripe_id, got)
    market.dispute = charge_back(market.stripe, hold)
    decide(market.stripe, market.dispute, won=False)
    assert receivables.owed_by(hold.payee, "EUR") == got
    return hold.payee


def test_a_small_debt_is_written_off_by_one_person_and_stays_owed(market, debt):
    row = write_offs.ask(debt, amount=eur("92.00"), by=StaffFactory(), reason=BECAUSE)
    assert (row.status, row.needs_second) == ("posted", False)
    assert balance(ledger.BAD_DEBT) == -eur("92.00")
    assert balance(ledger.freelancer_receivable(debt)) == NOTHING
    assert receivables.to_collect(debt, "EUR") == eur("92.00")
    actions = AuditRow.objects.filter(subject_id=row.pk, action__startswith="writeoff.")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "writeoff.asked", "writeoff.posted",
    ]  # fmt: skip


def test_what_comes_later_is_income_again_and_no_more_than_was_lost(market, debt):
    row = write_offs.ask(debt, amount=eur("60.00"), by=StaffFactory(), reason=BECAUSE)
    # 32 are owed in the books and 60 written off; 46 come, and 92 more.
    small, large = market.held("50.00"), market.held("100.00")
    holds.release(small, by=market.client, basis="approval")
    row.refresh_from_db()
    assert small.transfers.get().status == "set_off"
    assert (row.recovered, balance(ledger.BAD_DEBT)) == (eur("14.00"), -eur("46.00"))
    holds.release(large, by=market.client, basis="approval")
    row.refresh_from_db()
    assert row.outstanding == balance(ledger.BAD_DEBT) == NOTHING
    assert large.transfers.get().to_send == eur("46.00")
    assert receivables.to_collect(debt, "EUR") == NOTHING
    assert Journal.objects.filter(kind="recovered").count() == 2


def test_a_dispute_won_after_all_undoes_the_loss_and_pays_nobody_twice(market, debt):
    row = write_offs.ask(debt, amount=eur("92.00"), by=StaffFactory(), reason=BECAUSE)
    market.stripe.appeal(market.dispute)
    decide(market.stripe, market.dispute, won=True)
    row.refresh_from_db()
    assert row.outstanding == balance(ledger.BAD_DEBT) == NOTHING
    assert balance(ledger.freelancer_receivable(debt)) == NOTHING
    assert not Transfer.objects.filter(returns__isnull=False).exists()


def test_a_large_debt_waits_for_a_second_person_who_hears_of_it(market):
    payee = in_debt(market, "300.00")
    first, second = StaffFactory(), StaffFactory()
    row = write_offs.ask(payee, amount=eur("276.00"), by=first, reason=BECAUSE)
    assert (row.status, balance(ledger.BAD_DEBT)) == ("asked", NOTHING)
    told = Notice.objects.filter(kind="second_person_wanted")
    assert (told.filter(user=second).count(), told.filter(user=first).count()) == (1, 0)
    with pytest.raises(DomainError, match="waits for a second person already"):
        write_offs.ask(payee, amount=eur("1.00"), by=second, reason=BECAUSE)
    with pytest.raises(NotAllowed, match="another person"):
        write_offs.approve(row, by=first, reason=BECAUSE)
    write_offs.approve(row, by=second, reason=BECAUSE)
    assert (row.status, row.decided_by) == ("posted", second)
    assert balance(ledger.BAD_DEBT) == -eur("276.00")
    with pytest.raises(InvalidTransition):
        write_offs.approve(row, by=second, reason=BECAUSE)


def test_a_large_debt_is_not_written_off_in_slices(market, monkeypatch):
    party = in_debt(market, "500.00")
    monkeypatch.setattr(two_people, "limit", lambda _currency: eur("200.00"))
    asked = [
        write_offs.ask(party, amount=eur("150.00"), by=StaffFactory(), reason=BECAUSE)
        for _slice in range(2)
    ]
    assert [row.status for row in asked] == ["posted", "asked"]


def test_a_refused_one_moves_nothing_and_can_be_asked_for_again(market):
    payee = in_debt(market, "300.00")
    first, second = StaffFactory(), StaffFactory()
    row = write_offs.ask(payee, amount=eur("276.00"), by=first, reason=BECAUSE)
    with pytest.raises(InvalidInput):
        write_offs.refuse(row, by=second, reason="no")
    write_offs.refuse(row, by=second, reason="They have answered, and want to pay.")
    assert balance(ledger.BAD_DEBT) == NOTHING
    assert write_offs.ask(payee, amount=eur("276.00"), by=second, reason=BECAUSE).status == "asked"


def test_what_was_paid_while_it_waited_is_not_written_off(market):
    payee = in_debt(market, "300.00")
    row = write_offs.ask(payee, amount=eur("276.00"), by=StaffFactory(), reason=BECAUSE)
    holds.release(market.held("100.00"), by=market.client, basis="approval")
    with pytest.raises(InvalidInput, match="€184"):
        write_offs.approve(row, by=StaffFactory(), reason=BECAUSE)
    assert balance(ledger.BAD_DEBT) == NOTHING


def test_the_database_refuses_one_person_twice_and_a_large_one_without_a_second(market):
    payee = in_debt(market, "300.00")
    first = StaffFactory()
    row = write_offs.ask(payee, amount=eur("276.00"), by=first, reason=BECAUSE)
    rows = WriteOff.objects.filter(pk=row.pk)
    posted = Journal.objects.first()
    with pytest.raises(IntegrityError, match="writeoff_two_people"), transaction.atomic():
        rows.update(decided_by=first, answer=BECAUSE)
    with pytest.raises(IntegrityError, match="writeoff_large_needs_second"), transaction.atomic():
        rows.update(status="posted", posted=posted, decided_at=row.asked_at)
    with pytest.raises(IntegrityError, match="writeoff_recovered_within"), transaction.atomic():
        rows.update(recovered_minor=1)


def test_nobody_without_the_right_nor_with_a_debt_of_their_own_nor_more_than_is_owed(market, debt):
    with pytest.raises(NotAllowed):
        write_offs.ask(debt, amount=eur("1.00"), by=UserFactory(), reason=BECAUSE)
    insider = StaffFactory()
    Membership.objects.create(party=debt, user=insider)
    with pytest.raises(NotAllowed, match="of your own"):
        write_offs.ask(debt, amount=eur("1.00"), by=insider, reason=BECAUSE)
    for amount in ("92.01", "0.00"):
        with pytest.raises(InvalidInput, match="€92"):
            write_offs.ask(debt, amount=eur(amount), by=StaffFactory(), reason=BECAUSE)
    with pytest.raises(InvalidInput, match="Say why"):
        write_offs.ask(debt, amount=eur("1.00"), by=StaffFactory(), reason="lost")
    assert not WriteOff.objects.exists()


def test_of_many_who_write_off_the_same_debt_at_once_it_is_lost_once(market, debt):
    people = [StaffFactory() for _number in range(4)]
    outcomes = together(
        lambda number: write_offs.ask(debt, amount=eur("92.00"), by=people[number], reason=BECAUSE),
        4,
    )
    assert sorted(outcomes) == ["InvalidInput"] * 3 + ["ok"]
    assert balance(ledger.BAD_DEBT) == -eur("92.00")


def test_a_write_off_is_no_journal_to_reverse(market, debt):
    row = write_offs.ask(debt, amount=eur("92.00"), by=StaffFactory(), reason=BECAUSE)
    assert "Debts written off" in reversals.why_not(row.posted)


def test_finance_writes_off_on_screen_from_the_list_of_debts(client, market):
    payee = in_debt(market, "300.00")
    first, second = StaffFactory(), StaffFactory()
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(first, backend)
    report = reverse("admin:payments_account_liabilities")
    ask = reverse("admin:payments_writeoff_ask", args=[payee.ref, "EUR"])
    debts = client.get(report, {"role": "freelancer_receivable", "currency": "EUR"})
    assert ask in debts.content.decode()
    assert "€276.00" in client.get(ask).content.decode()
    asked = {"confirm": "1", "amount": "276.00", "reason": BECAUSE}
    assert client.post(ask, asked | {"amount": "277.00"}).status_code == 422
    assert client.post(ask, asked | {"reason": "no"}).status_code == 422
    assert client.post(ask, asked).status_code == 303
    row = WriteOff.objects.get()
    decide_on = reverse("admin:payments_writeoff_change", args=[row.pk])
    assert 'name="approve"' not in client.get(decide_on).content.decode()
    client.force_login(second, backend)
    assert "Write off €276.00" in client.get(decide_on).content.decode()
    assert client.post(decide_on, {"approve": "1", "reason": BECAUSE}).status_code == 303
    row.refresh_from_db()
    assert row.status == "posted"
    assert "Debts written off" in client.get(report).content.decode()
    assert client.get(reverse("admin:payments_writeoff_changelist")).status_code == 200
    client.force_login(UserFactory(), backend)
    assert client.get(ask).status_code == 302
