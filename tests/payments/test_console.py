"""For any cent: whose it is, since when, and by when it must go."""

import datetime as dt

import pytest
from django.urls import reverse

from marketplace.core import clock
from marketplace.core.money import Money
from payments import ledger
from payments.models import Hold
from payments.selectors import liabilities
from payments.services import holds
from tests.factories import StaffFactory
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(client):
    client.force_login(StaffFactory(), "django.contrib.auth.backends.ModelBackend")
    return client


def line(books, role):
    return next(one.amount for one in books.lines if one.role == role)


def test_what_we_have_is_what_we_owe_and_what_is_ours_to_the_cent(market):
    market.held("100.00")
    released = market.held("200.00")
    holds.release(released, by=market.client, basis="approval")
    for rolled_up in (False, True):
        if rolled_up:
            ledger.roll_up()
        (books,) = liabilities.books()
        assert line(books, "held") == eur("100.00")
        assert line(books, "client_fee_held") == eur("3.00")
        assert line(books, "payable") == eur("184.00")
        assert line(books, "fee_revenue") == eur("22.00")
        assert books.we_owe == eur("287.00")
        assert books.we_have == books.we_owe + books.ours
        assert not books.unexplained
        assert books.we_have == -ledger.balance(ledger.STRIPE_BALANCE, "EUR")


def test_every_owed_cent_has_a_name(staff, market):
    market.held("100.00")
    released = market.held("200.00")
    holds.release(released, by=market.client, basis="approval")
    for role, amount, names in (
        ("held", "€100.00", ("Kim Weber", "Ines Carvalho", "Wireframes")),
        ("payable", "€184.00", ("Ines Carvalho",)),
    ):
        url = reverse("admin:payments_account_liabilities")
        page = staff.get(url, {"role": role, "currency": "EUR"}).content.decode()
        for words in (amount, *names):
            assert words in page
    assert "to the last cent" in page


def test_owners_are_paged_without_losing_or_repeating_one(market):
    for _number in range(5):
        market.held("20.00")
    seen, after = [], ""
    while True:
        page = liabilities.owed("held", "EUR", after=after, limit=2)
        seen += [row.key for row in page.rows]
        after = page.after
        if not after:
            break
    assert sorted(seen) == sorted(Hold.objects.values_list("ref", flat=True))


def test_the_report_costs_the_same_few_queries_however_many_owners(
    staff, market, django_assert_num_queries
):
    url = reverse("admin:payments_account_liabilities")
    asked = {"role": "held", "currency": "EUR"}
    market.held("20.00")
    staff.get(url, asked)
    for count in (0, 9):
        for _number in range(count):
            market.held("20.00")
        with django_assert_num_queries(4):
            page = staff.get(url, asked).content.decode()
        assert page.count("Wireframes") == count + 1


def test_a_broken_ledger_says_how_much_is_unexplained():
    books = liabilities.Books(
        "EUR", [liabilities.Line("held", "Held", "we_owe", Money(1, "EUR"), 1)]
    )
    assert books.unexplained == Money(-1, "EUR")


def test_holds_show_their_age_and_the_days_left(staff, market):
    old, older, late, fresh = (market.held("20.00") for _number in range(4))
    now = clock.now()
    for hold, days in ((old, 61), (older, 80), (late, 90), (fresh, 2)):
        Hold.objects.filter(pk=hold.pk).update(held_at=now - dt.timedelta(days=days, hours=1))
    url = reverse("admin:payments_hold_changelist")

    def shown(age):
        page = staff.get(url, {"age": age})
        return {hold.ref for hold in page.context["cl"].result_list}

    assert shown("30") == shown("60") == {old.ref, older.ref, late.ref}
    assert shown("75") == {older.ref, late.ref}
    assert shown("over") == {late.ref}
    page = staff.get(url).content.decode()
    for text in (">61<", ">24<", ">-5<", ">83<"):
        assert text in page


def test_money_that_is_gone_has_no_age(market):
    hold = market.held("20.00")
    holds.release(hold, by=market.client, basis="approval")
    from payments.selectors.holds import days_held, days_left

    assert (days_held(hold), days_left(hold)) == (None, None)
