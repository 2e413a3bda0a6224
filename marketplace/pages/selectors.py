"""What public pages show about the market and about the service."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Skill
from marketplace.core import clock
from marketplace.core.models import OutboxMessage
from matching.models import Mode
from matching.selectors import registry
from projects.models import Project

LATE = timedelta(minutes=5)


@dataclass(frozen=True)
class Part:
    """One part of the service, for the status page."""

    name: str
    works: bool
    note: str


def newest_projects(count: int = 3) -> list[Project]:
    """The last projects that were opened for bids."""
    projects = Project.objects.filter(status=Project.Status.OPEN)
    newest = projects.select_related("client").prefetch_related("skills")
    return list(newest.order_by("-published_at", "-id")[:count])


def skills_in_demand(count: int = 8) -> QuerySet[Skill]:
    """The skills that most open projects ask for, with `open_projects`."""
    wanted = Count("projects", filter=Q(projects__status=Project.Status.OPEN))
    skills = Skill.objects.annotate(open_projects=wanted).filter(open_projects__gt=0)
    return skills.order_by("-open_projects", "name")[:count]


def parts_of_the_service() -> list[Part]:
    """What works right now, judged by what is waiting for longer than it should."""
    late = OutboxMessage.objects.filter(
        state=OutboxMessage.State.PENDING, due_at__lt=clock.now() - LATE
    )
    waiting = dict(late.order_by().values_list("topic").annotate(Count("pk")))
    mail = waiting.pop("mail", 0)
    others = sum(waiting.values())
    on_time = _("Nothing is waiting.")
    behind = _("Slower than usual. Nothing is lost; it follows in order.")
    return [
        Part(_("Website and data"), works=True, note=_("You are reading this.")),
        Part(
            _("Payments and background work"),
            works=not others,
            note=behind if others else on_time,
        ),
        Part(
            _("Mail"),
            works=not mail,
            note=_("Slower than usual. Codes and notices arrive late.") if mail else on_time,
        ),
        _matching(),
    ]


def _matching() -> Part:
    state = registry.state()
    notes = {
        Mode.ON: _("Lists are ordered by fit, with reasons."),
        Mode.SHADOW: _("Being tried out. Lists are newest first."),
        Mode.OFF: _("Switched off. Lists are newest first."),
    }
    return Part(_("Suggestions"), works=state.why != "weights", note=notes[state.mode])
