"""What people decide about suggestions, carried out at once."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Party, Profile
from accounts.selectors import require_right
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import InvalidInput
from matching import services
from matching.models import MatchRun, MatchWishes, SkillReading, WhyNot
from matching.selectors import wishes
from matching.selectors.log import LOG_STAYS

if TYPE_CHECKING:
    from accounts.models import User

PARTS = ("skills", "works", "profile")
# The database lets no younger ranking go (AI Act, article 26 (6)).


@transaction.atomic
def set_wishes(
    party: Party,
    *,
    by: "User",
    is_on: bool,
    uses_record: bool,
    skills: str,
    works: str,
    profile: str,
) -> MatchWishes:
    """Write down what somebody wants, forget what went by something else, and compare again.

    Raises NotAllowed for somebody else's party and InvalidInput when nothing would be compared.
    """
    require_right(by, party, "manage")
    if {skills, works, profile} == {MatchWishes.Level.OFF}:
        raise InvalidInput(
            _("Leave at least one part in, or switch personal suggestions off"), field="skills"
        )
    # Before a ranking that runs now, or after it.
    Party.objects.select_for_update(of=("self",), no_key=True).get(pk=party.pk)
    before = wishes.of(party)
    wanted, _new = MatchWishes.objects.update_or_create(
        party=party,
        defaults={
            "is_on": is_on,
            "uses_record": uses_record,
            "skills": skills,
            "works": works,
            "profile": profile,
            "changed_at": clock.now(),
        },
    )
    audit.record(
        by,
        "match_wishes.changed",
        wanted,
        is_on=is_on,
        uses_record=uses_record,
        **{part: getattr(wanted, part) for part in PARTS},
    )
    if not is_on or uses_record != before.uses_record:
        services.forget_party(party)
    if is_on:
        _compare_again(party)
    return wanted


@transaction.atomic
def forget_history(party: Party, *, by: "User") -> int:
    """Delete what matching keeps about a party; returns how many rows went.

    What has to stay is the log of rankings of the last half year, which holds ids and figures.
    Where suggestions are on, they are made anew from what the profile says now.
    """
    require_right(by, party, "manage")
    Party.objects.select_for_update(of=("self",), no_key=True).get(pk=party.pk)
    gone = services.forget_party(party)
    gone += WhyNot.objects.filter(party=party).delete()[0]
    askers = [f"user:{by.pk}", *(f"profile:{pk}" for pk in _profile_of(party))]
    gone += SkillReading.objects.filter(asker__in=askers).delete()[0]
    old = clock.now() - LOG_STAYS
    gone += MatchRun.objects.filter(party=party, at__lt=old, matches=None).delete()[0]
    audit.record(by, "match_history.forgotten", party, rows=gone)
    if wishes.of(party).is_on:
        _compare_again(party)
    return gone


def _profile_of(party: Party) -> list[int]:
    return list(Profile.objects.filter(party=party).values_list("pk", flat=True))


def _compare_again(party: Party) -> None:
    key = f"match:party:{party.pk}:{clock.now().isoformat()}"
    outbox.put("matching", key, {"changed": "party", "id": party.pk})
