"""Who may do what for a company."""

from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.models import Membership, Party, User
from marketplace.core import audit, clock, mail
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed, TooMany
from marketplace.core.ids import new_ref

RIGHTS = ("post", "hire", "pay", "manage")
SALT = "accounts.invitation"
INVITATION_DAYS = 14
INVITATIONS_A_DAY = 20


@transaction.atomic
def invite(party: Party, *, by: User, email: str, rights: Iterable[str]) -> None:
    """Mail an invitation to act for the company with these rights.

    Says nothing about whether the address has an account: who gets the mail signs in or joins,
    then accepts. Raises NotAllowed without the right to manage.
    """
    selectors.require_right(by, party, "manage")
    _only_companies(party)
    email = email.strip().lower()
    kept = _known(rights)
    if party.memberships.filter(user__email=email).exists():
        raise InvalidInput(_("This person is already a member"), field="email")
    _not_too_many(party)
    token = signing.dumps(
        {"party": party.ref, "by": by.ref, "email": email, "rights": kept}, salt=SALT, compress=True
    )
    mail.put(
        f"invitation:{new_ref()}",
        to=email,
        template="accounts/mail/invitation",
        context={
            "company": party.name,
            "inviter": by.name,
            "url": settings.SITE_URL + reverse("accounts:accept-invitation", args=[token]),
            "days": INVITATION_DAYS,
        },
        language=by.language,
        time_zone=by.time_zone,
    )
    audit.record(by, "party.member_invited", party, rights=kept)


def read_invitation(token: str) -> dict[str, str]:
    """What the token says: refs of party and inviter, address, rights.

    Raises InvalidInput when it is forged or older than 14 days.
    """
    try:
        return dict(signing.loads(token, salt=SALT, max_age=INVITATION_DAYS * 86_400))
    except signing.BadSignature as error:
        raise InvalidInput(
            _("This invitation has expired. Ask for a new one"), code="expired"
        ) from error


@transaction.atomic
def accept_invitation(user: User, *, token: str) -> Party:
    """Become a member as invited. Raises when it is for another address or was taken back."""
    said = read_invitation(token)
    if said["email"] != user.email:
        raise NotAllowed(_("This invitation is for another e-mail address"))
    party = Party.objects.select_for_update().get(ref=said["party"])
    inviter = User.objects.get(ref=said["by"])
    add_member(party, by=inviter, user=user, rights=said["rights"])
    user.hires_for = party
    user.side = User.Side.HIRE
    user.save(update_fields=["hires_for", "side"])
    return party


@transaction.atomic
def add_member(party: Party, *, by: User, user: User, rights: Iterable[str]) -> Membership:
    """Let the user act for the company; a member already there gets these rights instead."""
    selectors.require_right(by, party, "manage")
    _only_companies(party)
    party = Party.objects.select_for_update().get(pk=party.pk)
    kept = _known(rights)
    membership, _created = Membership.objects.update_or_create(
        party=party, user=user, defaults={f"can_{right}": right in kept for right in RIGHTS}
    )
    _somebody_manages(party)
    audit.record(by, "party.member_added", party, member=user.ref, rights=kept)
    return membership


@transaction.atomic
def set_rights(membership: Membership, *, by: User, rights: Iterable[str]) -> None:
    """Change what a member may do. The last one who manages keeps that right."""
    add_member(membership.party, by=by, user=membership.user, rights=rights)


@transaction.atomic
def remove_member(membership: Membership, *, by: User) -> None:
    """End a membership: a manager removes somebody, or a member leaves.

    Raises DomainError for the last one who manages, and for a person's own party.
    """
    party = Party.objects.select_for_update().get(pk=membership.party_id)
    _only_companies(party)
    member = membership.user
    if member != by:
        selectors.require_right(by, party, "manage")
    membership.delete()
    _somebody_manages(party)
    User.objects.filter(pk=member.pk, hires_for=party).update(hires_for=None)
    audit.record(by, "party.member_removed", party, member=member.ref)


def _known(rights: Iterable[str]) -> list[str]:
    asked = set(rights)
    kept = [right for right in RIGHTS if right in asked]
    if not kept or asked - set(RIGHTS):
        raise InvalidInput(_("Choose at least one right"), field="rights")
    return kept


def _not_too_many(party: Party) -> None:
    """Invitations go to strangers, so they must not become a way to flood one."""
    if selectors.invitations_sent(party, since=clock.days_from_now(-1)) >= INVITATIONS_A_DAY:
        raise TooMany(
            _("That is a lot of invitations. You can send the next one tomorrow"),
            retry_after=86_400,
        )


def _only_companies(party: Party) -> None:
    if party.kind != Party.Kind.ORGANISATION:
        raise DomainError(_("Only companies have members. Set one up first"))


def _somebody_manages(party: Party) -> None:
    if not party.memberships.filter(can_manage=True, user__is_active=True).exists():
        raise DomainError(
            _("Somebody must manage the company. Give another member that right first"),
            code="last_manager",
        )
