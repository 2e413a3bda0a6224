"""The machine-readable invoice inside the PDF (EN 16931)."""

import re
import zlib
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from marketplace.core import clock
from payments.models import Invoice
from payments.services import credit_notes, factur_x, holds, orders, paper, pdf_label
from tests.payments.tax import charge_vat, prove, settle_in
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = factur_x.PREFIXES
SUMS = ".//ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
SELLER, BUYER = ".//ram:SellerTradeParty/ram:", ".//ram:BuyerTradeParty/ram:"


@pytest.fixture
def fees(market, settings):
    """Release €600.00 and get the fee invoice of the client, who lives where the test says."""
    charge_vat(settings)

    def release(country="DE", vat_id="", kind="client_fee", **changes):
        settle_in(market.client.party, country, vat_id, "1 Main St\nFloor 2\nRear\nOldtown")
        if vat_id:
            prove(market.client.party)
        hold = market.held("600.00", **changes)
        holds.release(hold, by=market.client, basis="approval")
        return Invoice.objects.get(hold=hold, kind=kind)

    return release


def attached(pdf):
    """The XML file inside, as any reader finds it: the stream of type EmbeddedFile."""
    found = re.search(rb"<<([^>]|>(?!>))*/Type/EmbeddedFile.*?>>\s*stream\r?\n", pdf, re.DOTALL)
    if found is None:
        return None
    raw = pdf[found.end() :]
    end = raw.index(b"endstream")
    if b"FlateDecode" in found[0]:
        return zlib.decompressobj().decompress(raw)
    return raw[:end].rstrip(b"\r\n")


def read(invoice):
    return ET.fromstring(attached(paper.pdf(invoice)))  # noqa: S314 - our own


def text(root, path):
    return root.findtext(path, namespaces=NAMES)


def test_the_pdf_carries_the_same_invoice_for_machines_to_the_cent(fees):
    invoice = fees()
    root = read(invoice)
    assert text(root, ".//ram:GuidelineSpecifiedDocumentContextParameter/ram:ID") == (
        "urn:cen.eu:en16931:2017"
    )
    assert text(root, "rsm:ExchangedDocument/ram:ID") == invoice.number
    assert text(root, "rsm:ExchangedDocument/ram:TypeCode") == "380"
    assert text(root, ".//ram:InvoiceCurrencyCode") == "EUR"
    sums = {
        name: Decimal(text(root, SUMS + name))
        for name in (
            "LineTotalAmount", "TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount",
            "TotalPrepaidAmount", "DuePayableAmount",
        )
    }  # fmt: skip
    assert sums["GrandTotalAmount"] == sums["TotalPrepaidAmount"] == Decimal("18.00")
    assert sums["TaxTotalAmount"] == Decimal("2.87")
    assert sums["TaxBasisTotalAmount"] == sums["LineTotalAmount"] == Decimal("15.13")
    assert sums["TaxBasisTotalAmount"] + sums["TaxTotalAmount"] == sums["GrandTotalAmount"]
    assert sums["DuePayableAmount"] == 0
    tax = root.find(".//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax", NAMES)
    assert [(one.tag.partition("}")[2], one.text) for one in tax] == [
        ("CalculatedAmount", "2.87"),
        ("TypeCode", "VAT"),
        ("BasisAmount", "15.13"),
        ("CategoryCode", "S"),
        ("RateApplicablePercent", "19.00"),
    ]
    assert text(root, f"{SELLER}Name") == "Bidwell GmbH"
    assert text(root, f"{SELLER}SpecifiedTaxRegistration/ram:ID") == "DE123456789"
    assert text(root, f"{SELLER}PostalTradeAddress/ram:CountryID") == "DE"
    assert text(root, f"{BUYER}PostalTradeAddress/ram:LineThree") == "Rear, Oldtown"


def test_its_elements_stand_in_the_order_of_the_standard(fees):
    deal = read(fees()).find("rsm:SupplyChainTradeTransaction", NAMES)
    assert [one.tag.partition("}")[2] for one in deal] == [
        "IncludedSupplyChainTradeLineItem",
        "ApplicableHeaderTradeAgreement",
        "ApplicableHeaderTradeDelivery",
        "ApplicableHeaderTradeSettlement",
    ]


def test_a_reverse_charge_says_so_in_the_words_and_codes_of_the_standard(fees):
    root = read(fees("FR", "FR12345678901"))
    tax = ".//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax/ram:"
    assert text(root, f"{tax}CategoryCode") == "AE"
    assert text(root, f"{tax}ExemptionReasonCode") == "VATEX-EU-AE"
    assert text(root, f"{tax}ExemptionReason").startswith("Reverse charge")
    assert text(root, f"{tax}RateApplicablePercent") == "0.00"
    assert text(root, f"{BUYER}SpecifiedTaxRegistration/ram:ID") == "FR12345678901"
    assert Decimal(text(root, f"{SUMS}TaxTotalAmount")) == 0


def test_outside_vat_there_is_no_rate_and_no_vat_id(fees):
    root = read(fees("US"))
    assert text(root, ".//ram:ApplicableTradeTax/ram:CategoryCode") == "O"
    assert text(root, ".//ram:RateApplicablePercent") is None
    assert root.find(".//ram:SpecifiedTaxRegistration", NAMES) is None
    assert text(root, f"{SELLER}ID")


def test_a_credit_note_is_of_its_own_type_and_names_the_invoice(fees):
    invoice = fees()
    note = credit_notes.issue(invoice, amount=eur("9.00"), reason="Back", at=clock.now())
    root = read(note)
    assert text(root, "rsm:ExchangedDocument/ram:TypeCode") == "381"
    assert text(root, ".//ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == invoice.number
    assert Decimal(text(root, f"{SUMS}GrandTotalAmount")) == 9


def test_the_purchase_order_is_on_the_clients_paper_from_then_on(fees, market):
    before = fees(work="contract01")
    orders.put(
        payer=market.client.party, work="contract01", number="PO-7 & Söhne", by=market.client
    )
    after = fees(work="contract01")
    assert (before.document["order"], after.document["order"]) == ("", "PO-7 & Söhne")
    path = ".//ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"
    assert text(read(after), path) == "PO-7 & Söhne"
    others = Invoice.objects.filter(hold=after.hold)
    assert {paper.kind: paper.document["order"] for paper in others} == {
        "work": "PO-7 & Söhne",
        "client_fee": "PO-7 & Söhne",
        "freelancer_fee": "",
    }


def test_I5_with_the_file_inside_the_bytes_are_the_same_each_time(fees):
    invoice = fees("FR", "FR12345678901")
    first = paper.pdf(invoice)
    assert first == paper.pdf(Invoice.objects.get(pk=invoice.pk))
    assert b"factur-x.xml" in first


def test_the_pdf_says_in_its_metadata_what_is_attached(fees):
    """Read from the end, as readers do: the newest table, the object it points to, its text."""
    pdf = paper.pdf(fees())
    table = int(pdf[pdf.rindex(b"startxref") :].split()[1])
    assert pdf[table:].startswith(b"xref\n")
    entry = re.match(
        rb"xref\n0 1\n0000000000 65535 f\r\n(\d+) 1\n(\d{10}) 00000 n\r\n", pdf[table:]
    )
    number, place = entry.groups()
    assert pdf[int(place) :].startswith(number + b" 0 obj\n<</Length ")
    before = int(re.search(rb"/Prev (\d+)>>", pdf[table:])[1])
    assert pdf[before:].startswith(b"xref\n")
    length = int(re.match(rb"\d+ 0 obj\n<</Length (\d+)", pdf[int(place) :])[1])
    start = pdf.index(b"stream\n", int(place)) + len(b"stream\n")
    assert pdf[start + length :].startswith(b"\nendstream\nendobj\n")
    packet = pdf[start : start + length].decode()
    packet = re.search(r"<x:xmpmeta.*</x:xmpmeta>", packet, re.DOTALL)[0]
    metadata = ET.fromstring(packet)  # noqa: S314 - our own
    label = f"{{{pdf_label.NAMESPACE}}}"
    told = {
        one.tag.removeprefix(label): one.text for one in metadata.iter() if label in str(one.tag)
    }
    assert told == pdf_label.VALUES
    prefixes = metadata.findall(".//{http://www.aiim.org/pdfa/ns/schema#}prefix")
    assert "fx" in [one.text for one in prefixes]


def test_a_pdf_of_another_layout_is_not_labelled_by_guessing():
    with pytest.raises(pdf_label.UnknownLayout):
        pdf_label.labelled(b"%PDF-2.0 something new")


def test_what_the_standard_cannot_say_has_no_file(fees, market):
    assert attached(paper.pdf(fees(kind="work"))) is None
    assert attached(paper.pdf(fees(country=""))) is None
    document = fees().document
    assert factur_x.xml(document) is not None
    assert factur_x.xml(document | {"currency": "KWD"}) is None
    old = {name: value for name, value in document.items() if not name.startswith("tax")}
    assert factur_x.xml(old | {"type": ""}) is None


def test_signs_xml_cannot_hold_are_left_out(fees):
    document = fees().document
    document["line"]["text"] = "a\x01<b>&\x1f\ufffe\uffff"
    root = ET.fromstring(factur_x.xml(document))  # noqa: S314 - our own
    assert text(root, ".//ram:SpecifiedTradeProduct/ram:Name") == "a<b>&"
