"""Named reads of people and their rights."""

from django.db.models import QuerySet

from accounts.models import Membership, Party, User


def acts_for(user: User, party: Party, right: str) -> bool:
    """Whether the user may `post`, `hire`, `pay` or `manage` for the party."""
    return Membership.objects.filter(
        party=party, user=user, **{f"can_{right}": True}, user__is_active=True
    ).exists()


def parties_of(user: User, right: str | None = None) -> QuerySet[Party]:
    """The parties the user belongs to, or where they have one right."""
    memberships = Membership.objects.filter(user=user)
    if right:
        memberships = memberships.filter(**{f"can_{right}": True})
    return Party.objects.filter(pk__in=memberships.values("party"))


def people_of(party: Party, right: str | None = None) -> QuerySet[User]:
    """Active users who act for the party (all, or those with one right): whom we tell."""
    memberships = Membership.objects.filter(party=party)
    if right:
        memberships = memberships.filter(**{f"can_{right}": True})
    return User.objects.filter(pk__in=memberships.values("user"), is_active=True)
