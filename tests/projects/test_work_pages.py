"""Pages of the work half: few queries whatever there is, and the same figures everywhere."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.core import clock, moneybar
from projects.models import Bid, Contract, ContractEvent, Message, Milestone, Project
from projects.selectors.contracts import contract_to_read
from projects.selectors.workspace import workspace_of
from projects.services import approvals, disputes, messages
from tests.factories import UserFactory
from tests.projects.work import REASON, download, eur, moderator, signed_in, upload

MOST = 8


def more_contracts(work, count):
    """Copies of the work's contract, as many as asked for; made by COPY, not by the services."""
    old = work.contract
    projects = Project.objects.bulk_create(
        Project(
            client=old.client,
            posted_by=work.client,
            title=f"Copy {n}",
            description="x",
            currency="EUR",
            status="in_progress",
            published_at=clock.now(),
            expires_at=clock.now() + dt.timedelta(days=30),
        )
        for n in range(count)
    )
    bids = Bid.objects.bulk_create(
        Bid(
            project=project,
            freelancer=old.freelancer,
            sent_by=work.freelancer,
            price_minor=100_00,
            currency="EUR",
            days=5,
            message="x",
            ai_use="no",
            status="accepted",
            closed_at=clock.now(),
        )
        for project in projects
    )
    same = {
        name: getattr(old, name)
        for name in (
            "client",
            "freelancer",
            "policy",
            "currency",
            "review_days",
            "change_rounds",
            "ai_policy",
            "ai_use",
            "terms",
            "terms_sha256",
            "freelancer_agreed_by",
            "freelancer_agreed_at",
            "client_agreed_by",
            "client_agreed_at",
        )
    }
    contracts = Contract.objects.bulk_create(
        Contract(project=bid.project, bid=bid, title=bid.project.title, price_minor=100_00, **same)
        for bid in bids
    )
    Milestone.objects.bulk_create(
        Milestone(contract=contract, position=n, title=f"Step {n}", amount_minor=50_00)
        for contract in contracts
        for n in (1, 2)
    )
    Message.objects.bulk_create(
        Message(contract=contract, author=work.client, side="client", body="Hello")
        for contract in contracts
    )


def queries(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(url)
    assert answer.status_code == 200, url
    return len(seen), [query["sql"][:200] for query in seen]


@pytest.mark.parametrize("path", ["/contracts/", "/messages/", "/api/v1/contracts/"])
def test_lists_ask_the_database_the_same_few_times_for_1_10_and_100_rows(work, path):
    messages.send(work.contract, by=work.client, body="Hello")
    counts = []
    for more in (0, 9, 90):
        more_contracts(work, more)
        count, seen = queries(work.as_freelancer, path)
        assert count <= MOST, "\n".join(seen)
        counts.append(count)

    assert len(set(counts)) == 1, counts


def test_a_contract_page_asks_the_same_few_times_however_much_happened(work):
    work.funded(1)
    base = work.contract.get_absolute_url()
    paths = ["", "messages/", "files/", "payments/", "terms/", "end/", "fund/3/"]
    small = {path: queries(work.as_client, base + path) for path in paths}
    work.delivered(1)
    work.delivered(2)
    for n in range(30):
        messages.send(work.contract, by=work.freelancer, body=f"Line {n}")
        ContractEvent.objects.create(
            contract=work.contract, kind="milestone.delivered", milestone=work.step(1)
        )
    large = {path: queries(work.as_client, base + path) for path in paths}

    for path in paths:
        assert large[path][0] <= MOST, (path, "\n".join(large[path][1]))
        assert large[path][0] - small[path][0] <= 1, (path, small[path][1], large[path][1])


def test_a_dispute_page_asks_the_same_few_times_however_much_is_said(work):
    dispute = work.disputed(1)
    first = queries(work.as_freelancer, dispute.get_absolute_url())
    for _n in range(10):
        work.answered(dispute, "300.00")
    many = queries(work.as_freelancer, dispute.get_absolute_url())

    assert many[0] == first[0] <= MOST, "\n".join(many[1])


def bar_and_ledger(work):
    """(sum of the bar, sum of the table, what the ledger holds) as the client's page shows them."""
    seat = contract_to_read(work.client, work.contract.ref)
    space = workspace_of(seat)
    holds = [step.milestone.hold for step in space.steps if step.milestone.hold]
    held = sum(work.held(hold).minor + work.paused(hold).minor for hold in holds)
    return (
        sum(part.money.minor for part in space.segments),
        sum(row.money.minor for row in space.sums),
        held,
        {state: money.minor for state, money in moneybar.merged(space.segments)},
    )


def test_bar_sums_and_ledger_agree_in_every_state(work):
    price = work.contract.price_minor

    work.approved(1)
    dispute = work.disputed(2)
    work.answered(dispute)
    bar, table, held, parts = bar_and_ledger(work)
    assert (bar, table, held) == (price, price, 1100_00)
    assert parts == {"released": 600_00, "disputed": 1100_00, "not_funded": 700_00}

    disputes.decide(dispute, by=moderator(), to_freelancer=eur("800.00"), reason=REASON)
    work.delivered(3)
    bar, table, held, parts = bar_and_ledger(work)
    assert (bar, table, held) == (price, price, 700_00)
    assert parts == {"released": 1400_00, "refunded": 300_00, "in_review": 700_00}

    work.connect()
    work.work_off()
    assert bar_and_ledger(work)[3] == {
        "paid_out": 1400_00,
        "refunded": 300_00,
        "in_review": 700_00,
    }


def test_every_state_has_exactly_one_next_step_for_each_side(work):
    def primary(page):
        space = page.content.decode().partition('id="workspace"')[2].partition("<dialog")[0]
        return space.count("btn--primary")

    expected = []
    for act in (
        lambda: None,
        lambda: work.funded(1),
        lambda: work.delivered(1),
        lambda: approvals.approve(work.step(1), by=work.client),
    ):
        act()
        base = work.contract.get_absolute_url()
        expected.append((primary(work.as_client.get(base)), primary(work.as_freelancer.get(base))))

    assert expected == [(1, 0), (0, 1), (1, 0), (1, 0)]


def test_a_conflict_shows_who_was_faster_above_the_current_state(work):
    work.delivered(1)
    dispute = disputes.open_dispute(
        work.step(1),
        by=work.freelancer,
        reason="other",
        body="Something is wrong.",
        to_freelancer=eur("600.00"),
    )

    answer = work.as_client.post(
        f"{work.contract.get_absolute_url()}milestones/1/approve/", {"round": 1}
    )

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ines or a colleague changed this contract a moment ago." in page
    assert dispute.get_absolute_url() in page


def test_the_word_that_names_a_licensed_trade_is_on_no_page(work):
    work.disputed(1)
    base = work.contract.get_absolute_url()
    for path in ("", "terms/", "payments/", "fund/2/", "milestones/1/dispute/1/"):
        assert "escrow" not in work.as_client.get(base + path).content.decode().lower()


def test_the_payments_tab_shows_each_sides_own_figures(work):
    work.connect()
    work.approved(1)

    client = work.as_client.get(f"{work.contract.get_absolute_url()}payments/").content.decode()
    freelancer = work.as_freelancer.get(
        f"{work.contract.get_absolute_url()}payments/"
    ).content.decode()

    assert all(said in client for said in ("€618.00", "€18.00", "You paid"))
    assert all(said in freelancer for said in ("€552.00", "€48.00", "You receive"))


def test_files_are_for_the_two_sides_only(work):
    work.funded(1)
    work.as_freelancer.post(
        f"{work.contract.get_absolute_url()}milestones/1/deliver/",
        {"note": "Here", "files": [upload("plan.pdf")]},
    )
    file = work.step(1).deliveries.get().files.get()

    assert download(work.as_client, file) == 200
    assert download(signed_in(UserFactory()), file) == 404
    assert (
        "plan.pdf"
        in work.as_client.get(f"{work.contract.get_absolute_url()}files/").content.decode()
    )
