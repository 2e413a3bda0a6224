"""The one last thing before a first bid: a profile that says something."""

from collections.abc import Sequence

from django.db import transaction

from accounts.models import Profile, ProfileSkill, User
from accounts.services import profiles, skills
from marketplace.core.money import Money


@transaction.atomic
def introduce(user: User, *, headline: str, names: Sequence[str]) -> None:
    """Set the first line and the first skills of the user's profile, and keep the rest.

    Raises InvalidInput for a headline that is too long (field "headline") or a word that is no
    skill (field "skills").
    """
    profile = user.own_party.profile
    found = skills.find_or_propose(names)
    profiles.save_profile(
        profile,
        by=user,
        headline=headline,
        bio=profile.bio,
        rate_min=_amount(profile, profile.rate_min_minor),
        rate_max=_amount(profile, profile.rate_max_minor),
        availability=profile.availability,
        available_from=profile.available_from,
        hours_per_week=profile.hours_per_week,
        languages=profile.languages,
        # Whoever sends a bid wants to be found.
        is_visible=True,
    )
    profiles.set_skills(
        profile, by=user, skills=[(skill, ProfileSkill.Level.GOOD) for skill in found]
    )


def _amount(profile: Profile, minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, profile.currency)
