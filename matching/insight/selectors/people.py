"""Which party stands for all that the same people manage.

Three companies of one person are one client here, as they are where work is ranked; so are
companies that share a manager with each other, however many more they have.
"""

from accounts.models import Membership


def stand_ins() -> dict[int, int]:
    """By party the one that stands for it and others, the oldest; parties that stand alone are
    not here.
    """
    above: dict[int, int] = {}

    def top(party: int) -> int:
        while (higher := above.get(party, party)) != party:
            above[party] = party = above.get(higher, higher)
        return party

    first: dict[int, int] = {}
    managed = Membership.objects.filter(can_manage=True).order_by("pk")
    for user, party in managed.values_list("user", "party").iterator():
        one, other = sorted((top(first.setdefault(user, party)), top(party)))
        if one != other:
            above[other] = one
    return {party: top(party) for party in above}
