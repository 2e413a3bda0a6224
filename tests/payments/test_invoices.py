"""Paper: issued once, numbered without gaps, never changed."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Party
from marketplace.core import clock
from payments.models import Hold, Invoice, InvoiceCounter
from payments.services import holds, invoices
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


def papers(hold):
    return {paper.kind: paper for paper in Invoice.objects.filter(hold=hold)}


def test_a_release_issues_a_receipt_for_the_work_and_an_invoice_for_each_fee(market):
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    found = papers(hold)
    assert {kind: paper.total for kind, paper in found.items()} == {
        "work": eur("600.00"),
        "client_fee": eur("18.00"),
        "freelancer_fee": eur("48.00"),
    }
    work, fee = found["work"], found["freelancer_fee"]
    assert (work.seller, work.buyer) == (hold.payee, hold.payer)
    assert (fee.seller, fee.buyer) == (None, hold.payee)
    assert work.document["seller"]["name"] == "Ines Carvalho"
    assert "not a VAT invoice" in " ".join(work.document["notes"])
    assert [paper.number[0] for paper in (work, found["client_fee"], fee)] == ["W", "C", "F"]


def test_paper_is_about_what_was_earned_only(market):
    market.refill()
    hold = market.held("300.00")
    holds.pause(hold, by=market.client)
    holds.split(hold, to_payee=eur("100.00"), by=market.client, basis="decision")
    assert {kind: paper.total for kind, paper in papers(hold).items()} == {
        "work": eur("100.00"),
        "client_fee": eur("3.00"),
        "freelancer_fee": eur("8.00"),
    }


def test_paper_stays_as_it_was_issued_when_people_change(market):
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    Party.objects.filter(pk=hold.payee_id).update(legal_name="Somebody Else")
    work = papers(hold)["work"]
    assert work.document["seller"]["name"] == "Ines Carvalho"
    for act in (
        lambda: Invoice.objects.update(total_minor=1),
        lambda: Invoice.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            act()


def test_I1_sixteen_issue_at_once_and_every_fourth_is_rolled_back(market):
    """No gap, no number twice, and dates in the order of numbers."""
    first = market.held("600.00")
    now = clock.now()
    ended = Hold.objects.bulk_create(
        Hold(
            status="released",
            basis="approval",
            held_at=now,
            ended_at=now,
            awarded_minor=first.amount_minor,
            **{
                name: getattr(first, name)
                for name in (
                    "payer", "payee", "amount_minor", "client_fee_minor", "freelancer_fee_minor",
                    "currency", "policy", "label",
                )
            },
        )
        for _number in range(16 * 8)
    )  # fmt: skip

    def issue(number):
        for step in range(8):
            with transaction.atomic():
                invoices.issue(ended[number * 8 + step])
                if (number + step) % 4 == 0:
                    transaction.set_rollback(True)

    assert set(together(issue, 16)) == {"ok"}
    for kind in ("work", "client_fee", "freelancer_fee"):
        rows = list(Invoice.objects.filter(kind=kind).order_by("number"))
        assert [int(row.number[-5:]) for row in rows] == list(range(1, 97)), kind
        assert [row.issued_at for row in rows] == sorted(row.issued_at for row in rows), kind
        assert InvoiceCounter.objects.get(kind=kind).last == 96


def test_the_operator_and_every_freelancer_have_series_of_their_own(market):
    for _time in range(2):
        hold = market.held("50.00")
        holds.release(hold, by=market.client, basis="approval")
    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    year = hold.held_at.year
    assert numbers == [f"{kind}-{year}-0000{n}" for kind in "CFW" for n in (1, 2)]
