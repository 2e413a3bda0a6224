"""Writing off what payees owe us: with a reason, and above a limit by two members of staff."""

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Party
from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed
from marketplace.core.money import Money
from payments import ledger
from payments.models import WriteOff
from payments.services import receivables, two_people
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

Status = WriteOff.Status
PERMISSION = "payments.act_on_writeoff"


@transaction.atomic
def ask(payee: Party, *, amount: Money, by: "User", reason: str) -> WriteOff:
    """Take what a payee owes for lost: at once when it is little, otherwise after a second person.

    Raises NotAllowed (also for one's own debt), InvalidInput for more than is owed and for a reason
    nobody could follow, DomainError while another question about this debt is open.
    """
    _check_person(payee, by)
    receivables.lock(payee)
    _check_amount(payee, amount)
    try:
        with transaction.atomic():
            row = WriteOff.objects.create(
                payee=payee,
                reason=check_reason(reason),
                amount_minor=amount.minor,
                currency=amount.currency,
                # Small ones count together: nobody writes a large debt off in slices.
                needs_second=amount + receivables.written_off(payee, amount.currency)
                > two_people.limit(amount.currency),
                asked_by=by,
            )
    except IntegrityError as error:
        raise DomainError(_("A write-off of this debt waits for a second person already.")) from (
            error
        )
    audit.record(by, "writeoff.asked", row, amount=amount.minor, currency=amount.currency)
    if row.needs_second:
        two_people.call_second(row, permission=PERMISSION)
    else:
        _post(row, by=by)
    return row


@transaction.atomic
def approve(row: WriteOff, *, by: "User", reason: str) -> None:
    """Agree as the second person, and say what was looked at; it is our loss now.

    Raises NotAllowed for whoever asked and whose debt it is, InvalidInput when less is owed
    meanwhile, InvalidTransition when it is decided.
    """
    two_people.lock(row, check=lambda: _check_second(row, by))
    receivables.lock(row.payee)
    _check_amount(row.payee, row.amount)
    _post(row, by=by, decided_by=by, answer=check_reason(reason))


@transaction.atomic
def refuse(row: WriteOff, *, by: "User", reason: str) -> None:
    """Leave the debt in the books, and say why. Raises like `approve`."""
    two_people.lock(row, check=lambda: _check_second(row, by))
    two_people.refuse(row, by=by, reason=reason)


def why_not_by(row: WriteOff, by: "User") -> str:
    """Why this person cannot decide on it; nothing when they can."""
    try:
        _check_second(row, by)
    except NotAllowed as error:
        return str(error)
    return ""


def in_books(payee: Party, currency: str) -> Money:
    """What of their debt can be written off: owed, not written off and not coming back just now."""
    owed = receivables.to_collect(payee, currency) - receivables.written_off(payee, currency)
    return max(owed, Money.zero(currency))


def _post(row: WriteOff, *, by: "User", **decision: Any) -> None:
    posted = ledger.post(
        f"write_off:{row.ref}",
        "written_off",
        [(ledger.freelancer_receivable(row.payee), row.amount), (ledger.BAD_DEBT, -row.amount)],
        by=by,
        ref=row.ref,
    )
    row.move_to(Status.POSTED, posted=posted, decided_at=clock.now(), **decision)
    audit.record(by, "writeoff.posted", row, amount=row.amount_minor, journal=posted.pk)


def _check_amount(payee: Party, amount: Money) -> None:
    most = in_books(payee, amount.currency)
    if not 0 < amount.minor <= most.minor:
        raise InvalidInput(
            _("%(name)s owes %(most)s that can be written off. Enter that or less.")
            % {"name": payee.name, "most": money_text(most)},
            field="amount",
        )


def _check_second(row: WriteOff, by: "User") -> None:
    _check_person(row.payee, by)
    two_people.check_second(row, by)


def _check_person(payee: Party, by: "User") -> None:
    two_people.check_person(
        by,
        permission=PERMISSION,
        parties=Party.objects.filter(pk=payee.pk),
        doing=f"write off a debt of party {payee.pk}",
    )
