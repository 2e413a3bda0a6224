"""What is known for tax: rates, and what the register said about a party's VAT id."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404

from accounts.countries import EUROPEAN_UNION
from accounts.models import Party, User
from accounts.selectors import acts_for
from marketplace.core import clock
from payments import vies
from payments.models import PlatformPolicy, PurchaseOrder, VatCheck, VatRate
from payments.selectors.overviews import money_parties

Status = VatCheck.Status


@dataclass(frozen=True)
class Standing:
    """How a party's VAT id stands: its newest check, and the proof if there is one."""

    party: Party
    # Whether there is an id that a register of the Union can know.
    can_be_checked: bool
    newest: VatCheck | None
    proof: VatCheck | None
    may_manage: bool

    @property
    def good_until(self) -> dt.datetime | None:
        """When the proof gets too old."""
        return proof_ends(self.proof) if self.proof else None


def rate_rows() -> list[VatRate]:
    """All rows of the table of rates, as they were entered."""
    return list(VatRate.objects.order_by("pk"))


def is_checkable(party: Party) -> bool:
    """Whether VIES can know the party's VAT id; ids of Northern Ireland are for goods alone."""
    return bool(party.vat_id) and party.country in EUROPEAN_UNION


def claimed_name(party: Party) -> str:
    """The name the party's documents bear, and the register should know."""
    return party.legal_name or party.name


def newest_check(party: Party) -> VatCheck | None:
    """The newest check of the id the party has now."""
    return _checks(party).order_by("-pk").first()


def proof_of(party: Party, at: dt.datetime | None = None) -> VatCheck | None:
    """The stored answer that the party's present VAT id is valid and theirs, if young enough.

    A later "not valid" takes it away, and so does another name; silence of the register does not.
    """
    if not is_checkable(party):
        return None
    answered = _checks(party).filter(status__in=[Status.VALID, Status.INVALID])
    newest = answered.order_by("-pk").first()
    if newest is None or not newest.proves or newest.claimed_name != claimed_name(party):
        return None
    return newest if proof_ends(newest) > (at or clock.now()) else None


def proof_ends(check: VatCheck) -> dt.datetime:
    """Until when the answer is good for a reverse charge."""
    assert check.ended_at  # noqa: S101 - answered checks have a time, by constraint
    # Not services.policies, which stands above: the policy in force now.
    policy = PlatformPolicy.objects.filter(starts_at__lte=clock.now()).latest("starts_at")
    return check.ended_at + dt.timedelta(days=policy.vat_check_days)


def order_number(work: str) -> str:
    """The purchase order number the client wants on the paper of this work."""
    found = PurchaseOrder.objects.filter(work=work).first() if work else None
    return found.number if found else ""


def standing_to_read(user: User, ref: str) -> Standing:
    """How the VAT id of a party stands whose money is the user's business; otherwise 404."""
    party = Party.objects.filter(pk__in=money_parties(user), ref=ref).first()
    if party is None:
        raise Http404
    checkable = is_checkable(party)
    return Standing(
        party=party,
        can_be_checked=checkable,
        newest=newest_check(party) if checkable else None,
        proof=proof_of(party),
        may_manage=acts_for(user, party, "manage"),
    )


def _checks(party: Party) -> QuerySet[VatCheck]:
    source = VatCheck.Source.TEST if vies.is_stand_in() else VatCheck.Source.VIES
    return VatCheck.objects.filter(party=party, vat_id=party.vat_id, source=source)
