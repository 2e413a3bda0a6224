"""The client's own number on the client's paper."""

import pytest

from marketplace.core.errors import InvalidInput, NotAllowed
from marketplace.core.models import AuditRow
from payments.models import Invoice, PurchaseOrder
from projects.services import orders
from tests.factories import UserFactory

URL = "purchase-order/"


def page_of(contract):
    return contract.get_absolute_url()


def test_a_client_sets_changes_and_removes_the_number_on_screen(work):
    contract = work.contract
    url = page_of(contract) + URL
    assert "Add a number" in work.as_client.get(f"{page_of(contract)}payments/").content.decode()
    saved = work.as_client.post(url, {"number": " PO-4711 "}, follow=True).content.decode()
    assert "PO-4711" in saved
    assert 'value="PO-4711"' in work.as_client.get(url).content.decode()
    work.as_client.post(url, {"number": "PO-4711"})
    work.as_client.post(url, {"number": ""})
    assert PurchaseOrder.objects.get().number == ""
    assert AuditRow.objects.filter(action="purchase_order.changed").count() == 2


def test_it_is_the_clients_business_alone(work):
    contract = work.contract
    orders.set_number(contract, by=work.client, number="PO-4711")
    page = work.as_freelancer.get(f"{page_of(contract)}payments/").content.decode()
    assert "PO-4711" not in page
    assert work.as_freelancer.get(page_of(contract) + URL).status_code == 403
    for who in (work.freelancer, UserFactory(side="hire")):
        with pytest.raises(NotAllowed):
            orders.set_number(contract, by=who, number="X")
    assert PurchaseOrder.objects.get().number == "PO-4711"


def test_a_number_longer_than_a_line_is_refused(work):
    with pytest.raises(InvalidInput):
        orders.set_number(work.contract, by=work.client, number="9" * 61)
    page = work.as_client.post(page_of(work.contract) + URL, {"number": "9" * 61})
    assert page.status_code == 422


def test_paper_carries_the_number_it_was_issued_under(work):
    """A new number is for the next milestone; what is issued stays."""
    for number, n in (("PO-1", 1), ("PO-2", 2)):
        orders.set_number(work.contract, by=work.client, number=number)
        work.approved(n)
    mine = Invoice.objects.filter(buyer=work.contract.client, kind="work").order_by("pk")
    assert [paper.document["order"] for paper in mine] == ["PO-1", "PO-2"]
    table = work.as_client.get("/invoices/csv/").content.decode().splitlines()
    assert sum(",PO-1," in line for line in table) == 2  # the receipt and the client fee
    assert sum(",PO-2," in line for line in table) == 2
