"""Appeals against suggestions: a person looks at what the matcher went by, and says why."""

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import people_of, require_right, staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock, outbox, text
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from matching.models import A_SENTENCE, Kind, Match, MatchAppeal, MatchRun
from matching.selectors import matches, wishes
from payments.services import policies
from projects.models import Project

if TYPE_CHECKING:
    from accounts.models import User

PERMISSION = "matching.act_on_matchappeal"
LONGEST = 2000
REMIND_AGAIN = dt.timedelta(days=1)
# So many places of a list go into the file of an appeal against it.
PLACES = 20
Status = MatchAppeal.Status


@transaction.atomic
def appeal(project: Project, party: Party, *, by: "User", said: str) -> MatchAppeal:
    """Ask for a person: keeps what the matcher went by, sends a receipt, calls staff.

    `party` is the freelancer, or the client of the project. Raises NotAllowed for somebody
    else's, InvalidInput for nothing said, InvalidTransition while one waits already.
    """
    is_client = party.pk == project.client_id
    require_right(by, party, "post" if is_client else "manage")
    said = text.short_block(said, limit=LONGEST, field="said")
    if not said:
        raise InvalidInput(_("Say what is wrong, in a sentence or two"), field="said")
    Project.objects.select_for_update(of=("self",), no_key=True).get(pk=project.pk)
    if matches.waiting_appeal(project, party):
        raise InvalidTransition(_("You have appealed already. A person will answer you"))
    now, policy = clock.now(), policies.current()
    due = now + dt.timedelta(days=policy.match_appeal_days)
    kind = Kind.PEOPLE if is_client else Kind.PROJECTS
    row = MatchAppeal.objects.create(
        kind=kind,
        project=project,
        party=party,
        appealed_by=by,
        said=said,
        inputs=_inputs(project, party, kind),
        at=now,
        due_at=due,
        remind_at=due - dt.timedelta(days=policy.match_appeal_reminder_days),
    )
    audit.record(by, "match_appeal.made", row, project=project.pk, due=due.isoformat())
    _tell(row, "match_appeal_received")
    _call_staff(row, "match_appeal_waits", key=f"match_appeal_waits:{row.ref}")
    return row


@transaction.atomic
def decide(
    row: MatchAppeal, *, by: "User", outcome: str, reason: str, remedy: str = ""
) -> MatchAppeal:
    """Answer an appeal: "upheld", or "changed" with a remedy; always with a reason.

    Raises NotAllowed without the permission or for an appeal of one's own people, InvalidInput
    for a reason nobody could follow or a change without a remedy, InvalidTransition when it is
    answered.
    """
    own = Party.objects.filter(pk__in=[row.party_id, row.project.client_id])
    if not by.has_perm(PERMISSION):
        raise NotAllowed
    if row.appealed_by_id == by.pk or own.filter(memberships__user=by).exists():
        raise NotAllowed(_("This is about your own people. Somebody else has to answer it."))
    reason = text.short_block(reason, limit=LONGEST, field="reason")
    if not re.search(A_SENTENCE, reason, re.DOTALL):
        raise InvalidInput(
            _("Say why in a sentence, so that the person can follow it."), field="reason"
        )
    if outcome not in {Status.UPHELD, Status.CHANGED}:
        raise InvalidInput(_("Choose what becomes of it"), field="outcome")
    if (outcome == Status.CHANGED) != (remedy in MatchAppeal.Remedy.values):
        raise InvalidInput(
            _("Name what was put right, and only where something was wrong"), field="remedy"
        )
    row.refresh_from_db(from_queryset=MatchAppeal.objects.select_for_update())
    row.move_to(outcome, decided_by=by, decided_at=clock.now(), reason=reason, remedy=remedy)
    audit.record(by, "match_appeal.answered", row, outcome=outcome, remedy=remedy)
    if remedy == MatchAppeal.Remedy.RANKED_AGAIN:
        _compare_again(row)
    _tell(row, "match_appeal_answered")
    return row


def remind_due() -> int:
    """Tell staff of appeals that still wait shortly before they are due, and daily after it."""
    now, count = clock.now(), 0
    for pk in MatchAppeal.objects.filter(status=Status.WAITING, remind_at__lte=now).values_list(
        "pk", flat=True
    ):
        with transaction.atomic():
            rows = MatchAppeal.objects.select_for_update(skip_locked=True)
            row = rows.filter(pk=pk, status=Status.WAITING, remind_at__lte=now).first()
            if row is None:
                continue
            key = f"match_appeal_due:{row.ref}:{row.remind_at:%Y%m%d%H%M%S%f}"
            _call_staff(row, "match_appeal_due", key=key)
            row.remind_at = max(row.due_at, now + REMIND_AGAIN)
            row.save(update_fields=["remind_at"])
            audit.record(None, "match_appeal.reminded", row, rule="match_appeal_days")
            count += 1
    return count


def _inputs(project: Project, party: Party, kind: str) -> dict[str, Any]:
    """What the matcher went by, as it stands now: ids and figures, no names and no texts."""
    if kind == Kind.PEOPLE:
        run = matches.last_run_for_project(project)
        rows = Match.objects.filter(kind=kind, project=project).order_by("rank")[:PLACES]
        found: dict[str, Any] = {
            "places": [
                {"rank": m.rank, "party": m.party_id, "score": m.score, "features": m.features}
                for m in rows
            ]
        }
    else:
        run = matches.last_run_for_party(party)
        match = matches.match_of(project, party)
        found = {
            "rank": match.rank if match else None,
            "score": match.score if match else None,
            "features": match.features if match else {},
            "reasons": match.reasons if match else [],
            "wishes": wishes.of(party).chosen,
            "uses_record": wishes.of(party).uses_record,
        }
        if asked := matches.why_not_of(project, party):
            found["why_not"] = asked.answer
    return found | _of_run(run)


def _of_run(run: MatchRun | None) -> dict[str, Any]:
    if run is None:
        return {"run": None}
    return {"run": run.pk, "engine": run.engine, "at": run.at.isoformat()}


def _compare_again(row: MatchAppeal) -> None:
    is_people = row.kind == Kind.PEOPLE
    what, pk = ("project", row.project_id) if is_people else ("party", row.party_id)
    outbox.put("matching", f"match:appeal:{row.ref}", {"changed": what, "id": pk})


def _tell(row: MatchAppeal, kind: str) -> None:
    right = "post" if row.kind == Kind.PEOPLE else "manage"
    notify(
        people_of(row.party, right),
        kind,
        key=f"{kind}:{row.ref}",
        url=reverse("matching:appeal", args=[row.ref]),
        group="work",
        facts={"project": row.project.title, "due": row.due_at, "changed": row.status == "changed"},
    )


def _call_staff(row: MatchAppeal, kind: str, *, key: str) -> None:
    notify(
        staff_who_may(PERMISSION),
        kind,
        key=key,
        url=reverse("admin:matching_matchappeal_change", args=[row.pk]),
        group="work",
        facts={"project": row.project.title, "due": row.due_at},
    )
