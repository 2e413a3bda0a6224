"""Money that waits for a person to say whose it is, and debts nobody may be able to collect."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Party
from marketplace.core.display import money_text
from marketplace.core.money import Money
from payments.models import ChargebackPart, Placement


def came_back(parts: QuerySet[ChargebackPart]) -> QuerySet[ChargebackPart]:
    """What banks gave back when it could not go where it had been taken from."""
    return parts.filter(bearer=ChargebackPart.Bearer.SUSPENSE, movement__amount_minor__gt=0)


def waiting(parts: QuerySet[ChargebackPart]) -> QuerySet[ChargebackPart]:
    """Those of them nobody has decided on."""
    taken = Placement.objects.exclude(status=Placement.Status.REFUSED)
    return came_back(parts).exclude(placements__in=taken)


def debtor(ref: str) -> Party | None:
    """The party an account of debts belongs to."""
    return Party.objects.filter(ref=ref).first()


def where_from(payee: Party, currency: str) -> list[tuple[str, str]]:
    """The disputes a payee's debt comes from, newest first: when and how much they bore."""
    parts = ChargebackPart.objects.filter(
        hold__payee=payee, hold__currency=currency, bearer=ChargebackPart.Bearer.PAYEE
    ).select_related("movement", "hold")
    return [
        (
            _("Taken on %(day)s") % {"day": part.movement.moved_at.date().isoformat()}
            if part.movement.amount_minor < 0
            else _("Given back on %(day)s") % {"day": part.movement.moved_at.date().isoformat()},
            f"{money_text(Money(part.amount_minor, currency))}, {part.hold}",
        )
        for part in parts.order_by("-pk")[:10]
    ]
