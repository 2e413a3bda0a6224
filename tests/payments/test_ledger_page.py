"""Everybody reads their own ledger: all of it, nothing else, and as a file."""

import csv
import datetime as dt
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.core.money import Money
from marketplace.core.tables import csv_text
from payments import ledger
from payments.models import Account, Hold, Journal
from payments.selectors import statements
from payments.services import holds
from tests.factories import CompanyFactory, UserFactory
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

ALL = statements.Wanted()


@pytest.fixture
def as_freelancer(client, market):
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def moved(market):
    """One paid out, one refunded, one split and one still held."""
    market.connect()
    market.refill()
    paid, back, split, _held = (market.held(text) for text in ("100.00", "50.00", "30.00", "20.00"))
    holds.release(paid, by=market.client, basis="approval")
    holds.refund(back, by=market.client, basis="settlement")
    holds.pause(split, by=market.client)
    holds.split(split, to_payee=eur("10.00"), by=market.client, basis="decision")
    return market


def balance_of(party, *roles):
    owned = Account.objects.filter(role__in=roles)
    holds_of = Hold.objects.filter(payer=party) | Hold.objects.filter(payee=party)
    keys = {party.ref, *holds_of.values_list("ref", flat=True)}
    return sum(account.balance.posted for account in owned if account.owner_key in keys)


def test_the_running_sum_ends_at_what_is_with_us(moved):
    for user, roles in (
        (moved.client, ("held", "client_fee_held", "dispute_hold", "client_credit")),
        (moved.freelancer, ("held", "dispute_hold", "pending", "payable")),
    ):
        lines = statements.everything(user.party, ALL)
        running = 0
        for number, line in enumerate(lines, start=1):
            running += line.amount.minor
            assert (line.number, line.running) == (number, Money(running, "EUR"))
        assert running == balance_of(user.party, *roles) > 0
        assert statements.overview(user.party).here == [Money(running, "EUR")]


def test_a_release_reads_as_what_went_and_the_fee_is_the_difference(market):
    hold = market.held("100.00")
    holds.release(hold, by=market.client, basis="approval")
    told = [
        (line.kind_text, line.place_text, line.amount, line.about)
        for line in statements.everything(market.freelancer.party, ALL)
    ]
    assert told == [
        ("Paid in", "Held", eur("100.00"), "Wireframes"),
        ("Released", "Held", -eur("100.00"), "Wireframes"),
        ("Released", "In the security hold", eur("92.00"), "Wireframes"),
        ("Security hold over", "In the security hold", -eur("92.00"), "Wireframes"),
        ("Security hold over", "Waiting for payout", eur("92.00"), "Wireframes"),
    ]


def test_the_payee_does_not_see_the_payers_fee(moved):
    places = {line.place for line in statements.everything(moved.freelancer.party, ALL)}
    assert "client_fee_held" not in places
    assert "refund_clearing" not in places
    places = {line.place for line in statements.everything(moved.client.party, ALL)}
    assert places.isdisjoint({"pending", "payable", "transfer_clearing"})


def test_every_kind_of_journal_on_peoples_accounts_has_words(moved):
    shared = {role.value for role in ledger.OVERDRAWABLE}
    kinds = Journal.objects.exclude(entries__account__role__in=shared).values_list(
        "kind", flat=True
    )
    assert {*kinds, "funded", "transfer_sent", "refund_sent"} <= set(statements.KINDS)


def test_filters_choose_by_kind_and_day_and_stay_in_the_address(as_freelancer, moved):
    party = moved.freelancer.party
    url = reverse("payments:ledger", args=[party.ref])
    page = as_freelancer.get(url, {"kind": "released"})
    assert {line.kind for line in page.context["lines"]} == {"released"}
    assert "csv/?kind=released" in page.content.decode()
    today = Journal.objects.latest("id").created_at.date()
    days = {"since": today - dt.timedelta(days=1), "until": today + dt.timedelta(days=1)}
    assert as_freelancer.get(url, days).context["lines"]
    past = {"until": today - dt.timedelta(days=2)}
    empty = as_freelancer.get(url, past)
    assert empty.context["lines"] == []
    assert "Nothing like that happened" in empty.content.decode()
    wrong = as_freelancer.get(url, {"since": "2026-02-02", "until": "2026-01-01"})
    assert "before the first one" in wrong.content.decode()


def test_pages_follow_a_cursor_that_stays_when_entries_are_added(moved):
    party = moved.freelancer.party
    whole = [line.number for line in statements.everything(party, ALL)]
    seen, after = [], ""
    while True:
        page = statements.page(party, ALL, after=after, limit=4)
        seen += [line.number for line in page.lines]
        after = page.after
        if not after:
            break
        moved.held("20.00")
    assert seen == whole[::-1]


def test_a_stranger_learns_nothing_and_a_member_of_a_company_reads_its_ledger(client, moved):
    ref = moved.client.party.ref
    stranger = UserFactory()
    client.force_login(stranger, "django.contrib.auth.backends.ModelBackend")
    for name in ("ledger", "ledger-csv", "ledger-json"):
        assert client.get(reverse(f"payments:{name}", args=[ref])).status_code == 404
    for url in (f"/api/v1/ledgers/{ref}/", f"/api/v1/ledgers/{ref}/csv/"):
        assert client.get(url).status_code == 404
    company = CompanyFactory(by=stranger)
    page = client.get(reverse("payments:ledger", args=[company.ref]))
    assert "Your first payment will appear here" in page.content.decode()
    assert {one["ref"] for one in client.get("/api/v1/ledgers/").json()} == {
        stranger.party.ref, company.ref,
    }  # fmt: skip


def test_no_text_in_the_file_is_a_formula_and_numbers_stay_numbers(as_freelancer, market):
    label = '=HYPERLINK("http://127.0.0.1/","x")'
    hold = market.held("100.00", label=label)
    holds.release(hold, by=market.client, basis="approval")
    url = reverse("payments:ledger-csv", args=[market.freelancer.party.ref])
    answer = as_freelancer.get(url)
    assert answer["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {row["Work"] for row in rows} == {f"'{label}"}
    assert [row["Amount"] for row in rows][:3] == ["100.00", "-100.00", "92.00"]
    assert rows[-1]["With us afterwards"] == "92.00"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_a_cell_that_begins_like_a_formula_is_quoted(start):
    text = csv_text(["a"], [[f"{start}1+1"], [-5]])
    first, second = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert first == [f"'{start}1+1"]
    assert second == ["-5"]


def test_the_json_file_and_the_api_say_the_same_as_the_page(as_freelancer, moved):
    party = moved.freelancer.party
    made = json.loads(as_freelancer.get(reverse("payments:ledger-json", args=[party.ref])).content)
    answer = as_freelancer.get(f"/api/v1/ledgers/{party.ref}/").json()
    amounts = [entry["amount"] for entry in made["entries"]]
    assert amounts == [line["amount"] for line in answer["results"]][::-1]
    assert answer["after"] == ""
    assert amounts == [line.amount.decimal_text for line in statements.everything(party, ALL)]
    few = as_freelancer.get(f"/api/v1/ledgers/{party.ref}/", {"kind": "funded"}).json()
    assert {line["kind"] for line in few["results"]} == {"funded"}
    refused = as_freelancer.get(f"/api/v1/ledgers/{party.ref}/", {"since": "yesterday"})
    assert refused.status_code == 400
    assert "since" in refused.json()["errors"]
    text = as_freelancer.get(f"/api/v1/ledgers/{party.ref}/csv/", {"kind": "funded"})
    assert len(text.content.decode().splitlines()) == 1 + len(few["results"])


def test_ledgers_cost_the_same_few_queries_for_1_10_and_100_rows(as_freelancer, market):
    party = market.freelancer.party
    urls = [
        *(reverse(f"payments:{name}", args=[party.ref]) for name in ("ledger", "ledger-csv")),
        reverse("payments:ledger-json", args=[party.ref]),
        f"/api/v1/ledgers/{party.ref}/",
    ]
    hold = market.held("100.00")
    costs = {url: set() for url in urls}
    for count in (1, 10, 100):
        while len(statements.everything(party, ALL)) < count:
            pair = [(ledger.held(hold), -eur("1.00")), (ledger.pending(party), eur("1.00"))]
            ledger.post(f"step:{Journal.objects.count()}", "released", pair, ref=hold.ref)
        for url in urls:
            with CaptureQueriesContext(connection) as asked:
                assert as_freelancer.get(url).status_code == 200
            costs[url].add(len(asked))
    for url, cost in costs.items():
        assert len(cost) == 1, f"{url} takes {cost} queries"
        assert max(cost) <= 8
