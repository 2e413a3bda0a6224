"""The proof fails, and names the row, when one cent is changed behind the guards' back."""

import io
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from payments import ledger
from payments.services import holds
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


def proof():
    """What the command prints: the good news, and the rows that are off."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("verify_ledger", stdout=out, stderr=err)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


@contextmanager
def guards_off(table):
    """As the owner may do by hand."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def books(market):
    """A ledger in which something of everything has happened."""
    market.refill()
    made = {"held": market.held(), "paused": market.held("200.00"), "split": market.held("300.00")}
    holds.pause(made["paused"], by=market.client)
    holds.pause(made["split"], by=market.client)
    holds.split(made["split"], to_payee=eur("100.00"), by=market.client, basis="decision")
    made["released"] = market.held("400.00")
    holds.release(made["released"], by=market.client, basis="approval")
    ledger.roll_up()
    return made


def test_a_whole_ledger_is_proved_with_counts(books):
    said, errors = proof()
    assert errors == ""
    assert said.endswith("ledger: whole\n")
    assert "        4  holds hold what their status says: ok" in said


def test_an_empty_ledger_is_whole(db):
    assert proof()[0].endswith("ledger: whole\n")


# Each table that knows an amount, and what the proof says when one is a cent too much.
CENTS = [
    ("payments_entry", "amount", "sums to"),
    ("payments_balance", "posted", "its entries sum to"),
    ("payments_rollup", "posted", "roll-up of account"),
    ("payments_hold", "amount_minor", "hold"),
    ("payments_hold", "client_fee_minor", "its policy says"),
    ("payments_hold", "freelancer_fee_minor", "its policy says"),
    ("payments_funding", "amount_minor", "funding"),
    ("payments_fundingpart", "amount_minor", "in its parts"),
    ("payments_transfer", "amount_minor", "transfer"),
    ("payments_refund", "amount_minor", "refund"),
    ("payments_invoice", "total_minor", "invoice"),
    ("payments_invoicecounter", "last", "the counter says"),
]
# The line names what the row belongs to instead.
NAMED_OTHERWISE = {"payments_entry", "payments_fundingpart", "payments_invoicecounter"}


def test_one_cent_changed_by_hand_in_any_table_is_found_and_its_row_named(books):
    for table, column, words in CENTS:
        key = "account_id" if table in {"payments_balance", "payments_rollup"} else "id"
        change = f"UPDATE {table} SET {column} = {column} + %s WHERE {key} = %s"
        with guards_off(table) as cursor:
            cursor.execute(f"SELECT max({key}) FROM {table}")
            pk = cursor.fetchone()[0]
            cursor.execute(change, [1, pk])
        said, errors = proof()
        with guards_off(table) as cursor:
            cursor.execute(change, [-1, pk])
        assert "not as they must be" in said, table
        assert words in errors, table
        assert table in NAMED_OTHERWISE or f" {pk} " in errors, table
    assert proof()[1] == ""


def test_a_change_that_still_sums_to_zero_is_found_too(books):
    """Two legs, one cent up and one down, and both balances with them: only the digest knows."""
    with guards_off("payments_entry") as cursor:
        cursor.execute(
            "SELECT journal.id FROM payments_journal AS journal WHERE kind = 'stripe_fee' LIMIT 1"
        )
        journal = cursor.fetchone()[0]
        cursor.execute(
            "UPDATE payments_entry SET amount = amount + sign(amount)::int WHERE journal_id = %s",
            [journal],
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_rollup SET posted = (SELECT sum(amount) FROM payments_entry "
            "WHERE payments_entry.account_id = payments_rollup.account_id)"
        )
    _said, errors = proof()
    assert f"journal {journal} (fee:" in errors
    assert "changed after it was posted" in errors


STORIES = {
    "DELETE FROM payments_entry WHERE id = (SELECT max(id) FROM payments_entry)": "sums to",
    "UPDATE payments_journal SET kind = 'gift' WHERE kind = 'funded'": "changed after",
    "UPDATE payments_account SET floor = -100 WHERE role = 'held'": "floor",
    "UPDATE payments_hold SET status = 'held' WHERE status = 'paused'": "hold",
    "UPDATE payments_transfer SET status = 'sending'": "in clearing",
    "UPDATE payments_refund SET status = 'requested'": "in clearing",
    "UPDATE payments_refund SET status = 'failed'": "credit",
}


@pytest.mark.parametrize(("statement", "words"), STORIES.items())
def test_rows_that_tell_another_story_than_the_books_are_found(books, statement, words):
    table = next(word for word in statement.split() if word.startswith("payments_"))
    with guards_off(table) as cursor:
        cursor.execute(statement)
    said, errors = proof()
    assert "not as they must be" in said
    assert words in errors


def test_money_that_stays_between_two_accounts_for_too_long_is_found(books, market):
    hold = market.held("50.00")
    market.stripe.fail_next("drop_before", on="POST /v1/refunds", times=2)
    holds.refund(hold, by=market.client, basis="settlement")
    assert proof()[1] == ""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_refund SET created_at = '2020-01-01' WHERE hold_id = %s", [hold.pk]
        )
    assert "requested since 2020-01-01" in proof()[1]
