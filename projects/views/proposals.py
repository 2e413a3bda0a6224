"""A new due date or a lower amount, and the answers to them; giving money back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.forms import Form
from marketplace.core.http import UserRequest, go_to, show
from projects.forms.proposals import ExtensionForm, PartForm
from projects.forms.refusals import show_refusal
from projects.models import Milestone, Proposal
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.services import carrying, ending, proposals
from projects.views.contracts import changed_meanwhile

METHODS = ["GET", "HEAD", "POST"]
Kind = Proposal.Kind


@require_http_methods(METHODS)
@login_required
def extend(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Propose a new due date, or read the one that is proposed."""
    seat, milestone = selectors.milestone_to_move(request.user, ref, n)
    form = ExtensionForm(request.POST if request.method == "POST" else None)
    return _propose(
        request, seat, milestone, form, kind=Kind.EXTENSION, propose=proposals.propose_extension
    )


@require_http_methods(METHODS)
@login_required
def release_part(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """Propose to end a milestone with less than agreed, or read the proposal."""
    seat, milestone = selectors.milestone_to_move(request.user, ref, n)
    form = PartForm(
        request.POST if request.method == "POST" else None,
        currency=seat.contract.currency,
        may_carry=carrying.plan(milestone, milestone.amount) is not None,
    )
    return _propose(request, seat, milestone, form, kind=Kind.PART, propose=proposals.propose_part)


def _propose(
    request: UserRequest,
    seat: Seat,
    milestone: Milestone,
    form: Form,
    *,
    kind: Proposal.Kind,
    propose: Callable[..., Proposal],
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            propose(milestone, by=request.user, **form.cleaned_data)
        except InvalidTransition as error:
            return changed_meanwhile(request, seat.contract.ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(
                request, _("Proposed. %(name)s has been told.") % {"name": seat.other.short_name}
            )
            return go_to(request, seat.contract.get_absolute_url())
    proposal = proposals.open_proposal(milestone, kind)
    hold = milestone.hold
    parts = hold.shares(proposal.amount) if proposal and proposal.amount and hold else None
    kept = carrying.as_proposed(milestone, proposal) if proposal else None
    context: dict[str, Any] = {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "form": form,
        "proposal": proposal,
        "kept": kept,
        "only_back": proposal is not None and proposal.carry and kept is None,
        "mine": proposal is not None and proposal.side == seat.side,
        "parts": parts,
        "ready": milestone.status in proposals.MOVABLE[kind],
        "answer_days": seat.contract.policy.proposal_answer_days,
        "kind": kind.value,
    }
    status = 422 if form.errors else 200
    return show(request, "projects/proposal.html", context, status=status)


@require_POST
@login_required
def answer(request: UserRequest, ref: str, proposal: str) -> HttpResponse:
    """The other side accepts or declines; the side that proposed takes it back."""
    seat, found = selectors.proposal_to_answer(request.user, ref, proposal)
    typed = request.POST.get("answer", "")
    try:
        if found.side == seat.side:
            proposals.take_back(found, by=request.user)
            told = _("Taken back.")
        elif typed in {"yes", "yes-back", "no"}:
            proposals.answer(
                found,
                by=request.user,
                accept=typed != "no",
                take_rest_back=typed == "yes-back",
            )
            told = _("Declined. Nothing changes.") if typed == "no" else _("Agreed.")
        else:
            return go_to(request, seat.contract.get_absolute_url())
    except InvalidTransition as error:
        return changed_meanwhile(request, ref, error)
    except DomainError as error:
        messages.error(request, str(error))
        return go_to(request, seat.contract.get_absolute_url())
    messages.success(request, told)
    return go_to(request, seat.contract.get_absolute_url())


@require_http_methods(METHODS)
@login_required
def return_money(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """The freelancer gives all held money of a milestone back, after a page that says so."""
    seat, milestone = selectors.milestone_to_return(request.user, ref, n)
    if request.method == "POST":
        try:
            ending.return_money(milestone, by=request.user)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        messages.success(
            request,
            _("The money goes back to %(client)s.") % {"client": seat.contract.client.short_name},
        )
        return go_to(request, seat.contract.get_absolute_url())
    context = {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "hold": milestone.hold,
        "ready": milestone.status in Milestone.HELD,
    }
    return show(request, "projects/return_money.html", context)
