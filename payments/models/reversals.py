"""Undoing a posting: a journal is never changed, another one takes it back."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payments.models.ledger import Journal
from payments.models.two_people import TwoPeople


class Reversal(TwoPeople):
    """A member of staff asks to undo a journal; above a limit another one has to agree.

    The amount is what the journal moved: the sum of its credits, in its largest currency. `posted`
    is the journal that undoes the other one.
    """

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="reversals")

    class Meta(TwoPeople.Meta):
        abstract = False
        verbose_name = _("reversal")
        permissions = [("act_on_reversal", _("Can reverse journals, and approve that"))]
        constraints = [
            *TwoPeople.Meta.constraints,
            models.UniqueConstraint(
                fields=["journal"],
                condition=Q(status__in=["asked", "posted"]),
                name="reversal_once",
            ),
        ]

    def __str__(self) -> str:
        return f"reversal {self.ref}"
