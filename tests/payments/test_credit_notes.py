"""Credit notes (I2): refer to the invoice, never more than it, VAT split exactly."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core import clock
from marketplace.core.errors import InvalidInput
from marketplace.core.models import AuditRow
from marketplace.core.money import Money
from payments.models import Invoice, InvoiceCounter
from payments.services import credit_notes, holds
from tests.payments.tax import charge_vat, settle_in
from tests.payments.test_verify_ledger import guards_off
from tests.payments.test_verify_ledger import proof as ledger_proof
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(market, settings):
    """€100.01 of client fee with 19% VAT in it: 15.97 VAT, 84.04 net."""
    charge_vat(settings)
    settle_in(market.client.party, "DE")
    hold = market.held("3333.67")
    holds.release(hold, by=market.client, basis="approval")
    found = Invoice.objects.get(hold=hold, kind="client_fee")
    assert (found.total, found.tax, found.net) == (eur("100.01"), eur("15.97"), eur("84.04"))
    return found


def credit(invoice, amount, reason="The work was given back"):
    return credit_notes.issue(invoice, amount=eur(amount), reason=reason, at=clock.now())


def test_I2_a_note_refers_to_its_invoice_and_has_a_series_of_its_own(invoice):
    first, second = credit(invoice, "40.00"), credit(invoice, "10.00")
    year = first.issued_at.year
    assert [note.number for note in (first, second)] == [f"N-{year}-00001", f"N-{year}-00002"]
    assert (first.corrects, first.kind) == (invoice, "credit_note")
    assert (first.seller, first.buyer, first.hold) == (
        invoice.seller,
        invoice.buyer,
        invoice.hold,
    )
    assert first.document["corrects"] == {
        "number": invoice.number,
        "issued_on": invoice.document["issued_on"],
    }
    assert first.document["type"] == "381"
    assert invoice.number in " ".join(first.document["notes"])
    assert first.document["line"]["text"] == "The work was given back"
    audited = AuditRow.objects.get(action="credit_note.issued", subject_id=first.pk)
    assert audited.facts["invoice"] == invoice.number


def test_I2_the_vat_of_all_notes_is_the_vat_of_the_invoice_however_it_is_cut(invoice):
    """The last note takes what is left."""
    parts = ["33.33", "33.33", "33.34", "0.01"]
    notes = [credit(invoice, part) for part in parts]
    assert [note.tax for note in notes] == [eur("5.32"), eur("5.32"), eur("5.33"), eur("0")]
    assert sum(note.tax_minor for note in notes) == invoice.tax_minor
    assert sum(note.net_minor for note in notes) == invoice.net_minor
    assert not credit_notes.left_of(invoice)
    with pytest.raises(InvalidInput, match=r"At most €0\.00"):
        credit(invoice, "0.01")


def test_I2_no_cut_of_any_invoice_loses_or_makes_a_minor_unit():
    @settings(max_examples=1000, deadline=None)
    @given(st.integers(1, 10**9), st.integers(0, 5000), st.lists(st.integers(1, 10**9), max_size=8))
    def check(total, bps, cuts):
        tax = Money(total, "EUR").portion(bps, 10_000 + bps)
        before = taken = 0
        for cut in [*cuts, total]:
            part = min(cut, total - before)
            after = before + part
            step = tax.portion(after, total).minor - taken
            assert 0 <= step <= part
            before, taken = after, taken + step
        assert (before, taken) == (total, tax.minor)

    check()


@pytest.mark.parametrize("amount", ["0.00", "100.02"])
def test_I2_nothing_and_more_than_the_invoice_are_refused(invoice, amount):
    with pytest.raises(InvalidInput, match=r"At most €100\.01"):
        credit(invoice, amount)
    assert not InvoiceCounter.objects.filter(kind="credit_note").exists()


def test_a_credit_note_is_not_credited(invoice):
    note = credit(invoice, "10.00")
    with pytest.raises(InvalidInput):
        credit(note, "1.00")


def forged(invoice, **changes):
    """A note as it would be written past the service."""
    values = {
        name: getattr(invoice, name)
        for name in (
            "seller", "buyer", "hold", "year", "currency", "issued_at", "document", "tax_kind",
            "tax_rate_bps",
        )
    }  # fmt: skip
    values |= {"kind": "credit_note", "corrects": invoice, "number": "X", "total_minor": 10001}
    return Invoice.objects.create(**values | {"tax_minor": 1597} | changes)


def test_I2_the_database_itself_refuses_a_note_that_does_not_fit(invoice, market):
    note = credit(invoice, "10.00")
    for wrong in (
        {"total_minor": 9002, "tax_minor": 1437},  # a cent more than is left
        {"total_minor": 9001, "tax_minor": 1438},  # a cent of VAT more
        {"total_minor": 9001, "tax_minor": 1436},  # the rest, and a cent of VAT forgotten
        {"total_minor": 1, "tax_minor": 0, "currency": "USD"},
        {"total_minor": 1, "tax_minor": 0, "buyer": market.freelancer.party},
        {"total_minor": 1, "tax_minor": 0, "tax_rate_bps": 700},
        {"total_minor": 1, "tax_minor": 0, "corrects": note},
    ):
        with pytest.raises(IntegrityError, match="does not fit"), transaction.atomic():
            forged(invoice, **wrong)
    with pytest.raises(IntegrityError, match="invoice_corrects"), transaction.atomic():
        forged(invoice, corrects=None, total_minor=1, tax_minor=0)
    assert forged(invoice, total_minor=9001, tax_minor=1437).pk


def test_I2_of_sixteen_who_credit_at_once_none_goes_over_the_invoice(invoice):
    outcomes = together(lambda _number: credit(invoice, "20.00"), 16)
    assert (outcomes.count("ok"), outcomes.count("InvalidInput")) == (5, 11)
    numbers = sorted(invoice.credit_notes.values_list("number", flat=True))
    assert [int(number[-5:]) for number in numbers] == [1, 2, 3, 4, 5]
    assert credit_notes.left_of(invoice) == eur("0.01")


def test_I2_past_the_service_the_database_lets_none_of_sixteen_go_over(invoice):
    def forge(number):
        with transaction.atomic():
            forged(invoice, number=f"X-{number}", total_minor=2000, tax_minor=319)

    outcomes = together(forge, 16)
    assert (outcomes.count("ok"), outcomes.count("IntegrityError")) == (5, 11)


def test_what_corrects_a_receipt_is_no_invoice_either(market):
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    receipt = Invoice.objects.get(hold=hold, kind="work")
    note = credit(receipt, "100.00")
    assert (note.seller, note.document["type"]) == (hold.payee, "")


def test_both_documents_lead_to_each_other_on_screen_and_in_the_table(client, invoice, market):
    note = credit(invoice, "40.00")
    client.force_login(market.client, "django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("payments:invoice", args=[invoice.ref])).content.decode()
    assert note.number in page
    page = client.get(reverse("payments:invoice", args=[note.ref])).content.decode()
    for words in ("Credit note", invoice.number, "€40.00", "VAT 19%, Germany"):
        assert words in page
    pdf = client.get(reverse("payments:invoice-pdf", args=[note.ref]))
    assert pdf.content.startswith(b"%PDF-")
    table = client.get(reverse("payments:invoices-csv")).content.decode().splitlines()
    row = next(line for line in table if line.startswith(note.number))
    assert f",{invoice.number},EUR,-33.61,19,-6.39,-40.00," in row.replace("19.00", "19")
    told = client.get(f"/api/v1/invoices/{note.ref}/").json()
    assert (told["corrects"], told["net"], told["tax"], told["total"]) == (
        invoice.number,
        "33.61",
        "6.39",
        "40.00",
    )


def test_a_cent_of_vat_changed_by_hand_is_found(invoice):
    note = credit(invoice, "40.00")
    for changed in (invoice, note):
        for step in (1, -1):
            with guards_off("payments_invoice") as cursor:
                cursor.execute(
                    "UPDATE payments_invoice SET tax_minor = tax_minor + %s WHERE id = %s",
                    [step, changed.pk],
                )
            errors = ledger_proof()[1]
            assert (f"({invoice.number})" in errors) == (step == 1), errors
