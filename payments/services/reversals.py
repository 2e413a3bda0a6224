"""Undoing postings by hand: with a reason, and above a limit by two members of staff."""

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, NotAllowed
from marketplace.core.money import Money
from payments import ledger
from payments.models import Account, Journal, Reversal
from payments.selectors import concerns
from payments.services import two_people
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

Role = Account.Role
Status = Reversal.Status
PERMISSION = "payments.act_on_reversal"

# Rows of the market say how much is on these; a posting behind their back would make them lie.
# They are undone where they were done: by a refund, a new try, a decision.
KEPT_BY_ROWS = {
    Role.HELD,
    Role.CLIENT_FEE_HELD,
    Role.DISPUTE_HOLD,
    Role.PENDING,
    Role.PAYABLE,
    Role.CLIENT_CREDIT,
    Role.TRANSFER_CLEARING,
    Role.REFUND_CLEARING,
    Role.BAD_DEBT,
    Role.CHARGEBACK_RESERVE,
}
# The same of decisions that may move accounts of ours alone.
KINDS_KEPT_BY_ROWS = {"placed"}

REVERSED = gettext_lazy("This journal is reversed already, or somebody has asked for it.")


class NotReversible(DomainError):
    """The journal belongs to something that is undone elsewhere, or is undone already."""

    code = "not_reversible"


@transaction.atomic
def ask(journal: Journal, *, by: "User", reason: str) -> Reversal:
    """Undo a journal: at once when it is small, otherwise as soon as a second person approves.

    Raises NotAllowed (also for one's own money), InvalidInput for a reason nobody could follow,
    NotReversible.
    """
    _check_person(journal, by)
    _check_journal(journal)
    amount, mixed = _moved(journal)
    try:
        with transaction.atomic():
            reversal = Reversal.objects.create(
                journal=journal,
                reason=check_reason(reason),
                amount_minor=amount.minor,
                currency=amount.currency,
                needs_second=mixed or amount > two_people.limit(amount.currency),
                asked_by=by,
            )
    except IntegrityError as error:
        # Somebody asked at the same moment.
        raise NotReversible(REVERSED) from error
    audit.record(
        by, "reversal.asked", reversal, amount=amount.minor, currency=amount.currency,
        journal=journal.pk,
    )  # fmt: skip
    if reversal.needs_second:
        two_people.call_second(reversal, permission=PERMISSION)
    else:
        _post(reversal, by=by)
    return reversal


@transaction.atomic
def approve(reversal: Reversal, *, by: "User", reason: str) -> None:
    """Agree as the second person, and say what was looked at; the journal is undone now.

    Raises NotAllowed for whoever asked and whose money it is, InvalidTransition when it is decided.
    """
    _lock(reversal, by)
    _check_journal(reversal.journal, besides=reversal)
    _post(reversal, by=by, decided_by=by, answer=check_reason(reason))


@transaction.atomic
def refuse(reversal: Reversal, *, by: "User", reason: str) -> None:
    """Leave the journal as it is, and say why.

    Raises NotAllowed, InvalidInput, InvalidTransition.
    """
    _lock(reversal, by)
    two_people.refuse(reversal, by=by, reason=reason)


def why_not(journal: Journal) -> str:
    """Why this journal cannot be undone here; nothing when it can."""
    try:
        _check_journal(journal)
    except NotReversible as error:
        return str(error)
    return ""


def why_not_by(reversal: Reversal, by: "User") -> str:
    """Why this person cannot decide on it; nothing when they can."""
    try:
        _check_second(reversal, by)
    except NotAllowed as error:
        return str(error)
    return ""


def legs_in_words(journal: Journal) -> list[tuple[str, str]]:
    """The accounts of a journal and what each got, as staff read them."""
    return [
        (f"{name.role.label} {name.owner}".strip(), money_text(amount))
        for name, amount in ledger.legs_of(journal)
    ]


def _post(reversal: Reversal, *, by: "User", **decision: Any) -> None:
    posted = ledger.reverse(reversal.journal, by=by)
    reversal.move_to(Status.POSTED, posted=posted, decided_at=clock.now(), **decision)
    audit.record(by, "reversal.posted", reversal, amount=reversal.amount_minor, journal=posted.pk)


def _lock(reversal: Reversal, by: "User") -> None:
    two_people.lock(reversal, check=lambda: _check_second(reversal, by))


def _check_second(reversal: Reversal, by: "User") -> None:
    _check_person(reversal.journal, by)
    two_people.check_second(reversal, by)


def _check_person(journal: Journal, by: "User") -> None:
    two_people.check_person(
        by,
        permission=PERMISSION,
        parties=concerns.parties_of(journal),
        doing=f"reverse journal {journal.pk}",
    )


def _check_journal(journal: Journal, *, besides: Reversal | None = None) -> None:
    taken = Reversal.objects.filter(journal=journal, status__in=[Status.ASKED, Status.POSTED])
    if besides:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists() or Journal.objects.filter(reverses=journal).exists():
        raise NotReversible(REVERSED)
    tied = sorted(
        {name.role.label for name, _amount in ledger.legs_of(journal) if name.role in KEPT_BY_ROWS}
    )
    if not tied and journal.kind in KINDS_KEPT_BY_ROWS:
        tied = [Role.SUSPENSE.label]
    if tied:
        raise NotReversible(
            _(
                "This journal moved money of “%(accounts)s”. It is undone where it was done: by a "
                "refund, a decision or another try."
            )
            % {"accounts": "”, “".join(str(label) for label in tied)}
        )


def _moved(journal: Journal) -> tuple[Money, bool]:
    """The sum of its credits in its largest currency, and whether it has several."""
    sums: dict[str, Money] = {}
    for _name, amount in ledger.legs_of(journal):
        if amount.minor > 0:
            sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return max(sums.values(), key=lambda one: one.decimal), len(sums) > 1
