"""Checks of VAT ids: asked beside the change that needs them, answered outside transactions.

The register may be away for hours. Until it has said yes nobody gets a reverse charge.
"""

import datetime as dt
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.countries import EUROPEAN_UNION
from accounts.models import Party
from accounts.names import same_company
from accounts.selectors import people_of, require_right, staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import DomainError, InvalidTransition, NotAllowed
from marketplace.core.models import OutboxMessage
from payments import vies
from payments.models import VatCheck
from payments.selectors import tax
from payments.services import policies
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
Status = VatCheck.Status
TOPIC = "vat_check"
PERMISSION = "payments.act_on_vatcheck"
# After this the check ends without an answer, and a new one has to be asked for.
KEEP_ASKING = dt.timedelta(days=1)
# A person who presses the button again so soon would get the same answer.
PAUSE = dt.timedelta(minutes=10)
# Nobody learns ids by trying them, and the register does not shut us out.
MOST_A_DAY = 10


class CheckedJustNow(DomainError):
    """The register was asked a moment ago."""

    code = "checked_just_now"
    default_message = gettext_lazy(
        "This VAT id was checked a moment ago. Ask again in ten minutes."
    )


@transaction.atomic
def ask(party: Party, *, by: "User | None") -> VatCheck | None:
    """Have the party's VAT id checked soon; a check that is running is not doubled.

    None when there is no id a register of the Union could know, or when people have asked about the
    party too often today.
    """
    # Whoever changes the id holds this row too, so both see the same one.
    party = Party.objects.select_for_update().get(pk=party.pk)
    if not tax.is_checkable(party) or (by and _is_too_often(party)):
        return None
    source = VatCheck.Source.TEST if vies.is_stand_in() else VatCheck.Source.VIES
    asked = {"source": source, "claimed_name": tax.claimed_name(party)}
    check, is_new = VatCheck.objects.get_or_create(
        party=party, vat_id=party.vat_id, status=Status.ASKED, defaults=asked
    )
    if not is_new and check.claimed_name != asked["claimed_name"]:
        VatCheck.objects.filter(pk=check.pk, status=Status.ASKED).update(**asked)
    if is_new:
        outbox.put(TOPIC, f"vat-check:{check.ref}", {"id": check.pk})
        audit.record(by, "vat_check.asked", check, rule="" if by else "proof_grows_old")
    return check


@transaction.atomic
def ask_again(party: Party, *, by: "User") -> None:
    """The same, because a person wants it.

    Raises NotAllowed without the right to manage, CheckedJustNow after an answer of this moment.
    """
    require_right(by, party, "manage")
    newest = tax.newest_check(party)
    if newest and newest.ended_at and clock.now() - newest.ended_at < PAUSE:
        raise CheckedJustNow
    if ask(party, by=by) is None and tax.is_checkable(party):
        raise CheckedJustNow(_("You have asked many times today. Ask again tomorrow."))


def _is_too_often(party: Party) -> bool:
    day_ago = clock.now() - dt.timedelta(days=1)
    return party.vat_checks.filter(asked_at__gt=day_ago).count() >= MOST_A_DAY


@outbox.handles(TOPIC)
def carry_out(message: OutboxMessage) -> None:
    """Ask the register; silence means later."""
    check = VatCheck.objects.get(pk=message.payload["id"])
    if check.status != Status.ASKED:
        outbox.done(message)
        return
    try:
        answer = vies.ask(check.vat_id, name=check.claimed_name, requester=_requester())
    except vies.Unavailable as error:
        _no_answer(check, str(error), message)
    else:
        _answered(check, answer, message)


def _requester() -> str:
    """Our own id, if it is one of the Union's; others cannot be named to VIES."""
    return settings.OPERATOR_VAT_ID if settings.OPERATOR_COUNTRY in EUROPEAN_UNION else ""


def _no_answer(check: VatCheck, failure: str, message: OutboxMessage) -> None:
    if clock.now() - check.asked_at < KEEP_ASKING:
        VatCheck.objects.filter(pk=check.pk, status=Status.ASKED).update(failure=failure[:80])
        raise outbox.Later(failure)
    with transaction.atomic():
        check.move_to(Status.UNAVAILABLE, ended_at=clock.now(), failure=failure[:80])
        audit.record(None, "vat_check.unanswered", check, rule="register", failure=failure[:80])
        outbox.done(message)
    log.warning("no answer about %s: %s", check.ref, failure)


@transaction.atomic
def _answered(check: VatCheck, answer: vies.Answer, message: OutboxMessage) -> None:
    now = clock.now()
    good_for = dt.timedelta(days=policies.current().vat_check_days)
    check.move_to(
        Status.VALID if answer.valid else Status.INVALID,
        ended_at=now,
        consultation=answer.consultation,
        answer_sha256=answer.digest,
        # The one that was asked about, whatever the party is called by now.
        claimed_name=check.claimed_name,
        registered_name=answer.name,
        name_match=_compared(check.claimed_name, answer) if answer.valid else "",
        failure="",
        # In time: the register may be away for a while just then.
        due_at=now + good_for * 3 / 4 if answer.valid else None,
    )
    audit.record(None, f"vat_check.{check.status}", check, rule="register", name=check.name_match)
    if answer.valid and not check.proves and tax.newest_check(check.party) == check:
        _tell_of_the_name(check)
    if not answer.valid and check.party.vat_id == check.vat_id:
        notify(
            people_of(check.party, "manage"),
            "vat_invalid",
            key=f"vat_invalid:{check.ref}",
            url=reverse("payments:tax", args=[check.party.ref]),
            group="money",
            facts={"vat_id": check.vat_id},
        )
    outbox.done(message)
    if check.claimed_name != tax.claimed_name(check.party):
        ask(check.party, by=None)


def _compared(claimed: str, answer: vies.Answer) -> str:
    if answer.name_is_right or (answer.name and same_company(claimed, answer.name)):
        return VatCheck.NameMatch.MATCH
    told = answer.name or answer.name_is_right is False
    return VatCheck.NameMatch.DIFFERS if told else VatCheck.NameMatch.UNKNOWN


def _tell_of_the_name(check: VatCheck) -> None:
    """Valid, but whose? The party may correct its name; people of ours may look."""
    facts = {"vat_id": check.vat_id}
    notify(
        people_of(check.party, "manage"),
        "vat_name_differs",
        key=f"vat_name_differs:{check.ref}",
        url=reverse("payments:tax", args=[check.party.ref]),
        group="money",
        facts=facts,
    )
    notify(
        staff_who_may(PERMISSION),
        "vat_name_to_check",
        key=f"vat_name_to_check:{check.ref}",
        url=reverse("admin:payments_vatcheck_change", args=[check.pk]),
        group="work",
        facts=facts,
    )


@transaction.atomic
def confirm_name(check: VatCheck, *, by: "User", reason: str) -> None:
    """A finance officer has seen that the id is the party's own: it proves from now on.

    Raises NotAllowed without the right and about parties of one's own, InvalidInput without a
    reason, InvalidTransition when there is nothing to confirm (any more).
    """
    if not (by.is_active and by.is_staff and by.has_perm(PERMISSION)):
        raise NotAllowed
    if people_of(check.party).filter(pk=by.pk).exists():
        raise NotAllowed(_("This is about a party of your own. Somebody else has to do it."))
    reason = check_reason(reason)
    waiting = VatCheck.objects.select_for_update().filter(pk=check.pk, status=Status.VALID)
    locked = waiting.filter(confirmed_by=None).exclude(name_match=VatCheck.NameMatch.MATCH).first()
    if locked is None:
        raise InvalidTransition
    locked.confirmed_by, locked.confirmed_because = by, reason
    locked.confirmed_at = clock.now()
    locked.save(update_fields=["confirmed_by", "confirmed_because", "confirmed_at"])
    audit.record(by, "vat_check.confirmed", locked, name=locked.name_match)


def run_due(*, limit: int = 100) -> int:
    """Ask again about ids whose proof grows old; returns how many. Two sweeps ask once."""
    asked = 0
    while asked < limit and _next_due():
        asked += 1
    return asked


@transaction.atomic
def _next_due() -> bool:
    due = VatCheck.objects.filter(due_at__lte=clock.now()).select_for_update(skip_locked=True)
    check = due.order_by("due_at").first()
    if check is None:
        return False
    VatCheck.objects.filter(pk=check.pk).update(due_at=None)
    if tax.newest_check(check.party) == check:
        ask(check.party, by=None)
    return True
