"""An issued document as a PDF, from nothing but its frozen content."""

import json
import logging
from pathlib import Path

import typst
from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError
from payments.models import Invoice
from payments.services import factur_x, pdf_label

log = logging.getLogger(__name__)

TEMPLATE = Path(__file__).resolve().parent.parent / "paper" / "invoice.typ"


class Unprintable(DomainError):
    """A character of the document is in none of our fonts; a box on paper would be worse."""

    code = "unprintable"
    default_message = _(
        "A character on this document cannot be set in our fonts. Print this page instead."
    )


def pdf(invoice: Invoice) -> bytes:
    """The same bytes each time. Raises Unprintable for a character without a glyph.

    Made on every download, because that takes less than a tenth of a second.
    """
    machine = factur_x.xml(invoice.document)
    try:
        made = typst.compile(
            TEMPLATE,
            sys_inputs={
                "document": json.dumps(invoice.document),
                "machine": (machine or b"").decode(),
            },
            # Fonts of the machine would make the bytes differ from machine to machine.
            ignore_system_fonts=True,
            # The archive standard: everything inside, and no glyph may be missing.
            pdf_standards="a-3a",
        )
    except typst.TypstError as error:
        log.error("invoice %s cannot be printed: %s", invoice.ref, error)  # noqa: TRY400
        raise Unprintable from error
    return pdf_label.labelled(bytes(made)) if machine else bytes(made)
