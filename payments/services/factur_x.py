"""The machine-readable side of an invoice: EN 16931 in the Cross Industry Invoice syntax (D16B).

Written from nothing but the frozen document, so that it is the same each time.
"""

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from marketplace.core.money import Money, exponent
from payments.models import TaxKind

NAME = "factur-x.xml"
PROFILE = "urn:cen.eu:en16931:2017"
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
RSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
UDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
QDT = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
PREFIXES = {"ram": RAM, "rsm": RSM, "udt": UDT, "qdt": QDT}
# EN 16931 knows two decimals; amounts of a currency with more cannot be said in it.
MOST_DECIMALS = 2
# Category of VAT and reason for none, by the codes of the standard.
CATEGORY = {
    TaxKind.DOMESTIC: "S",
    TaxKind.DESTINATION: "S",
    TaxKind.REVERSE_CHARGE: "AE",
    TaxKind.OUTSIDE: "O",
    TaxKind.NOT_REGISTERED: "O",
}
REASON = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}
# "One", and a payment card.
PIECE, BY_CARD = "C62", "48"
# No characters at all, and XML refuses them.
NO_SIGNS = "\ufffe\uffff"
ADDRESS_LINES = ("LineOne", "LineTwo", "LineThree")


def xml(document: dict[str, Any]) -> bytes | None:
    """The document as a CII invoice, or None when the standard cannot say it: a receipt, paper from
    before we reckoned VAT, a side without a country, a currency of three decimals.
    """
    sides_known = document["seller"].get("country") and document["buyer"].get("country")
    if not document.get("type") or not sides_known:
        return None
    if not document.get("tax_kind") or exponent(document["currency"]) > MOST_DECIMALS:
        return None
    for prefix, uri in PREFIXES.items():
        ET.register_namespace(prefix, uri)
    root = ET.Element(f"{{{RSM}}}CrossIndustryInvoice")
    _context(root)
    _heading(root, document)
    deal = _add(root, "rsm:SupplyChainTradeTransaction")
    _line(deal, document)
    _agreement(deal, document)
    _delivery(deal, document)
    _settlement(deal, document)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _context(root: ET.Element) -> None:
    context = _add(root, "rsm:ExchangedDocumentContext")
    _add(context, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", PROFILE)


def _heading(root: ET.Element, document: dict[str, Any]) -> None:
    heading = _add(root, "rsm:ExchangedDocument")
    _add(heading, "ram:ID", document["number"])
    _add(heading, "ram:TypeCode", document["type"])
    _day(heading, "ram:IssueDateTime/udt:DateTimeString", document["issued_on"])
    for note in document["notes"]:
        _add(heading, "ram:IncludedNote/ram:Content", note)


def _line(deal: ET.Element, document: dict[str, Any]) -> None:
    line = _add(deal, "ram:IncludedSupplyChainTradeLineItem")
    _add(line, "ram:AssociatedDocumentLineDocument/ram:LineID", "1")
    product = _add(line, "ram:SpecifiedTradeProduct")
    _add(product, "ram:Name", document["line"]["text"])
    if document["line"]["detail"]:
        _add(product, "ram:Description", document["line"]["detail"])
    net = _amount(document, "net_minor")
    price = _add(line, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice")
    _add(price, "ram:ChargeAmount", net)
    _add(line, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", "1", unitCode=PIECE)
    settlement = _add(line, "ram:SpecifiedLineTradeSettlement")
    tax = _add(settlement, "ram:ApplicableTradeTax")
    _add(tax, "ram:TypeCode", "VAT")
    _add(tax, "ram:CategoryCode", _category(document))
    _rate(tax, document)
    _add(
        settlement,
        "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
        net,
    )


def _agreement(deal: ET.Element, document: dict[str, Any]) -> None:
    agreement = _add(deal, "ram:ApplicableHeaderTradeAgreement")
    _party(_add(agreement, "ram:SellerTradeParty"), document["seller"], document)
    _party(_add(agreement, "ram:BuyerTradeParty"), document["buyer"], document)
    if document["order"]:
        _add(
            agreement,
            "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
            document["order"],
        )


def _party(party: ET.Element, who: dict[str, Any], document: dict[str, Any]) -> None:
    _add(party, "ram:ID", who["id"])
    _add(party, "ram:Name", who["name"])
    address = _add(party, "ram:PostalTradeAddress")
    street = list(who["street"])
    if len(street) > len(ADDRESS_LINES):
        street[2:] = [", ".join(street[2:])]
    for tag, text in zip(ADDRESS_LINES, street, strict=False):
        _add(address, f"ram:{tag}", text)
    _add(address, "ram:CountryID", who["country"])
    # Outside VAT the standard wants no VAT id (rules BR-O-02 to BR-O-04).
    if who["vat_id"] and _category(document) != "O":
        _add(party, "ram:SpecifiedTaxRegistration/ram:ID", who["vat_id"], schemeID="VA")


def _delivery(deal: ET.Element, document: dict[str, Any]) -> None:
    delivery = _add(deal, "ram:ApplicableHeaderTradeDelivery")
    _day(
        delivery,
        "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString",
        document["issued_on"],
    )


def _settlement(deal: ET.Element, document: dict[str, Any]) -> None:
    settlement = _add(deal, "ram:ApplicableHeaderTradeSettlement")
    _add(settlement, "ram:InvoiceCurrencyCode", document["currency"])
    _add(settlement, "ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode", BY_CARD)
    net, tax = _amount(document, "net_minor"), _amount(document, "tax_minor")
    category = _category(document)
    vat = _add(settlement, "ram:ApplicableTradeTax")
    _add(vat, "ram:CalculatedAmount", tax)
    _add(vat, "ram:TypeCode", "VAT")
    if category in REASON:
        _add(vat, "ram:ExemptionReason", document["tax_sentence"])
    _add(vat, "ram:BasisAmount", net)
    _add(vat, "ram:CategoryCode", category)
    if category in REASON:
        _add(vat, "ram:ExemptionReasonCode", REASON[category])
    _rate(vat, document)
    total = _amount(document, "total_minor")
    sums = _add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    _add(sums, "ram:LineTotalAmount", net)
    _add(sums, "ram:TaxBasisTotalAmount", net)
    _add(sums, "ram:TaxTotalAmount", tax, currencyID=document["currency"])
    _add(sums, "ram:GrandTotalAmount", total)
    # Everything was paid before: nothing is due.
    _add(sums, "ram:TotalPrepaidAmount", total)
    _add(sums, "ram:DuePayableAmount", Money.zero(document["currency"]).decimal_text)
    if corrected := document.get("corrects"):
        before = _add(settlement, "ram:InvoiceReferencedDocument")
        _add(before, "ram:IssuerAssignedID", corrected["number"])
        _day(before, "ram:FormattedIssueDateTime/qdt:DateTimeString", corrected["issued_on"])


def _category(document: dict[str, Any]) -> str:
    return CATEGORY[TaxKind(document["tax_kind"])]


def _rate(tax: ET.Element, document: dict[str, Any]) -> None:
    """The percentage; what is outside VAT has none."""
    if _category(document) != "O":
        percent = Decimal(document["tax_rate_bps"]).scaleb(-2)
        _add(tax, "ram:RateApplicablePercent", f"{percent:.2f}")


def _amount(document: dict[str, Any], name: str) -> str:
    return Money(document[name], document["currency"]).decimal_text


def _day(parent: ET.Element, path: str, day: str) -> None:
    # 102 is how the standard writes "year, month, day without marks".
    _add(parent, path, day.replace("-", ""), format="102")


def _add(parent: ET.Element, path: str, text: str = "", **attributes: str) -> ET.Element:
    """New elements one inside the other; text and attributes are of the innermost."""
    element = parent
    for step in path.split("/"):
        prefix, _colon, tag = step.partition(":")
        element = ET.SubElement(element, f"{{{PREFIXES[prefix]}}}{tag}")
    element.attrib.update(attributes)
    if text:
        # What XML cannot hold would make the whole file unreadable.
        element.text = "".join(
            sign for sign in text if (sign >= " " and sign not in NO_SIGNS) or sign in "\t\n\r"
        )
    return element
