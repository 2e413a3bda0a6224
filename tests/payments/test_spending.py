"""Spending by purchase order, contract and month: pages, CSV and API say the same to the cent."""

import datetime as dt

import pytest
from django.urls import reverse

from marketplace.core import clock
from payments.models import Hold
from payments.selectors.spending import Asked, spending_by
from payments.services import orders
from projects.services import ending
from tests.payments.disputing import top_up
from tests.payments.world import eur
from tests.projects.work import Work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(stripe_sandbox):
    """Two contracts of one client: €600 and €1,100 under PO-7, €50 without a number."""
    first = Work.build(stripe_sandbox, "600.00", "1100.00")
    second = Work.build(stripe_sandbox, "50.00", client=first.client)
    top_up(stripe_sandbox, eur("500.00"))
    orders.put(payer=first.client.party, work=first.contract.ref, number="PO-7", by=first.client)
    for work in (first, second):
        work.connect()
    first.approved(1)
    first.funded(2)
    second.funded(1)
    ending.return_part(first.step(2), by=first.freelancer, amount=eur("100.00"))
    first.work_off()
    return first, second


def told(totals):
    return [(one.key, one.payments, one.paid, one.back, one.spent, one.fees) for one in totals]


def test_totals_per_order_and_contract_and_month_are_exact(two):
    first, second = two
    ordered = ("PO-7", 2, eur("1751.00"), eur("103.00"), eur("1648.00"), eur("48.00"))
    without = ("", 1, eur("51.50"), eur("0.00"), eur("51.50"), eur("1.50"))
    assert told(spending_by(first.client, Asked())) == [without, ordered]
    by_contract = spending_by(first.client, Asked(by="contract"))
    assert {one.key for one in by_contract} == {first.contract.ref, second.contract.ref}
    Hold.objects.filter(label__contains="Step 2").update(
        held_at=dt.datetime(2025, 12, 31, 23, 59, tzinfo=dt.UTC)
    )
    months = spending_by(first.client, Asked(by="month"))
    assert [one.key for one in months] == [f"{clock.now():%Y-%m}", "2025-12"]
    assert months[1].spent == eur("1030.00")


def test_the_filter_is_in_the_address_and_the_file_and_the_api_say_the_same(two):
    first, second = two
    page = first.as_client.get(reverse("payments:spending"), {"order": "PO-7"}).content.decode()
    assert "€1,648.00" in page
    assert "€51.50" not in page
    csv_url = f"{reverse('payments:spending-csv')}?order=PO-7"
    assert csv_url.split("?", maxsplit=1)[0] in page
    made = first.as_client.get(csv_url).content.decode("utf-8-sig")
    assert "PO-7" in made
    assert "1648.00" in made
    assert "51.50" not in made
    api = first.as_client.get(
        "/api/v1/spending/", {"by": "contract", "contract": second.contract.ref}
    )
    assert api.json() == [
        {
            "key": second.contract.ref,
            "currency": "EUR",
            "payments": 1,
            "paid": "51.50",
            "came_back": "0.00",
            "spent": "51.50",
            "fees": "1.50",
        }
    ]


def test_days_bound_it_and_an_end_before_its_start_is_refused(two):
    first, _second = two
    today = clock.now().date()
    tomorrow = today + dt.timedelta(days=1)
    Hold.objects.filter(label__contains="Step 1").update(
        held_at=dt.datetime.combine(tomorrow, dt.time.min, tzinfo=dt.UTC)
    )
    assert len(spending_by(first.client, Asked(until=today, order="PO-7"))) == 1
    assert spending_by(first.client, Asked(until=today, order="PO-7"))[0].payments == 1
    assert spending_by(first.client, Asked(since=tomorrow, order="PO-7"))[0].payments == 1
    asked = {"since": f"{tomorrow}", "until": f"{today}"}
    assert first.as_client.get(reverse("payments:spending"), asked).status_code == 422
    assert first.as_client.get("/api/v1/spending/", asked).status_code == 400
    assert first.as_client.get("/api/v1/spending/", {"by": "colour"}).status_code == 400


def test_nobody_reads_the_spending_of_others(two):
    first, _second = two
    assert spending_by(first.freelancer, Asked()) == []
    assert "PO-7" not in first.as_freelancer.get(reverse("payments:spending")).content.decode()


def test_it_costs_two_queries_however_many_payments(two, django_assert_num_queries):
    first, second = two
    with django_assert_num_queries(2):
        assert spending_by(first.client, Asked(by="contract"))
    third = Work.build(second.stripe, "20.00", "30.00", client=first.client)
    third.funded(1)
    third.funded(2)
    with django_assert_num_queries(2):
        assert len(spending_by(first.client, Asked(by="contract"))) == 3


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_days_beyond_the_calendar_are_refused_and_not_an_error_of_ours(two, day):
    client = two[0].as_client
    for name, key in (("since", "since"), ("until", "until")):
        page = client.get(reverse("payments:spending"), {name: day})
        assert page.status_code == 422
        assert "Choose a day" in page.content.decode()
        answer = client.get("/api/v1/spending/", {key: day})
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
