"""Undoing postings by hand: with a reason, and above a limit by two members of staff."""

import logging
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from payments import ledger
from payments.models import Account, Journal, Reversal
from payments.selectors import concerns
from payments.services import policies
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

Role = Account.Role
Status = Reversal.Status

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
}

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
                needs_second=mixed or amount > limit(amount.currency),
                asked_by=by,
            )
    except IntegrityError as error:
        # Somebody asked at the same moment.
        raise NotReversible(REVERSED) from error
    audit.record(
        by, "reversal.asked", reversal, amount=amount.minor, currency=amount.currency,
        journal=journal.pk,
    )  # fmt: skip
    if not reversal.needs_second:
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
    reversal.move_to(
        Status.REFUSED, decided_by=by, decided_at=clock.now(), answer=check_reason(reason)
    )
    audit.record(by, "reversal.refused", reversal)


def limit(currency: str) -> Money:
    """Up to this amount one person is enough."""
    return Money.parse(str(policies.current().reversal_limit), currency)


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
    reversal.refresh_from_db(from_queryset=Reversal.objects.select_for_update())
    _check_second(reversal, by)
    if reversal.status != Status.ASKED:
        raise InvalidTransition


def _check_second(reversal: Reversal, by: "User") -> None:
    _check_person(reversal.journal, by)
    if by == reversal.asked_by:
        log.warning("user %s tried to decide on reversal %s of their own", by.pk, reversal.ref)
        raise NotAllowed(_("You asked for this reversal, so another person has to decide on it."))


def _check_person(journal: Journal, by: "User") -> None:
    if not by.has_perm("payments.act_on_reversal"):
        log.warning("user %s tried to reverse journal %s without permission", by.pk, journal.pk)
        raise NotAllowed
    if concerns.parties_of(journal).filter(memberships__user=by).exists():
        log.warning("user %s tried to reverse journal %s of their own", by.pk, journal.pk)
        raise NotAllowed(_("This is about money of your own. Somebody else has to do it."))


def _check_journal(journal: Journal, *, besides: Reversal | None = None) -> None:
    taken = Reversal.objects.filter(journal=journal, status__in=[Status.ASKED, Status.POSTED])
    if besides:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists() or Journal.objects.filter(reverses=journal).exists():
        raise NotReversible(REVERSED)
    tied = sorted(
        {name.role.label for name, _amount in ledger.legs_of(journal) if name.role in KEPT_BY_ROWS}
    )
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
