"""The label that tells programs there is a Factur-X invoice in a PDF: entries of its metadata.

typst writes the file and its relationship, but knows no metadata of other standards. So the one
metadata object is written again, longer, behind the end of the file, as the PDF standard has it for
changes: every byte before stays as typst made it.
"""

import re

from payments.services import factur_x

NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
VALUES = {
    "DocumentType": "INVOICE",
    "DocumentFileName": factur_x.NAME,
    "Version": "1.0",
    "ConformanceLevel": "EN 16931",
}
MEANINGS = {
    "DocumentType": "What kind of document the attached file is",
    "DocumentFileName": "Name of the attached file",
    "Version": "Version of the schema of the attached file",
    "ConformanceLevel": "Profile of the attached file",
}
METADATA = re.compile(
    rb"\n(\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(.*?)\nendstream",
    re.DOTALL,
)
TRAILER = re.compile(rb"trailer\n<<(.*)>>\nstartxref\n(\d+)\n%%EOF\s*\Z", re.DOTALL)


class UnknownLayout(Exception):
    """typst writes PDFs in another way than we know: a new version of it, to be looked at."""


def labelled(pdf: bytes) -> bytes:
    """The PDF with Factur-X's entries in its metadata; the same bytes for the same PDF."""
    metadata, trailer = METADATA.search(pdf), TRAILER.search(pdf)
    if metadata is None or trailer is None:
        raise UnknownLayout
    number = metadata[1]
    told = _with_label(metadata[2])
    start = len(pdf) + 1
    changed = b"%s 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%s\nendstream\nendobj\n"
    parts = [pdf, b"\n", changed % (number, len(told), told)]
    table = sum(map(len, parts))
    parts.append(b"xref\n0 1\n0000000000 65535 f\r\n%s 1\n%010d 00000 n\r\n" % (number, start))
    parts.append(b"trailer\n<<%s/Prev %s>>\n" % (trailer[1], trailer[2]))
    parts.append(b"startxref\n%d\n%%%%EOF" % table)
    return b"".join(parts)


def _with_label(xmp: bytes) -> bytes:
    """PDF/A wants foreign entries declared before they are used."""
    declared = "".join(
        '<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>'
        f"<pdfaProperty:description>{meaning}</pdfaProperty:description>"
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name, meaning in MEANINGS.items()
    )
    schema = (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property>"
        f"<rdf:Seq>{declared}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
    entries = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in VALUES.items())
    label = f'<rdf:Description rdf:about="" xmlns:fx="{NAMESPACE}">{entries}</rdf:Description>'
    for mark, more in (
        (b"</rdf:Bag></pdfaExtension:schemas>", schema),
        (b"</rdf:RDF>", label),
    ):
        if xmp.count(mark) != 1:
            raise UnknownLayout
        xmp = xmp.replace(mark, more.encode() + mark)
    return xmp
