"""Typed text of a contract's forms, kept on the server until it is sent."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from marketplace.core import drafts
from marketplace.core.http import UserRequest
from projects.models import Contract, Milestone
from projects.selectors.contracts import contract_to_read

# What is worth keeping of each form.
FIELDS = {
    "message": ("body",),
    "deliver": ("note", "link"),
    "changes": ("points",),
    "review": ("text", "private_note"),
    "statement": ("body",),
}
LONGEST_ANSWER = 6000


@require_POST
@login_required
def keep(request: UserRequest, ref: str, kind: str, n: int = 0) -> HttpResponse:
    """Keep what is typed so far; nothing is checked, nothing is shown."""
    if kind not in FIELDS:
        raise Http404
    contract = contract_to_read(request.user, ref).contract
    values = {
        name: request.POST[name][:LONGEST_ANSWER] for name in FIELDS[kind] if request.POST.get(name)
    }
    drafts.save(request, f"contract-{kind}", values, subject=_subject(contract, n))
    return HttpResponse(status=204)


def kept(request: UserRequest, kind: str, of: Contract | Milestone) -> dict[str, str]:
    """What was typed into this form and not sent."""
    draft = drafts.find(request, f"contract-{kind}", subject=_subject_of(of))
    return dict(draft.values) if draft else {}


def forget(request: UserRequest, kind: str, of: Contract | Milestone) -> None:
    """The form was sent."""
    drafts.forget(request, f"contract-{kind}", subject=_subject_of(of))


def _subject_of(of: Contract | Milestone) -> str:
    if isinstance(of, Milestone):
        return _subject(of.contract, of.position)
    return _subject(of, 0)


def _subject(contract: Contract, n: int) -> str:
    return f"{contract.ref}:{n}"
