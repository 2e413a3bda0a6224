"""What a freelancer says about suggested skills. Nothing is ever added to a profile from here."""

from django.db import transaction

from accounts.models import Profile, Skill, User
from accounts.selectors import require_right
from marketplace.core import audit
from matching.insight.models import DismissedSkill


@transaction.atomic
def dismiss(profile: Profile, *, by: User, skill: Skill) -> None:
    """Suggest this skill to them no more. Saying it twice changes nothing."""
    require_right(by, profile.party, "manage")
    _row, created = DismissedSkill.objects.get_or_create(profile=profile, skill=skill)
    if created:
        audit.record(by, "skill_suggestion.dismissed", profile, skill=skill.slug)


@transaction.atomic
def restore(profile: Profile, *, by: User, skill: Skill) -> None:
    """Suggest it again when the figures do. Saying it twice changes nothing."""
    require_right(by, profile.party, "manage")
    gone, _each = DismissedSkill.objects.filter(profile=profile, skill=skill).delete()
    if gone:
        audit.record(by, "skill_suggestion.restored", profile, skill=skill.slug)
