"""People: users, the parties they act for, what they can do, and what we told them."""

from accounts.models.notices import Group, Notice, NoticePreference
from accounts.models.parties import Membership, Party
from accounts.models.profiles import PortfolioItem, Profile, ProfileSkill
from accounts.models.skills import Skill, SkillAlias, SkillCode, SkillLink
from accounts.models.users import User

__all__ = [
    "Group",
    "Membership",
    "Notice",
    "NoticePreference",
    "Party",
    "PortfolioItem",
    "Profile",
    "ProfileSkill",
    "Skill",
    "SkillAlias",
    "SkillCode",
    "SkillLink",
    "User",
]
