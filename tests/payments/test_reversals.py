"""A journal is taken back by another one: with a reason, and above a limit by two people."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Membership
from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from payments import ledger
from payments.models import Journal, Reversal
from payments.services import holds, reversals
from tests.factories import StaffFactory, UserFactory
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

BECAUSE = "This payout was booked twice, once by hand and once from Stripe."


def misplaced(amount="60.00", key="payout:by-hand"):
    """Money booked to the bank that never went there."""
    return ledger.post(
        key,
        "payout",
        [(ledger.STRIPE_BALANCE, eur(amount)), (ledger.BANK, -eur(amount))],
        ref="po_1",
    )


def of_the_client(market, amount="500.00"):
    """A journal about money of the client's, on accounts that are ours alone."""
    hold = market.held("50.00")
    return ledger.post(
        "by-hand:fee",
        "payout",
        [(ledger.STRIPE_FEES, eur(amount)), (ledger.BANK, -eur(amount))],
        ref=hold.ref,
    )


def test_a_small_journal_is_taken_back_by_one_person_at_once(market):
    journal = misplaced()
    reversal = reversals.ask(journal, by=StaffFactory(), reason=BECAUSE)
    assert reversal.status == "posted"
    assert reversal.posted.reverses == journal
    assert ledger.balance(ledger.BANK, "EUR") == eur("0.00")
    assert Journal.objects.filter(pk=journal.pk).exists()


def test_a_large_one_waits_for_a_second_person_who_is_not_the_first(market):
    first, second = StaffFactory(), StaffFactory()
    journal = misplaced("100.01")
    reversal = reversals.ask(journal, by=first, reason=BECAUSE)
    assert reversal.status == "asked"
    assert ledger.balance(ledger.BANK, "EUR") == -eur("100.01")
    with pytest.raises(NotAllowed, match="another person"):
        reversals.approve(reversal, by=first, reason=BECAUSE)
    reversals.approve(reversal, by=second, reason=BECAUSE)
    assert (reversal.status, reversal.decided_by) == ("posted", second)
    assert ledger.balance(ledger.BANK, "EUR") == eur("0.00")
    with pytest.raises(InvalidTransition):
        reversals.approve(reversal, by=second, reason=BECAUSE)


def test_the_database_refuses_one_person_twice_and_a_large_one_without_a_second(market):
    first = StaffFactory()
    reversal = reversals.ask(misplaced("500.00"), by=first, reason=BECAUSE)
    row = Reversal.objects.filter(pk=reversal.pk)
    with pytest.raises(IntegrityError, match="reversal_two_people"), transaction.atomic():
        row.update(decided_by=first, answer=BECAUSE)
    posted = misplaced("1.00", key="another")
    with pytest.raises(IntegrityError, match="reversal_large_needs_second"), transaction.atomic():
        row.update(status="posted", posted=posted, decided_at=clock.now())


def test_a_refusal_has_a_reason_and_leaves_the_journal(market):
    reversal = reversals.ask(misplaced("500.00"), by=StaffFactory(), reason=BECAUSE)
    second = StaffFactory()
    with pytest.raises(InvalidInput):
        reversals.refuse(reversal, by=second, reason="no")
    reversals.refuse(reversal, by=second, reason="The bank statement shows this payout.")
    assert ledger.balance(ledger.BANK, "EUR") == -eur("500.00")
    again = reversals.ask(reversal.journal, by=second, reason=BECAUSE)
    assert again.status == "asked"


def test_S2_nobody_without_the_right_and_nobody_with_money_in_it(market, caplog):
    journal = of_the_client(market)
    with pytest.raises(NotAllowed):
        reversals.ask(journal, by=UserFactory(), reason=BECAUSE)
    insider = StaffFactory()
    Membership.objects.create(party=market.client.party, user=insider)
    with pytest.raises(NotAllowed, match="of your own"):
        reversals.ask(journal, by=insider, reason=BECAUSE)
    reversal = reversals.ask(journal, by=StaffFactory(), reason=BECAUSE)
    with pytest.raises(NotAllowed, match="of your own"):
        reversals.approve(reversal, by=insider, reason=BECAUSE)
    assert caplog.text.count("tried to reverse") == 3
    assert not Journal.objects.filter(kind="reversed").exists()


def test_money_that_rows_vouch_for_is_undone_where_it_was_done(market):
    hold = market.held("50.00")
    with pytest.raises(reversals.NotReversible, match="refund"):
        reversals.ask(Journal.objects.get(kind="funded"), by=StaffFactory(), reason=BECAUSE)
    assert ledger.balance(ledger.held(hold), "EUR") == eur("50.00")


def test_of_many_who_ask_at_once_one_is_heard(market):
    journal, people = misplaced(), [StaffFactory() for _number in range(6)]
    outcomes = together(lambda number: reversals.ask(journal, by=people[number], reason=BECAUSE), 6)
    assert sorted(outcomes) == ["NotReversible"] * 5 + ["ok"]
    assert Journal.objects.filter(reverses=journal).count() == 1


def test_staff_ask_and_approve_on_screen(client, market):
    first, second = StaffFactory(), StaffFactory()
    journal = misplaced("500.00")

    def sign_in(user):
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    sign_in(first)
    change = client.get(reverse("admin:payments_journal_change", args=[journal.pk]))
    url = reverse("admin:payments_journal_reverse", args=[journal.pk])
    assert url in change.content.decode()
    assert "€500.00" in client.get(url).content.decode()
    assert client.post(url, {"confirm": "1", "reason": "no"}).status_code == 422
    assert client.post(url, {"confirm": "1", "reason": BECAUSE}).status_code == 303
    reversal = Reversal.objects.get()
    decide = reverse("admin:payments_reversal_change", args=[reversal.pk])
    own = client.get(decide).content.decode()
    assert "another person has to decide" in own
    assert 'name="approve"' not in own
    client.post(decide, {"approve": "1", "reason": BECAUSE})
    reversal.refresh_from_db()
    assert reversal.status == "asked"
    sign_in(second)
    assert "Reverse €500.00" in client.get(decide).content.decode()
    client.post(decide, {"approve": "1", "reason": BECAUSE})
    reversal.refresh_from_db()
    assert reversal.status == "posted"
    assert "reversed already" in client.get(url).content.decode()


def test_the_page_is_closed_to_staff_without_the_right(client, market):
    user = UserFactory()
    user.is_staff = True
    user.save()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:payments_journal_reverse", args=[misplaced().pk])
    assert client.post(url, {"confirm": "1", "reason": BECAUSE}).status_code == 403
    assert client.get(reverse("admin:payments_account_liabilities")).status_code == 403
    assert client.get(reverse("admin:payments_reversal_changelist")).status_code == 403


def test_releases_stay_out_of_reach(market):
    hold = market.held("50.00")
    holds.release(hold, by=market.client, basis="approval")
    for journal in Journal.objects.exclude(kind="stripe_fee"):
        assert reversals.why_not(journal)
