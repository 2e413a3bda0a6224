"""What somebody decided about suggestions."""

from accounts.models import Party
from matching.models import MatchWishes


def of(party: Party) -> MatchWishes:
    """The wishes of a party; unsaved and as usual when it never said any."""
    return MatchWishes.objects.filter(party=party).first() or MatchWishes(party=party)
