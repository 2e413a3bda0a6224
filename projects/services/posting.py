"""A project's way to its bids: draft, publish, edit, close, expire."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Party, User
from accounts.services import skills as skill_names
from marketplace.core import audit, clock, files
from marketplace.core.errors import InvalidInput, InvalidTransition
from marketplace.core.models import StoredFile
from payments.services import policies, stops
from projects import signals
from projects.models import Bid, Project
from projects.models.bids import NotChosenReason
from projects.services import locks
from projects.services.rights import require
from projects.services.telling import tell_bidder, tell_client
from projects.services.wanted import Wanted, refuse_unfit, refuse_unready

if TYPE_CHECKING:
    from django.core.files.base import File

MOST_FILES = 10
# What a client may change; everything else on the row has a service of its own.
WRITTEN = (
    "title",
    "description",
    "content_language",
    "currency",
    "budget_min_minor",
    "budget_max_minor",
    "deliver_by",
    "ai_policy",
)


@transaction.atomic
def save_draft(client: Party, *, by: User, wanted: Wanted) -> Project:
    """A project nobody but its client sees. It may still be incomplete."""
    require(by, client, "post")
    refuse_unfit(wanted)
    project = Project(client=client, posted_by=by)
    _write(project, wanted, by=by)
    audit.record(by, "project.drafted", project)
    return project


@transaction.atomic
def post(client: Party, *, by: User, wanted: Wanted) -> Project:
    """Draft and publish in one go: nothing stays of a project that cannot be published."""
    return publish(save_draft(client, by=by, wanted=wanted), by=by)


@transaction.atomic
def publish(project: Project, *, by: User) -> Project:
    """Open it for bids, for as many days as the policy says.

    Raises InvalidInput while something is missing, InvalidTransition when it is no draft, Stopped
    while a lost card dispute of the client is not settled (rule C7).
    """
    project = locks.project(project.pk)
    require(by, project.client, "post")
    if project.status != Project.Status.DRAFT:
        raise InvalidTransition(_("This project is already published."))
    stops.refuse_stopped(project.client)
    refuse_unready(as_wanted(project))
    now = clock.now()
    project.move_to(
        Project.Status.OPEN,
        published_at=now,
        expires_at=now + dt.timedelta(days=policies.current().project_open_days),
    )
    audit.record(by, "project.published", project)
    signals.project_published.send(Project, project=project)
    return project


@transaction.atomic
def edit(project: Project, *, by: User, wanted: Wanted) -> Project:
    """Change a draft or an open project; whoever has bid on it is told.

    An open project stays publishable. Its currency is fixed once somebody has bid in it.
    """
    project = _lock_to_write(project, by=by)
    if project.status == Project.Status.OPEN:
        refuse_unready(wanted)
    else:
        refuse_unfit(wanted)
    bids = locks.live_bids(project)
    if bids and wanted.currency != project.currency:
        raise InvalidInput(
            _("There are bids in %(currency)s, so the currency stays")
            % {"currency": project.currency},
            field="currency",
        )
    _write(project, wanted, by=by)
    edited = audit.record(by, "project.edited", project)
    for bid in bids:
        tell_bidder(bid, project, "project_changed", key=f"project-changed:{edited.pk}")
    if project.status == Project.Status.OPEN:
        signals.project_published.send(Project, project=project)
    return project


@transaction.atomic
def close(project: Project, *, by: User) -> Project:
    """Stop taking bids without hiring anyone; every bidder is told. A draft is thrown away."""
    project = locks.project(project.pk)
    require(by, project.client, "post")
    if project.status not in {Project.Status.DRAFT, Project.Status.OPEN}:
        raise InvalidTransition(_("This project is no longer open."))
    was_open = project.status == Project.Status.OPEN
    now = clock.now()
    project.move_to(Project.Status.CANCELLED, closed_at=now)
    audit.record(by, "project.closed", project)
    for bid in locks.live_bids(project):
        bid.move_to(Bid.Status.NOT_CHOSEN, closed_at=now, not_chosen_reason=NotChosenReason.CLOSED)
        tell_bidder(bid, project, "project_closed", key=f"project-closed:{bid.ref}")
    if was_open:
        signals.project_closed.send(Project, project=project)
    return project


def expire_due() -> int:
    """Close what nobody was hired for in time; returns how many. Two sweeps share the work."""
    expired = 0
    while _expire_one():
        expired += 1
    return expired


@transaction.atomic
def _expire_one() -> bool:
    now = clock.now()
    project = (
        Project.objects.select_related("client")
        .filter(status=Project.Status.OPEN, expires_at__lte=now)
        .order_by("expires_at")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .first()
    )
    if project is None:
        return False
    project.move_to(Project.Status.EXPIRED, closed_at=now)
    audit.record(None, "project.expired", project, rule="project_open_days")
    for bid in locks.live_bids(project):
        bid.move_to(Bid.Status.EXPIRED, closed_at=now)
        tell_bidder(bid, project, "bid_expired", key=f"bid-expired:{bid.ref}")
    tell_client(project, "project_expired", key=f"project-expired:{project.ref}", right="post")
    signals.project_closed.send(Project, project=project)
    return True


def as_wanted(project: Project) -> Wanted:
    """What the project asks for now, in the shape `edit` takes."""
    return Wanted(
        title=project.title,
        description=project.description,
        currency=project.currency,
        budget_min=project.budget_min,
        budget_max=project.budget_max,
        deliver_by=project.deliver_by,
        ai_policy=project.ai_policy,
        skills=[skill.name for skill in project.skills.all()],
        content_language=project.content_language,
    )


def _write(project: Project, wanted: Wanted, *, by: User) -> None:
    project.title = wanted.title
    project.description = wanted.description
    project.content_language = wanted.content_language
    project.currency = wanted.currency
    project.budget_min_minor = wanted.budget_min.minor if wanted.budget_min else None
    project.budget_max_minor = wanted.budget_max.minor if wanted.budget_max else None
    project.deliver_by = wanted.deliver_by
    project.ai_policy = wanted.ai_policy
    project.save(update_fields=WRITTEN if project.pk else None)
    project.skills.set(skill_names.find_or_propose(wanted.skills))


# --- Files ----------------------------------------------------------------------------------


@transaction.atomic
def add_files(project: Project, *, by: User, uploads: Sequence["File[bytes]"]) -> list[StoredFile]:
    """Attach files that everybody who signs in can read.

    Raises InvalidInput (field "files") when one breaks a rule; then none is added.
    """
    project = _lock_to_write(project, by=by)
    if project.files.count() + len(uploads) > MOST_FILES:
        raise InvalidInput(
            _("A project has at most %(most)s files") % {"most": MOST_FILES}, field="files"
        )
    stored = [files.store(upload, by=by) for upload in uploads]
    project.files.add(*stored)
    audit.record(by, "project.files_added", project, files=[file.ref for file in stored])
    return stored


@transaction.atomic
def remove_file(project: Project, *, by: User, ref: str) -> None:
    """Take a file off the project. Again changes nothing."""
    project = _lock_to_write(project, by=by)
    file = project.files.filter(ref=ref).first()
    if file:
        project.files.remove(file)
        audit.record(by, "project.file_removed", project, file=ref)


def _lock_to_write(project: Project, *, by: User) -> Project:
    project = locks.project(project.pk)
    require(by, project.client, "post")
    if project.status not in {Project.Status.DRAFT, Project.Status.OPEN}:
        raise InvalidTransition(_("This project can no longer be changed."))
    return project
