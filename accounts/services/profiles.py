"""What freelancers show of themselves."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.models import PortfolioItem, Profile, ProfileSkill, Skill, SkillAlias, User
from accounts.signals import profile_changed
from marketplace.core import audit, clock, files, text
from marketplace.core.errors import DomainError, InvalidInput
from marketplace.core.money import Money

if TYPE_CHECKING:
    from django.core.files.base import File

MOST_SKILLS = 30
MOST_SAMPLES = 20


@transaction.atomic
def save_profile(
    profile: Profile,
    *,
    by: User,
    headline: str,
    bio: str,
    rate_min: Money | None,
    rate_max: Money | None,
    availability: str,
    available_from: dt.date | None,
    hours_per_week: int | None,
    languages: str,
    is_visible: bool,
) -> None:
    """Change everything but skills and samples.

    One rate stands for both ends of the range. Raises InvalidInput naming the field that is wrong.
    """
    profile = _locked(profile, by)
    low, high = _range(profile, rate_min, rate_max)
    if hours_per_week is not None and not 1 <= hours_per_week <= 80:
        raise InvalidInput(_("Hours a week must be between 1 and 80"), field="hours_per_week")
    values = {
        "headline": text.short_line(headline, limit=120, field="headline"),
        "bio": text.short_block(bio, limit=4000, field="bio"),
        "languages": text.short_line(languages, limit=120, field="languages"),
        "rate_min_minor": low,
        "rate_max_minor": high,
        "availability": Profile.Availability(availability),
        "available_from": _from_date(profile, availability, available_from),
        "hours_per_week": hours_per_week,
        "is_visible": is_visible,
    }
    changed = [name for name, value in values.items() if getattr(profile, name) != value]
    for name in changed:
        setattr(profile, name, values[name])
    if changed:
        _saved(profile, by, changed)


def change_profile(profile: Profile, *, by: User, **changes: Any) -> None:
    """`save_profile` with only what changes; what is left out stays as it is."""
    present = {
        "headline": profile.headline,
        "bio": profile.bio,
        "rate_min": profile.rate_low,
        "rate_max": profile.rate_high,
        "availability": profile.availability,
        "available_from": profile.available_from,
        "hours_per_week": profile.hours_per_week,
        "languages": profile.languages,
        "is_visible": profile.is_visible,
    }
    save_profile(profile, by=by, **(present | changes))


@transaction.atomic
def set_skills(profile: Profile, *, by: User, skills: Sequence[tuple[Skill, int]]) -> None:
    """Replace the skills and their levels (1 basic, 2 good, 3 expert). At most 30."""
    profile = _locked(profile, by)
    levels = {skill.pk: ProfileSkill.Level(level) for skill, level in skills}
    if len(levels) > MOST_SKILLS:
        raise InvalidInput(
            _("Choose at most %(most)d skills. The best ones say more than all of them")
            % {"most": MOST_SKILLS},
            field="skills",
        )
    before = dict(profile.profile_skills.values_list("skill", "level"))
    if before == levels:
        return
    profile.profile_skills.exclude(skill__in=levels).delete()
    for pk, level in levels.items():
        ProfileSkill.objects.update_or_create(
            profile=profile, skill_id=pk, defaults={"level": level}
        )
    _saved(profile, by, ["skills"])


# --- Samples of work ------------------------------------------------------------------------


@transaction.atomic
def add_sample(
    profile: Profile,
    *,
    by: User,
    title: str,
    description: str = "",
    url: str = "",
    image: "File[bytes] | None" = None,
    image_alt: str = "",
) -> PortfolioItem:
    """Show one more piece of work, last in the order. A picture is re-encoded."""
    profile = _locked(profile, by)
    if profile.portfolio.count() >= MOST_SAMPLES:
        raise DomainError(
            _("You show %(most)d samples already. Remove one first") % {"most": MOST_SAMPLES}
        )
    values = _sample(title, description, url, image_alt, has_image=image is not None)
    last = profile.portfolio.order_by("position").last()
    item = PortfolioItem.objects.create(
        profile=profile,
        position=last.position + 1 if last else 0,
        image=files.store_image(image, by=by) if image else None,
        **values,
    )
    _saved(profile, by, ["portfolio"])
    return item


@transaction.atomic
def edit_sample(
    item: PortfolioItem,
    *,
    by: User,
    title: str,
    description: str,
    url: str,
    image_alt: str,
    image: "File[bytes] | None" = None,
    remove_image: bool = False,
) -> None:
    """Change a sample; a new picture replaces the old one."""
    profile = _locked(item.profile, by)
    keeps_image = bool(image) or (item.image_id is not None and not remove_image)
    values = _sample(title, description, url, image_alt, has_image=keeps_image)
    for name, value in values.items():
        setattr(item, name, value)
    old = item.image if image or remove_image else None
    if image:
        item.image = files.store_image(image, by=by)
    elif remove_image:
        item.image = None
    item.save()
    if old:
        files.discard(old)
    _saved(profile, by, ["portfolio"])


@transaction.atomic
def move_sample(item: PortfolioItem, *, by: User, up: bool) -> None:
    """Swap a sample with its neighbour. At the end of the list nothing happens."""
    profile = _locked(item.profile, by)
    order = list(profile.portfolio.values_list("pk", flat=True))
    here = order.index(item.pk)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(order):
        return
    order[here], order[there] = order[there], order[here]
    for position, pk in enumerate(order):
        PortfolioItem.objects.filter(pk=pk).update(position=position)
    _saved(profile, by, ["portfolio"])


@transaction.atomic
def remove_sample(item: PortfolioItem, *, by: User) -> None:
    """Show it no longer; its picture is deleted."""
    profile = _locked(item.profile, by)
    image = item.image
    item.delete()
    if image:
        files.discard(image)
    _saved(profile, by, ["portfolio"])


# --- Shared ---------------------------------------------------------------------------------


@transaction.atomic
def find_under_new_words(profile: Profile) -> None:
    """Refresh the words a search finds the profile by: name, skills and their other spellings."""
    skills = profile.profile_skills.values("skill")
    names = Skill.objects.filter(pk__in=skills).values_list("name", flat=True)
    spellings = SkillAlias.objects.filter(skill__in=skills).values_list("folded", flat=True)
    profile.words = "\n".join([profile.party.name, *names, *spellings])
    profile.save(update_fields=["words"])
    profile_changed.send(sender=Profile, profile=profile)


def profiles_by_id(ids: Iterable[int]) -> list[Profile]:
    """These profiles with their parties."""
    return list(Profile.objects.filter(pk__in=ids).select_related("party"))


def _locked(profile: Profile, by: User) -> Profile:
    profile = (
        Profile.objects.select_for_update(of=("self",)).select_related("party").get(pk=profile.pk)
    )
    selectors.require_right(by, profile.party, "manage")
    return profile


def _saved(profile: Profile, by: User, changed: list[str]) -> None:
    profile.updated_at = clock.now()
    profile.save()
    find_under_new_words(profile)
    audit.record(by, "profile.changed", profile, fields=changed)


def _range(
    profile: Profile, low: Money | None, high: Money | None
) -> tuple[int | None, int | None]:
    low = high if low is None else low
    high = low if high is None else high
    if low is None or high is None:
        return None, None
    if low.currency != profile.currency or high.currency != profile.currency:
        raise InvalidInput(
            _("Your rate is in %(currency)s") % {"currency": profile.currency}, field="rate_min"
        )
    if low.minor <= 0:
        raise InvalidInput(_("Your rate must be more than nothing"), field="rate_min")
    if high < low:
        raise InvalidInput(_("The upper end must not be below the lower one"), field="rate_max")
    return low.minor, high.minor


def _from_date(profile: Profile, availability: str, date: dt.date | None) -> dt.date | None:
    if availability != Profile.Availability.FROM_DATE:
        return None
    if date is None:
        raise InvalidInput(_("Enter the date you are free from"), field="available_from")
    # A date that was right when entered may pass by; it then reads as "free now".
    if date != profile.available_from and date < timezone.localdate(clock.now()):
        raise InvalidInput(_("The date must be today or later"), field="available_from")
    return date


def _sample(
    title: str, description: str, url: str, image_alt: str, *, has_image: bool
) -> dict[str, str]:
    values = {
        "title": text.short_line(title, limit=120, field="title"),
        "description": text.short_block(description, limit=2000, field="description"),
        "url": text.web_address(url, field="url"),
        "image_alt": text.short_line(image_alt, limit=200, field="image_alt") if has_image else "",
    }
    if not values["title"]:
        raise InvalidInput(_("Enter a title for this sample"), field="title")
    if has_image and not values["image_alt"]:
        raise InvalidInput(
            _("Say in words what the picture shows, for people who cannot see it"),
            field="image_alt",
        )
    return values
