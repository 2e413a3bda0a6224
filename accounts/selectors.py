"""Named reads of people, their rights, and what they show."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.auth.models import Permission
from django.contrib.postgres.search import SearchQuery
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import Length
from django.http import Http404

from accounts import curated
from accounts.models import (
    Group,
    Membership,
    Notice,
    NoticePreference,
    Party,
    PortfolioItem,
    Profile,
    ProfileSkill,
    Skill,
    SkillAlias,
    SkillLink,
    User,
)
from accounts.spelling import fold_skill
from marketplace.core.errors import NotAllowed
from marketplace.core.models import AuditRow

PAGE = 20
COUNT_CAP = 2000

# --- Rights ---------------------------------------------------------------------------------


def acts_for(user: User, party: Party, right: str) -> bool:
    """Whether the user may `post`, `hire`, `pay` or `manage` for the party."""
    return Membership.objects.filter(
        party=party, user=user, **{f"can_{right}": True}, user__is_active=True
    ).exists()


def require_right(user: User, party: Party, right: str) -> None:
    """Raise NotAllowed unless the user has the right."""
    if not acts_for(user, party, right):
        raise NotAllowed


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


def staff_who_may(permission: str) -> QuerySet[User]:
    """Active members of staff with a permission, like "payments.act_on_payout": whom we call."""
    app, codename = permission.split(".")
    may = Permission.objects.filter(codename=codename, content_type__app_label=app)
    return User.objects.filter(
        Q(is_superuser=True) | Q(user_permissions__in=may) | Q(groups__permissions__in=may),
        is_active=True,
        is_staff=True,
    ).distinct()


def hiring_party(user: User) -> Party:
    """For whom this person posts and hires now: a company of theirs, or they themselves."""
    return user.hires_for or user.own_party


def billing_party(user: User) -> Party:
    """Whose details /company/ shows: as a freelancer one's own, else whom one hires for."""
    return hiring_party(user) if user.side == User.Side.HIRE else user.own_party


def party_to_act_for(user: User, ref: str) -> Party:
    """A party the user belongs to, by its ref."""
    party = parties_of(user).filter(ref=ref).first()
    if party is None:
        raise Http404
    return party


def members(party: Party) -> QuerySet[Membership]:
    """The people of a company with their rights, oldest first."""
    return party.memberships.select_related("user").order_by("created_at", "pk")


def party_of_invitation(ref: str) -> Party:
    """The company an invitation names; whoever holds the signed invitation may see its name."""
    party = Party.objects.filter(ref=ref).first()
    if party is None:
        raise Http404
    return party


def membership_to_change(user: User, party: Party, ref: str) -> Membership:
    """The membership of the person `ref`, for a manager; or one's own, to leave."""
    membership = members(party).filter(user__ref=ref).first()
    if membership is None:
        raise Http404
    if membership.user != user and not acts_for(user, party, "manage"):
        raise Http404
    return membership


def invitations_sent(party: Party, *, since: dt.datetime) -> int:
    """How many invitations went out for the party."""
    return AuditRow.objects.filter(
        action="party.member_invited",
        subject_type=Party._meta.label_lower,
        subject_id=party.pk,
        at__gte=since,
    ).count()


# --- Profiles -------------------------------------------------------------------------------


@dataclass(frozen=True)
class PeopleFilter:
    """What a visitor looks for among freelancers; empty values filter nothing."""

    q: str = ""
    skills: list[Skill] = field(default_factory=list)
    available: bool = False
    # Minor units of the currency most profiles use; others are not compared.
    rate_max_minor: int | None = None
    currency: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursors of its neighbours."""

    rows: list[Profile]
    after: str
    is_first: bool
    count: int
    capped: bool


def _findable() -> QuerySet[Profile]:
    return Profile.objects.filter(~Q(headline=""), is_visible=True, party__person__is_active=True)


def people(wanted: PeopleFilter) -> QuerySet[Profile]:
    """Freelancers who show a profile with a headline, newest change first."""
    found = _findable()
    if wanted.q:
        found = found.filter(search=SearchQuery(wanted.q, config="simple", search_type="websearch"))
    for skill in wanted.skills:
        has = ProfileSkill.objects.filter(profile=OuterRef("pk"), skill=skill)
        found = found.filter(Exists(has))
    if wanted.available:
        found = found.exclude(availability=Profile.Availability.BUSY)
    if wanted.rate_max_minor is not None:
        found = found.filter(rate_min_minor__lte=wanted.rate_max_minor, currency=wanted.currency)
    return found.order_by("-updated_at", "-pk")


def count_people(wanted: PeopleFilter) -> int:
    """How many fit, counted up to a cap."""
    return people(wanted).order_by()[: COUNT_CAP + 1].count()


def page_of_people(wanted: PeopleFilter, *, after: str = "") -> Page:
    """One page in three queries, whatever its size. A broken cursor is the first page."""
    found = people(wanted)
    count = count_people(wanted)
    cursor = _read_cursor(after)
    rows = found
    if cursor:
        when, pk = cursor
        rows = rows.filter(Q(updated_at__lt=when) | Q(updated_at=when, pk__lt=pk))
    shown = list(with_details(rows)[: PAGE + 1])
    more = len(shown) > PAGE
    shown = shown[:PAGE]
    return Page(
        rows=shown,
        after=_cursor(shown[-1]) if more else "",
        is_first=cursor is None,
        count=min(count, COUNT_CAP),
        capped=count > COUNT_CAP,
    )


def with_details(profiles: QuerySet[Profile]) -> QuerySet[Profile]:
    """The profiles with party and skills at hand: two queries for any number of them."""
    skills = ProfileSkill.objects.select_related("skill").order_by("-level", "pk")
    return profiles.select_related("party").prefetch_related(
        Prefetch("profile_skills", queryset=skills)
    )


def _cursor(profile: Profile) -> str:
    when = profile.updated_at
    return f"{int(when.timestamp())}.{when.microsecond}-{profile.pk}"


def _read_cursor(text: str) -> tuple[dt.datetime, int] | None:
    match = re.fullmatch(r"(\d{1,11})\.(\d{1,6})-(\d{1,18})", text, re.ASCII)
    if not match:
        return None
    seconds, microseconds, pk = (int(part) for part in match.groups())
    when = dt.datetime.fromtimestamp(seconds, tz=dt.UTC).replace(microsecond=microseconds)
    return when, pk


def profile_to_show(user: User | None, handle: str) -> Profile:
    """A profile anybody may see; a hidden one only for its person."""
    profile = with_details(Profile.objects.filter(handle=handle)).first()
    if profile is None or not _may_see(user, profile):
        raise Http404
    return profile


def _may_see(user: User | None, profile: Profile) -> bool:
    if user is not None and user.party_id == profile.party_id:
        return True
    return (
        profile.is_visible and User.objects.filter(party=profile.party_id, is_active=True).exists()
    )


def profile_to_edit(user: User) -> Profile:
    """The user's own profile, with skills and samples."""
    return with_details(Profile.objects.filter(party=user.own_party)).get()


def samples(profile: Profile) -> QuerySet[PortfolioItem]:
    """The work a profile shows, in its order."""
    return profile.portfolio.select_related("image")


def sample_to_edit(user: User, ref: str) -> PortfolioItem:
    """A sample of the user's own profile."""
    mine = PortfolioItem.objects.filter(profile__party=user.own_party, ref=ref)
    item = mine.select_related("profile__party", "image").first()
    if item is None:
        raise Http404
    return item


def sample_to_show(user: User | None, ref: str) -> PortfolioItem:
    """A sample whose profile the user may see."""
    item = PortfolioItem.objects.filter(ref=ref).select_related("profile", "image").first()
    if item is None or not _may_see(user, item.profile):
        raise Http404
    return item


# --- Skills ---------------------------------------------------------------------------------


def suggest_skills(prefix: str, *, limit: int = 8) -> list[Skill]:
    """Skills whose name or other spelling starts with this, or has a word that does.

    Curated ones first, short ones first. Two letters are enough, one is not.
    """
    folded = fold_skill(prefix)
    if len(folded) < 2 and folded not in {"c", "r"}:
        return []
    starts = SkillAlias.objects.filter(skill=OuterRef("pk"), folded__startswith=folded)
    inside = SkillAlias.objects.filter(skill=OuterRef("pk"), folded__contains=f" {folded}")
    rank = Case(
        When(name__istartswith=prefix.strip(), then=0),
        When(Exists(starts), then=1),
        default=2,
        output_field=IntegerField(),
    )
    curated = Case(When(state=Skill.State.CURATED, then=0), default=1, output_field=IntegerField())
    found = Skill.objects.filter(Exists(starts) | Exists(inside))
    return list(found.order_by(curated, rank, Length("name"), "name")[:limit])


@dataclass(frozen=True)
class SkillArea:
    """A group of curated skills, and how many are in it."""

    key: str
    name: str
    count: int


def skill_areas() -> list[SkillArea]:
    """The areas that have curated skills, in the order of the list; one query."""
    counted = (
        Skill.objects.filter(state=Skill.State.CURATED).values("area").annotate(times=Count("pk"))
    )
    counts = dict(counted.values_list("area", "times"))
    return [
        SkillArea(group["area"], group["name"], counts[group["area"]])
        for group in curated.areas()
        if group["area"] in counts
    ]


def skills_of_area(area: str) -> list[Skill]:
    """The curated skills of an area by name; none of an unknown one."""
    return list(Skill.objects.filter(state=Skill.State.CURATED, area=area).order_by("name"))


def skills_offered_most(*, limit: int = 40) -> list[Skill]:
    """The skills most profiles that can be found name, by name."""
    shown = ProfileSkill.objects.filter(profile__in=_findable()).values("skill")
    often = shown.annotate(times=Count("pk")).order_by("-times", "skill")
    return list(
        Skill.objects.filter(pk__in=[row["skill"] for row in often[:limit]]).order_by("name")
    )


def skills_named(names: Iterable[str]) -> list[Skill]:
    """The known skills among these names, by any spelling; unknown names are left out."""
    folded = [fold_skill(name) for name in names]
    known = {
        alias.folded: alias.skill
        for alias in SkillAlias.objects.filter(folded__in=folded).select_related("skill")
    }
    return list(dict.fromkeys(known[name] for name in folded if name in known))


def broader_than(skill: Skill) -> set[int]:
    """The ids of all skills this one is part of, however far up."""
    found: set[int] = set()
    now = {skill.pk}
    while now:
        above = SkillLink.objects.filter(skill__in=now, kind=SkillLink.Kind.BROADER)
        now = set(above.values_list("other", flat=True)) - found
        found |= now
    return found


# --- Notices --------------------------------------------------------------------------------


def notices(user: User) -> QuerySet[Notice]:
    """What we told the person, newest first."""
    return user.notices.order_by("-pk")


def page_of_notices(user: User, *, before: int | None = None) -> tuple[list[Notice], int | None]:
    """A page of notices and the cursor of the next one."""
    rows = notices(user)
    if before:
        rows = rows.filter(pk__lt=before)
    shown = list(rows[: PAGE + 1])
    return shown[:PAGE], shown[PAGE - 1].pk if len(shown) > PAGE else None


def notice_to_read(user: User, ref: str) -> Notice:
    """A notice of this person."""
    notice = user.notices.filter(ref=ref).first()
    if notice is None:
        raise Http404
    return notice


def wants_mail(user: User, group: str) -> bool:
    """Whether notices of this group also go by mail. Money always does."""
    if group == Group.MONEY:
        return True
    return not NoticePreference.objects.filter(user=user, group=group, by_mail=False).exists()


def mail_wishes(user: User) -> dict[str, bool]:
    """Group → whether mail is on, for every group."""
    off = set(
        NoticePreference.objects.filter(user=user, by_mail=False).values_list("group", flat=True)
    )
    return {group: group == Group.MONEY or group not in off for group in Group.values}


def not_mailed(user: User, *, group: str, url: str | None = None) -> QuerySet[Notice]:
    """Unread notices of a group that no mail told yet, oldest first."""
    waiting = user.notices.filter(group=group, read_at=None, mailed_at=None)
    if url is not None:
        waiting = waiting.filter(url=url)
    return waiting.order_by("pk")
