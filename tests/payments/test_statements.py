"""A statement is the ledger of a month or a year, on one page."""

import datetime as dt

import pytest
import time_machine
from django.http import Http404
from django.urls import reverse

from marketplace.core import clock
from marketplace.core.money import Money
from payments.selectors import periods, statements
from payments.selectors.periods import Period
from payments.services import holds, statement_paper
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

OCTOBER = dt.datetime(2026, 10, 31, 23, 30, tzinfo=dt.UTC)
NOVEMBER = dt.datetime(2026, 11, 1, 0, 30, tzinfo=dt.UTC)


@pytest.fixture
def moved(market):
    """One payment earned half an hour before a month ends, one half an hour after, one held."""
    with time_machine.travel(OCTOBER, tick=False):
        market.connect()
        holds.release(market.held("600.00"), by=market.client, basis="approval")
        market.work()
    with time_machine.travel(NOVEMBER, tick=False):
        holds.release(market.held("100.00"), by=market.client, basis="approval")
        market.held("40.00")
    return market


def statement_of(user, slug):
    return periods.statement(user.party, Period.named(slug))


def amounts(sums):
    return {move.kind_text: move.amount for move in sums.moves}


def test_a_month_tells_what_was_earned_in_it_and_with_which_fee(moved):
    october, november = (statement_of(moved.freelancer, slug) for slug in ("2026-10", "2026-11"))

    (earned,) = october.earned
    assert (earned.amount, earned.fee, earned.total) == (eur("600.00"), eur("48.00"), eur("552.00"))
    assert [(work.on, work.other_side) for work in earned.works] == [
        (dt.date(2026, 10, 31), "Kim Weber")
    ]
    assert [section.amount for section in november.earned] == [eur("100.00")]
    assert october.paid_in == []


def test_a_payer_s_month_tells_what_was_paid_in_with_the_fee_on_top(moved):
    (paid,) = statement_of(moved.client, "2026-11").paid_in

    assert (paid.amount, paid.fee, paid.total) == (eur("140.00"), eur("4.20"), eur("144.20"))


def test_what_a_month_ends_with_is_what_the_next_begins_with(moved):
    for user in (moved.client, moved.freelancer):
        october, november = (statement_of(user, slug).sums for slug in ("2026-10", "2026-11"))
        year = statement_of(user, "2026").sums

        assert year[0].opening == eur("0.00")
        last = october[0].closing if october else eur("0.00")
        assert november[0].opening == last
        assert november[0].closing == year[0].closing
        assert [year[0].closing] == statements.overview(user.party).here


def test_the_moves_explain_the_difference_to_the_last_cent(moved):
    (sums,) = statement_of(moved.freelancer, "2026-10").sums

    assert amounts(sums) == {
        "Paid in": eur("600.00"),
        "Released": -eur("48.00"),
        "Paid out": -eur("552.00"),
    }
    assert sums.closing == eur("0.00")


def test_every_currency_has_sums_of_its_own(market):
    holds.release(market.held("600.00"), by=market.client, basis="approval")
    yen = market.open(Money(5000, "JPY"))
    market.fund(yen)

    year = statement_of(market.client, f"{clock.now():%Y}")

    assert [sums.currency for sums in year.sums] == ["EUR", "JPY"]
    assert [section.total for section in year.paid_in] == [eur("618.00"), Money(5150, "JPY")]


def test_the_list_names_each_month_with_its_year_first_and_newest_first(moved):
    assert [period.slug for period in periods.periods_of(moved.client.party)] == [
        "2026",
        "2026-11",
        "2026-10",
    ]


@pytest.mark.parametrize("slug", ["2026-13", "2026-1", "26", "x", "2026-11-01", "1999", "２０２６"])
def test_a_period_that_is_none_is_not_found(slug):
    with pytest.raises(Http404):
        Period.named(slug)


def test_what_has_not_begun_is_not_found():
    with time_machine.travel(OCTOBER, tick=False), pytest.raises(Http404):
        Period.named("2026-11")


def test_the_paper_of_a_past_month_is_the_same_whenever_it_is_printed(moved):
    with time_machine.travel(dt.datetime(2026, 12, 3, tzinfo=dt.UTC), tick=False):
        first = statement_paper.pdf(statement_of(moved.freelancer, "2026-10"))
    with time_machine.travel(dt.datetime(2027, 2, 3, tzinfo=dt.UTC), tick=False):
        again = statement_paper.pdf(statement_of(moved.freelancer, "2026-10"))

    assert first.startswith(b"%PDF-1.7")
    assert first == again


def test_people_read_and_download_theirs_and_nobody_else_s(client, moved):
    client.force_login(moved.freelancer, "django.contrib.auth.backends.ModelBackend")
    mine = moved.freelancer.party.ref
    with time_machine.travel(NOVEMBER, tick=False):
        shelf = client.get(reverse("payments:statements", args=[mine])).content.decode()
        page = client.get(reverse("payments:statement", args=[mine, "2026-10"])).content.decode()
        running = client.get(reverse("payments:statement", args=[mine, "2026-11"]))
        pdf = client.get(reverse("payments:statement-pdf", args=[mine, "2026-10"]))
        table = client.get(reverse("payments:statement-csv", args=[mine, "2026-10"]))
        other = client.get(reverse("payments:statement", args=[moved.client.party.ref, "2026-10"]))

    assert "Oct 2026" in shelf
    assert "€552.00" in page
    assert "The period is not over" in running.content.decode()
    assert pdf["Content-Type"] == "application/pdf"
    assert table.content.decode().splitlines()[1] == (
        "2026-10-31,Earned,Wireframes,Kim Weber,EUR,600.00,48.00,552.00"
    )
    assert other.status_code == 404


def test_programs_read_the_same(client, moved):
    client.force_login(moved.freelancer, "django.contrib.auth.backends.ModelBackend")
    ref = moved.freelancer.party.ref

    listed = client.get(f"/api/v1/ledgers/{ref}/statements/").json()
    found = client.get(f"/api/v1/ledgers/{ref}/statements/2026-10/").json()

    assert [period["period"] for period in listed] == ["2026", "2026-11", "2026-10"]
    assert found["sums"][0]["closing"] == "0.00"
    assert found["earned"][0]["total"] == "552.00"
