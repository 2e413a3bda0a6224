"""Who may do what for whom. Strangers never get this far: selectors answer them 404."""

from accounts import selectors
from accounts.models import Party, User
from marketplace.core.errors import NotAllowed


def require(by: User, party: Party, right: str) -> None:
    """Raise NotAllowed unless `by` holds the right in the party."""
    if not selectors.acts_for(by, party, right):
        raise NotAllowed


def belongs_to(user: User, party: Party) -> bool:
    """Whether the user is one of the party's people, with or without rights."""
    return selectors.parties_of(user).filter(pk=party.pk).exists()
