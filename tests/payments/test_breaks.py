"""Differences between our books and Stripe's are rows with an owner and an age."""

import datetime as dt
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection
from django.urls import reverse

from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from payments import ledger, tasks
from payments.models import Break, Entry
from payments.services import breaks, holds, reconciliation
from tests.factories import StaffFactory, UserFactory
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

BECAUSE = "The operator topped up the balance by hand, see the bank statement of the day."


@pytest.fixture
def traffic(market):
    """Something of everything, and books that fit."""
    market.connect()
    market.refill()
    # What the operator puts on the balance nobody posts: it is explained here, once and for all.
    for amount in ("100.00", "250.00", "80.00"):
        market.held(amount)
    one, other, _third = market.client.party.holds_paid.order_by("id")
    holds.release(one, by=market.client, basis="approval")
    holds.refund(other, by=market.client, basis="settlement")
    reconciliation.reconcile()
    top_up = Break.objects.get()
    breaks.explain(top_up, by=StaffFactory(), reason=BECAUSE)
    return market


def open_rows():
    return {
        (row.source, row.currency): (row.at_stripe, row.in_books)
        for row in Break.objects.filter(closed_at=None)
    }


@contextmanager
def guards_off(table):
    """As the owner may do by hand."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_books_that_fit_leave_no_open_row(traffic):
    tasks.reconcile()
    tasks.reconcile_everything()
    assert open_rows() == {}


def test_L5_one_cent_in_an_entry_is_a_row_that_names_the_charge(traffic, caplog):
    entry = (
        Entry.objects.filter(account__role="stripe_balance", journal__kind="funded")
        .select_related("journal")
        .latest("id")
    )
    before = reconciliation._in_the_books([entry.journal.ref])[entry.journal.ref, "EUR"]
    with guards_off("payments_entry") as cursor:
        cursor.execute("UPDATE payments_entry SET amount = amount + 1 WHERE id = %s", [entry.pk])
    tasks.reconcile_everything()
    assert open_rows() == {(entry.journal.ref, "EUR"): (before, before - 1)}
    assert f"journal {entry.journal_id} (charge:{entry.journal.ref}) sums to 1 EUR" in caplog.text
    with guards_off("payments_entry") as cursor:
        cursor.execute("UPDATE payments_entry SET amount = amount - 1 WHERE id = %s", [entry.pk])
    tasks.reconcile_everything()
    assert open_rows() == {}
    closed = Break.objects.get(source=entry.journal.ref)
    assert (closed.why, closed.closed_by) == ("fits", None)


def test_L5_one_cent_at_stripe_that_no_movement_explains_is_a_row_of_the_balance(traffic):
    traffic.stripe.ask("adjust-balance", amount=1, currency="eur", silent=True)
    tasks.reconcile()
    assert open_rows() == {}, "the last days say nothing about the balance"
    tasks.reconcile_everything()
    rows = open_rows()
    assert set(rows) == {("balance", "EUR")}
    there, adds_up_to = rows["balance", "EUR"]
    assert there - adds_up_to == 1
    traffic.stripe.ask("adjust-balance", amount=-1, currency="eur", silent=True)
    tasks.reconcile_everything()
    assert open_rows() == {}


def test_L5_one_cent_that_moved_at_stripe_alone_is_a_row_the_same_hour(traffic):
    traffic.stripe.add_money(eur("0.01"))
    tasks.reconcile()
    assert list(open_rows().values()) == [(1, 0)]
    ((source, _currency),) = open_rows()
    assert source.startswith("txn_")


def test_L5_one_cent_in_the_books_alone_is_a_row_that_names_the_posting(traffic):
    ledger.post(
        "charge:ch_dreamt",
        "funded",
        [(ledger.STRIPE_BALANCE, -eur("0.01")), (ledger.SUSPENSE, eur("0.01"))],
        ref="ch_dreamt",
    )
    tasks.reconcile_everything()
    assert open_rows() == {("ch_dreamt", "EUR"): (0, 1)}


def test_what_is_posted_during_the_comparison_is_under_way_and_no_row(traffic):
    with clock.moved_to(clock.now() + dt.timedelta(minutes=5)):
        ledger.post(
            "charge:ch_fresh",
            "funded",
            [(ledger.STRIPE_BALANCE, -eur("1.00")), (ledger.SUSPENSE, eur("1.00"))],
            ref="ch_fresh",
        )
    report = reconciliation.reconcile()
    assert [one.source for one in report.under_way] == ["ch_fresh"]
    assert open_rows() == {}


def test_a_row_is_opened_once_however_often_and_by_however_many_it_is_seen(traffic):
    traffic.stripe.add_money(eur("5.00"))
    started = clock.now()
    tasks.reconcile()
    with clock.moved_to(started + dt.timedelta(hours=1)):
        tasks.reconcile()
    row = Break.objects.get(closed_at=None)
    assert row.last_seen_at - row.first_seen_at >= dt.timedelta(minutes=59)

    found = [breaks.Difference("txn_race", "EUR", 1, 0)]
    assert set(together(lambda _n: breaks.keep(found, at=clock.now(), fitting={}), 6)) == {"ok"}
    assert Break.objects.filter(source="txn_race").count() == 1
    assert AuditRow.objects.filter(action="break.opened", facts__source="txn_race").count() == 1


def test_a_partial_run_closes_only_what_it_knows_to_fit(traffic):
    at = clock.now()
    breaks.keep(
        [
            breaks.Difference("ch_old", "EUR", 100, 0),
            breaks.Difference("ch_new", "EUR", 100, 0),
            breaks.Difference("ch_part", "EUR", 100, 0),
        ],
        at=at,
    )
    breaks.keep([], at=at, fitting={("ch_new", "EUR"): 100, ("ch_part", "EUR"): 60})
    assert set(open_rows()) == {("ch_old", "EUR"), ("ch_part", "EUR")}
    breaks.keep([], at=at, moving={("ch_part", "EUR")})
    assert set(open_rows()) == {("ch_part", "EUR")}


def test_a_difference_is_taken_and_explained_with_a_reason_and_the_reason_holds(traffic):
    traffic.stripe.add_money(eur("5.00"))
    tasks.reconcile()
    row, staff = Break.objects.get(closed_at=None), StaffFactory()
    breaks.take(row, by=staff)
    assert row.owner == staff
    for reason in ("", "ok", "          "):
        with pytest.raises(InvalidInput):
            breaks.explain(row, by=staff, reason=reason)
    breaks.explain(row, by=staff, reason=BECAUSE)
    with pytest.raises(InvalidTransition):
        breaks.take(row, by=staff)
    assert set(AuditRow.objects.filter(subject_id=row.pk).values_list("action", flat=True)) >= {
        "break.opened", "break.taken", "break.explained",
    }  # fmt: skip

    report = reconciliation.reconcile()
    assert (len(report.explained), report.differences, open_rows()) == (2, [], {})


def test_an_explanation_ends_when_an_amount_changes(traffic):
    breaks.keep([breaks.Difference("ch_1", "EUR", 100, 0)], at=clock.now())
    breaks.explain(Break.objects.get(source="ch_1"), by=StaffFactory(), reason=BECAUSE)
    same, other = (breaks.Difference("ch_1", "EUR", 100, here) for here in (0, 1))
    assert breaks.explained([same, other]) == {same}


def test_only_staff_with_the_right_act_and_no_row_is_closed_without_a_reason(traffic):
    breaks.keep([breaks.Difference("ch_1", "EUR", 100, 0)], at=clock.now())
    row = Break.objects.get(source="ch_1")
    for act in (
        lambda: breaks.take(row, by=UserFactory()),
        lambda: breaks.explain(row, by=UserFactory(), reason=BECAUSE),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(IntegrityError, match="break_end_has_reason"):
        Break.objects.filter(pk=row.pk).update(closed_at=clock.now(), why="explained")


def test_staff_take_and_explain_on_screen(client, traffic):
    staff = StaffFactory()
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    breaks.keep([breaks.Difference("ch_1", "EUR", 100_00, 0)], at=clock.now())
    row = Break.objects.get(source="ch_1")
    url = reverse("admin:payments_break_changelist")
    with clock.moved_to(clock.now() + dt.timedelta(days=3)):
        page = client.get(url).content.decode()
    assert "ch_1" in page
    assert "€100.00" in page
    assert "3 days" in page
    picked = {"_selected_action": [row.pk]}
    client.post(url, {"action": "take", **picked})
    row.refresh_from_db()
    assert row.owner == staff
    asked = client.post(url, {"action": "explain", **picked})
    assert "Explain and close" in asked.content.decode()
    short = client.post(url, {"action": "explain", "confirm": "1", "reason": "ok", **picked})
    assert short.status_code == 422
    done = client.post(url, {"action": "explain", "confirm": "1", "reason": BECAUSE, **picked})
    assert done.status_code == 303
    row.refresh_from_db()
    assert (row.why, row.closed_by, row.note) == ("explained", staff, BECAUSE)
    assert "ch_1" not in client.get(url).content.decode()
    assert "ch_1" in client.get(url, {"state": "closed"}).content.decode()
