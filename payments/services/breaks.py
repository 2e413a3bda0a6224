"""Differences between our books and Stripe, kept until they fit or a person explains them."""

import datetime as dt
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from marketplace.core import audit, clock
from marketplace.core.errors import InvalidTransition, NotAllowed
from payments.models import Break
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

Key = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """What one run saw of one source in one currency, both as Stripe counts."""

    source: str
    currency: str
    at_stripe: int
    in_books: int

    def __str__(self) -> str:
        return (
            f"{self.source}: {self.at_stripe} {self.currency} at Stripe, {self.in_books} in the "
            "books"
        )

    @property
    def key(self) -> Key:
        """Names its open row."""
        return self.source, self.currency


# --- What a run saw -------------------------------------------------------------------------


def explained(found: Collection[Difference]) -> set[Difference]:
    """Those of them a person has explained: the same source with the same two amounts."""
    reasons = Break.objects.filter(
        why=Break.Why.EXPLAINED, source__in={one.source for one in found}
    ).values_list("source", "currency", "at_stripe", "in_books")
    return set(found) & {Difference(*row) for row in reasons}


@transaction.atomic
def keep(
    found: Collection[Difference],
    *,
    at: dt.datetime,
    fitting: Mapping[Key, int] | None = None,
    moving: Collection[Key] = (),
) -> None:
    """Open a row for each new difference, bring known ones up to date, close those that fit.

    What is not found fits, unless it is moving just now or explained. A run that saw only a part
    says what is in the books in `fitting`; then only rows with that amount are closed. Two runs
    beside each other end with the same rows: of a source one row is open, and the database keeps
    it so.
    """
    rows = Break.objects.select_for_update().filter(closed_at=None).order_by("pk")
    known = {(row.source, row.currency): row for row in rows}
    for one in found:
        row = known.pop(one.key, None) or _open(one, at)
        Break.objects.filter(pk=row.pk, closed_at=None).update(
            at_stripe=one.at_stripe,
            in_books=one.in_books,
            last_seen_at=max(at, row.last_seen_at),
        )
    for key, row in known.items():
        if key not in moving and (fitting is None or fitting.get(key) == row.at_stripe):
            _close(row, at)


def _open(one: Difference, at: dt.datetime) -> Break:
    row, made = Break.objects.get_or_create(
        source=one.source,
        currency=one.currency,
        closed_at=None,
        defaults={
            "at_stripe": one.at_stripe,
            "in_books": one.in_books,
            "first_seen_at": at,
            "last_seen_at": at,
        },
    )
    if made:
        log.error("a difference to Stripe: %s", one)
        audit.record(
            None,
            "break.opened",
            row,
            rule="reconciliation",
            source=one.source,
            currency=one.currency,
            at_stripe=one.at_stripe,
            in_books=one.in_books,
        )
    return row


def _close(row: Break, at: dt.datetime) -> None:
    row.closed_at, row.why = max(at, row.first_seen_at), Break.Why.FITS
    row.save(update_fields=["closed_at", "why"])
    audit.record(None, "break.closed", row, rule="reconciliation", why=row.why)


# --- What people do about it ----------------------------------------------------------------


@transaction.atomic
def take(row: Break, *, by: "User") -> None:
    """Make it theirs, whoever had it. Raises NotAllowed, InvalidTransition if it is closed."""
    _lock(row, by)
    row.owner = by
    row.save(update_fields=["owner"])
    audit.record(by, "break.taken", row)


@transaction.atomic
def explain(row: Break, *, by: "User", reason: str) -> None:
    """Close it with a reason. The same two amounts stay explained; others open a new row.

    Raises InvalidInput for a reason nobody could follow, NotAllowed, InvalidTransition if it is
    closed.
    """
    _lock(row, by)
    row.note, row.why = check_reason(reason), Break.Why.EXPLAINED
    row.closed_at, row.closed_by = clock.now(), by
    row.owner = row.owner or by
    row.save(update_fields=["note", "why", "closed_at", "closed_by", "owner"])
    audit.record(by, "break.explained", row, at_stripe=row.at_stripe, in_books=row.in_books)


def _lock(row: Break, by: "User") -> None:
    if not by.has_perm("payments.act_on_break"):
        raise NotAllowed
    row.refresh_from_db(from_queryset=Break.objects.select_for_update())
    if row.closed_at:
        raise InvalidTransition
