"""The ledger refuses what must never be, whoever asks."""

import random
import threading
from collections import Counter

import psycopg2
import pytest
from django.db import IntegrityError, connection, transaction

from marketplace.core.money import Money
from payments import ledger
from payments.ledger import FEE_REVENUE, STRIPE_BALANCE, STRIPE_FEES, Name, Role, post
from payments.models import Account, Balance, Entry, Journal, Rollup
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

HELD = Name(Role.HELD, "hold-a")
OTHER = Name(Role.HELD, "hold-b")
PAYABLE = Name(Role.PAYABLE, "party-a")


def fill(name, amount="100.00", key=None):
    return post(
        key or f"fill:{name.role}:{name.owner}",
        "funded",
        [(STRIPE_BALANCE, -eur(amount)), (name, eur(amount))],
    )


def account(name):
    return Account.objects.get(role=name.role, owner_key=name.owner)


def refused(cursor_or_connection, statement, parameters=None):
    """The constraint or SQLSTATE that refused it; fails when nothing did."""
    with pytest.raises(psycopg2.Error) as caught, cursor_or_connection as link:
        with link.cursor() as cursor:
            cursor.execute(statement, parameters)
    return caught.value.diag.constraint_name or caught.value.pgcode


# --- Posting --------------------------------------------------------------------------------


def test_a_posting_moves_balances_by_its_legs():
    fill(HELD)
    post(
        "end:a",
        "released",
        [(HELD, -eur("100.00")), (PAYABLE, eur("92.00")), (FEE_REVENUE, eur("8.00"))],
    )

    assert ledger.balance(HELD, "EUR") == eur("0.00")
    assert ledger.balance(PAYABLE, "EUR") == eur("92.00")
    assert ledger.balance(FEE_REVENUE, "EUR") == eur("8.00")
    assert ledger.balance(STRIPE_BALANCE, "EUR") == -eur("100.00")


def test_the_same_key_with_the_same_content_moves_nothing_twice():
    first = fill(HELD)
    again = fill(HELD)

    assert first == again
    assert ledger.balance(HELD, "EUR") == eur("100.00")


def test_the_same_key_with_other_content_is_an_alarm():
    fill(HELD, "100.00", key="charge:1")
    with pytest.raises(ledger.KeyReused):
        fill(HELD, "100.01", key="charge:1")
    assert ledger.balance(HELD, "EUR") == eur("100.00")


def test_a_journal_is_undone_at_most_once():
    first = fill(HELD)
    back = [(HELD, -eur("100.00")), (STRIPE_BALANCE, eur("100.00"))]
    post("undo:1", "undone", back, reverses=first)
    fill(HELD, key="fill:again")
    with pytest.raises(IntegrityError):
        post("undo:2", "undone", back, reverses=first)


def test_an_account_never_falls_below_its_floor():
    fill(HELD, "100.00")
    with pytest.raises(ledger.Overdrawn):
        post("too-much", "x", [(HELD, -eur("100.01")), (PAYABLE, eur("100.01"))])
    assert ledger.balance(HELD, "EUR") == eur("100.00")
    assert not Journal.objects.filter(idempotency_key="too-much").exists()


def test_what_fails_dooms_the_whole_happening():
    with pytest.raises(ledger.Overdrawn), transaction.atomic():
        fill(OTHER)
        post("too-much", "x", [(HELD, -eur("1.00")), (PAYABLE, eur("1.00"))])
    assert not Journal.objects.exists()


def test_a_posting_works_inside_a_savepoint():
    with transaction.atomic():
        fill(OTHER)
        with transaction.atomic():
            fill(HELD)
    assert ledger.balance(HELD, "EUR") == eur("100.00")


def test_legs_that_do_not_sum_to_zero_are_refused_where_they_are_written():
    with pytest.raises(ValueError, match="sum to zero"):
        post("bad", "x", [(HELD, eur("1.00")), (STRIPE_BALANCE, -eur("0.99"))])
    with pytest.raises(ValueError, match="sum to zero"):
        post("bad", "x", [(HELD, eur("1.00")), (STRIPE_BALANCE, -Money(100, "USD"))])
    with pytest.raises(ValueError, match="sum to zero"):
        post("bad", "x", [(HELD, eur("0.00")), (STRIPE_BALANCE, eur("0.00"))])


def test_two_currencies_of_one_owner_are_two_accounts():
    fill(HELD)
    post("usd", "funded", [(STRIPE_BALANCE, -Money(7, "USD")), (HELD, Money(7, "USD"))])
    assert ledger.balance(HELD, "USD") == Money(7, "USD")
    assert ledger.balance(HELD, "EUR") == eur("100.00")


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1234), ("KWD", 1234567), ("EUR", 1)])
def test_f11_minor_units_are_exact_in_every_currency(currency, minor):
    amount = Money(minor, currency)
    post("odd", "funded", [(STRIPE_BALANCE, -amount), (HELD, amount)])
    assert ledger.balance(HELD, currency) == amount


# --- What the database refuses --------------------------------------------------------------

BALANCED = [(STRIPE_BALANCE, -eur("5.00")), (HELD, eur("5.00"))]


def raw_journal(cursor, key="raw"):
    cursor.execute(
        "INSERT INTO payments_journal (idempotency_key, fingerprint, kind, ref, created_at) "
        "VALUES (%s, '', 'x', '', now()) RETURNING id",
        [key],
    )
    return cursor.fetchone()[0]


def raw_entry(cursor, journal, name, minor, currency="EUR"):
    cursor.execute(
        "INSERT INTO payments_entry (journal_id, account_id, currency, amount) "
        "VALUES (%s, %s, %s, %s)",
        [journal, account(name).pk, currency, minor],
    )


@pytest.mark.parametrize(
    ("legs", "constraint"),
    [
        ([(HELD, 100), (OTHER, -99)], "journal_sums_to_zero"),
        ([(HELD, 100)], "journal_has_entries"),
        ([], "journal_has_entries"),
    ],
)
def test_l3_an_unbalanced_one_legged_or_empty_journal_is_refused_at_commit(legs, constraint):
    fill(HELD)
    fill(OTHER)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        with connection.cursor() as cursor:
            journal = raw_journal(cursor)
            for name, minor in legs:
                raw_entry(cursor, journal, name, minor)
    assert caught.value.__cause__.diag.constraint_name == constraint
    assert ledger.balance(HELD, "EUR") == eur("100.00")


def test_l4_a_balanced_pair_appended_to_an_old_journal_is_refused():
    old = fill(HELD)
    fill(OTHER)
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        with connection.cursor() as cursor:
            raw_entry(cursor, old.pk, HELD, 5)
            raw_entry(cursor, old.pk, OTHER, -5)


def test_an_old_journal_cannot_be_reopened_by_naming_its_transaction():
    old = fill(HELD)
    xid = Journal.objects.get(pk=old.pk).xid
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_entry (journal_id, account_id, currency, amount, xid) "
                "VALUES (%s, %s, 'EUR', 5, %s::xid8)",
                [old.pk, account(HELD).pk, str(xid)],
            )


def test_an_entry_of_nothing_or_in_another_currency_than_its_account_is_refused():
    fill(HELD)
    fill(OTHER)
    for minor, currency in ((0, "EUR"), (5, "USD")):
        with pytest.raises(IntegrityError), transaction.atomic():
            with connection.cursor() as cursor:
                journal = raw_journal(cursor)
                raw_entry(cursor, journal, HELD, minor, currency)
                raw_entry(cursor, journal, OTHER, -minor, currency)


def test_no_session_can_wave_the_guards_away():
    fill(HELD)
    everything = ",".join(
        f"payments.{model}:{name}"
        for model in ("Entry", "Journal", "Balance")
        for name in ("append_only", "zero_sum", "only_by_entries")
    )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('pgtrigger.ignore', '{{{everything}}}', true)")
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger"
        )
        cursor.execute("UPDATE payments_entry SET amount = amount + 1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_entry SET amount = amount + 1",
        "DELETE FROM payments_entry",
        "UPDATE payments_journal SET kind = 'y'",
        "DELETE FROM payments_journal",
        "UPDATE payments_account SET floor = NULL",
        "DELETE FROM payments_account",
        "UPDATE payments_balance SET posted = posted + 1",
        "UPDATE payments_balance SET floor = NULL",
        "DELETE FROM payments_balance",
        "TRUNCATE payments_entry",
        "TRUNCATE payments_journal CASCADE",
        "TRUNCATE payments_balance",
        "TRUNCATE payments_account CASCADE",
    ],
)
def test_l2_nobody_rewrites_history_not_even_the_owner(statement):
    fill(HELD)
    with pytest.raises(IntegrityError, match="refused"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["journal", "entry", "account", "balance"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_l2_the_serving_role_has_no_right_to_even_try(app_role, table, verb):
    fill(HELD)
    column = "account_id = account_id" if table == "balance" else "id = id"
    statement = verb.replace("id = id", column).format(f"payments_{table}")
    assert refused(app_role, statement) == "42501"


def test_the_serving_role_moves_balances_by_posting_only(app_role):
    fill(HELD)
    held, other = account(HELD).pk, fill(OTHER) and account(OTHER).pk
    with app_role, app_role.cursor() as cursor:
        journal = raw_journal(cursor)
        raw_entry(cursor, journal, HELD, -5)
        raw_entry(cursor, journal, OTHER, 5)
    assert Balance.objects.get(account=held).posted == 99_95
    assert Balance.objects.get(account=other).posted == 100_05
    assert refused(app_role, "INSERT INTO payments_balance VALUES (%s, 1, NULL, 0)", [held]) in {
        "42501",
        "23001",
    }


def test_the_serving_role_opens_accounts_and_the_guard_gives_them_a_balance(app_role):
    opened = (
        "INSERT INTO payments_account (role, owner_key, currency, mode, floor) "
        "VALUES (%s, 'x', 'EUR', %s, %s) RETURNING id"
    )
    with app_role, app_role.cursor() as cursor:
        cursor.execute(opened, ["held", "i", 0])
        inline = cursor.fetchone()[0]
        cursor.execute(opened, ["suspense", "d", None])
        shared = cursor.fetchone()[0]
    assert Balance.objects.get(account=inline).floor == 0
    assert Rollup.objects.get(account=shared).posted == 0


def test_the_serving_role_cannot_move_a_balance_from_a_trigger_of_its_own(app_role):
    fill(HELD)
    with app_role, app_role.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE lever (n int)")
        cursor.execute(
            "CREATE FUNCTION pg_temp.pull() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN UPDATE payments_balance SET posted = posted + 1; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER pull BEFORE INSERT ON lever FOR EACH ROW "
            "EXECUTE FUNCTION pg_temp.pull()"
        )
    assert refused(app_role, "INSERT INTO lever VALUES (1)") == "42501"
    assert ledger.balance(HELD, "EUR") == eur("100.00")


# --- Many at once ---------------------------------------------------------------------------


def test_two_who_take_the_same_hundred_leave_one_winner_fifty_times():
    for round_ in range(50):
        name = Name(Role.CLIENT_CREDIT, f"party-{round_}")
        fill(name)

        def take(number, name=name, round_=round_):
            post(
                f"take:{round_}:{number}",
                "taken",
                [(name, -eur("100.00")), (Name(Role.HELD, f"{round_}-{number}"), eur("100.00"))],
            )

        outcomes = together(take, 2)
        assert sorted(outcomes) == ["Overdrawn", "ok"], round_
        assert ledger.balance(name, "EUR") == eur("0.00")


def test_one_key_from_many_threads_is_one_journal():
    outcomes = together(lambda _number: fill(HELD), 16)
    assert set(outcomes) == {"ok"}
    assert Journal.objects.count() == 1
    assert ledger.balance(HELD, "EUR") == eur("100.00")


def test_l6_postings_between_few_accounts_in_random_order_never_deadlock():
    names = [Name(Role.HELD, f"hold-{number}") for number in range(4)]
    for name in names:
        fill(name, "1000000.00")
    count = 400

    def shuffle(number):
        chance = random.Random(number)
        for step in range(count):
            one, two = chance.sample(names, 2)
            post(f"move:{number}:{step}", "x", [(one, -eur("0.01")), (two, eur("0.01"))])

    assert Counter(together(shuffle, 8)) == {"ok": 8}
    assert Entry.objects.count() == 2 * (4 + 8 * count)
    assert sum(ledger.balance(name, "EUR").minor for name in names) == 4 * 100_000_000


# --- Roll-up --------------------------------------------------------------------------------


def test_a_shared_account_shows_every_posting_before_and_after_the_roll_up():
    for number in range(3):
        fill(HELD, key=f"fill:{number}")
        assert ledger.balance(STRIPE_BALANCE, "EUR") == Money(-100_00 * (number + 1), "EUR")
        ledger.roll_up()
    rolled = Rollup.objects.get(account=account(STRIPE_BALANCE))
    assert rolled.posted == -300_00
    assert ledger.roll_up() == 0


def test_a_roll_up_never_skips_a_posting_that_commits_late():
    post("open", "x", [(STRIPE_BALANCE, -eur("100.00")), (STRIPE_FEES, eur("100.00"))])
    entered, go_on = threading.Event(), threading.Event()

    def slow(_number):
        with transaction.atomic():
            post("slow", "x", [(STRIPE_BALANCE, -eur("1.00")), (STRIPE_FEES, eur("1.00"))])
            entered.set()
            go_on.wait(120)

    thread = threading.Thread(target=together, args=(slow, 1))
    thread.start()
    assert entered.wait(120)
    post("quick", "x", [(STRIPE_BALANCE, -eur("2.00")), (STRIPE_FEES, eur("2.00"))])
    ledger.roll_up()
    go_on.set()
    thread.join()
    ledger.roll_up()

    assert Rollup.objects.get(account=account(STRIPE_BALANCE)).posted == -103_00
    assert ledger.balance(STRIPE_BALANCE, "EUR") == Money(-103_00, "EUR")


def test_roll_ups_beside_postings_lose_and_double_nothing():
    def work(number):
        for step in range(40):
            if number == 0:
                ledger.roll_up()
            else:
                one = eur("0.01")
                post(f"p:{number}:{step}", "x", [(STRIPE_BALANCE, -one), (STRIPE_FEES, one)])

    assert set(together(work, 5)) == {"ok"}
    ledger.roll_up()
    assert Rollup.objects.get(account=account(STRIPE_FEES)).posted == 160
    assert ledger.balance(STRIPE_FEES, "EUR") == eur("1.60")
