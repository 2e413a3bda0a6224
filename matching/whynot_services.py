"""Why a freelancer is not among the first for a project: asked on a page, answered by a worker."""

import dataclasses
import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import MD5
from django.utils.translation import gettext as _

from accounts.models import Party, Profile
from accounts.selectors import require_right
from marketplace.core import audit, clock, outbox, retention
from marketplace.core.errors import InvalidInput
from matching import services
from matching.engine.placing import Turn
from matching.models import WhyNot
from matching.selectors import attention, documents, matches, wishes
from projects.models import Project

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User
    from matching.engine.retriever import Retriever

# Every change is tried by ranking this many at most: the nearest, and others beside them.
NEAREST = 200
MARKET = 400
# A question nobody answered is asked again after this time: its task may have been lost.
ASK_AGAIN = dt.timedelta(seconds=30)
ANSWERS_LIVE = dt.timedelta(days=30)


def ask(project: Project, *, by: "User") -> WhyNot:
    """Have a worker find out where the person stands for a project, and what would change it.

    The caller has checked that the person may see it. Raises InvalidInput without a profile or
    where nothing is ranked.
    """
    party = by.own_party
    require_right(by, party, "manage")
    if not matches.is_on():
        raise InvalidInput(_("Matching is switched off on this site, so nobody has a place"))
    shown = Profile.objects.filter(party=party)
    if not shown.filter(~Q(headline="") | Q(profile_skills__isnull=False)).exists():
        raise InvalidInput(_("Fill in your profile first. There is nothing to compare yet"))
    with transaction.atomic():
        now = clock.now()
        asked, created = WhyNot.objects.select_for_update().get_or_create(
            project=project, party=party, defaults={"asked_at": now}
        )
        if asked.answered_at or created or asked.asked_at < now - ASK_AGAIN:
            WhyNot.objects.filter(pk=asked.pk).update(
                asked_at=now, answered_at=None, answer={}, engine=""
            )
            audit.record(by, "why_not.asked", asked, project=project.pk)
            from matching import tasks  # noqa: PLC0415 - tasks imports this module

            outbox.nudge(tasks.find_out_why_not, asked.pk)
    return asked


def find_out(why_not_id: int) -> None:
    """Answer one question. Safe to run twice; one whose project has closed is dropped."""
    asked = (
        WhyNot.objects.select_related("project__client", "party__profile")
        .filter(pk=why_not_id, answered_at=None)
        .first()
    )
    if asked is None:
        return
    if not matches.is_on():
        asked.delete()
        return
    person = documents.person(asked.party) if asked.project.is_open else None
    if person is None:
        asked.delete()
        return
    # numpy and scipy belong into workers; web processes import this module too.
    from matching import memory  # noqa: PLC0415
    from matching.engine import whynot  # noqa: PLC0415

    need = documents.need(asked.project)
    ready = memory.people_matcher()
    unused = person.unused_works > 0
    out = documents.out_of_reach(asked.project) - {person.id}
    others = documents.people_among(_field(ready.matcher, asked.project, without=out))
    answer = whynot.why_not(
        others,
        need,
        person,
        at=clock.now().date(),
        read=memory.people_reader(),
        weights=ready.matcher.weights,
        # As the list is made, but without lots: those nobody can do anything about.
        turn=Turn(
            seed=str(asked.project.pk),
            policy=dataclasses.replace(services.PLACING, exploring=0.0),
            lately=attention.lately(without=asked.project),
        ),
        with_record=documents.person(asked.party, with_record=True) if unused else None,
    )
    said = dataclasses.asdict(answer) | {
        "blocked": _blocked(asked.party, asked.project),
        "is_whole": len(others) < MARKET,
    }
    WhyNot.objects.filter(pk=asked.pk, asked_at=asked.asked_at).update(
        answer=said, engine=ready.engine, answered_at=clock.now()
    )


def _field(matcher: "Retriever", project: Project, *, without: Collection[str]) -> set[int]:
    """Whom to rank the person among: everybody, or in a big market the nearest and some more.

    Nobody beyond the nearest can come among the first because one person changes something; the
    others are there for how common words are, drawn the same way whenever it is asked again.
    """
    everybody = documents.suggestable().exclude(party__in=[int(pk) for pk in without])
    some = set(everybody.order_by(MD5("handle")).values_list("party", flat=True)[:MARKET])
    if len(some) < MARKET:
        return some
    near = matcher.people_for(documents.need(project), NEAREST, exclude=without)
    nearest = [int(each.id) for each in near]
    return {*nearest, *sorted(some - set(nearest))[: MARKET - len(nearest)]}


def _blocked(party: Party, project: Project) -> list[str]:
    """What keeps somebody out of the list whatever their place would be."""
    profile = party.profile
    found = {
        "off": not wishes.of(party).is_on,
        "hidden": not profile.is_visible,
        "headline": not profile.headline,
        "busy": profile.is_busy,
        "bid": project.bids.filter(freelancer=party).exists(),
        "own": str(party.pk) in documents.of_client(project),
    }
    return [code for code, is_so in found.items() if is_so]


@retention.forgets("why-nots")
def old_answers() -> "QuerySet[WhyNot]":
    """Questions whose answers are long overtaken."""
    return WhyNot.objects.filter(asked_at__lt=clock.now() - ANSWERS_LIVE)
