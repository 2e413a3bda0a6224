"""The workspace of a contract: overview, files, payments, terms, and its early end."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.http import UserRequest, go_to, show
from projects.forms.deliveries import CallOffForm
from projects.models import Contract, Milestone
from projects.selectors import contracts as selectors
from projects.selectors.contracts import Seat
from projects.selectors.files import files_of_contract
from projects.selectors.history import coming, history_of
from projects.selectors.next_step import next_step
from projects.selectors.payments import payment_rows
from projects.selectors.reviews import has_reviewed
from projects.selectors.workspace import contract_rows, workspace_of
from projects.services import ending, funding


@require_safe
@login_required
def contracts(request: UserRequest) -> HttpResponse:
    """All contracts of the person, on whichever side."""
    tab = request.GET.get("show", "")
    tab = tab if tab in selectors.TABS else ""
    after = request.GET.get("after", "")
    rows, following = contract_rows(request.user, tab, after=after)
    counts = selectors.contract_counts(request.user)
    labels = {"": _("All"), "active": _("Active"), "ended": _("Ended")}
    context = {
        "rows": rows,
        "tabs": [
            {
                "label": label,
                "url": f"?show={name}" if name else request.path,
                "current": name == tab,
                "count": counts.get(name, sum(counts.values())),
            }
            for name, label in labels.items()
        ],
        "next_url": f"?show={tab}&after={following}" if following else "",
        "first_url": f"?show={tab}" if after else "",
    }
    return show(request, "projects/contracts.html", context, part="projects/_contract_rows.html")


@require_safe
@login_required
def contract(request: UserRequest, ref: str) -> HttpResponse:
    """The workspace: whose turn it is, milestones, money, history, terms."""
    return workspace(request, selectors.contract_to_read(request.user, ref))


def workspace(
    request: UserRequest, seat: Seat, *, conflict: str = "", status: int = 200
) -> HttpResponse:
    """The overview as it stands now, with what somebody else changed, if that is news."""
    space = workspace_of(seat)
    milestones = [step.milestone for step in space.steps]
    ended = seat.contract.status != Contract.Status.ACTIVE
    step = next_step(seat, milestones, reviewed=ended and has_reviewed(seat))
    context = page_context(seat, "projects:contract") | {
        "space": space,
        "step": step,
        "conflict": conflict,
        "history": [*coming(seat, milestones), *history_of(seat)],
        "fund_together": len(funding.fundable(seat.contract, milestones)) > 1,
        "in_review": next((s for s in space.steps if s.status == Milestone.Status.SUBMITTED), None),
    }
    return show(request, "projects/contract.html", context, status=status)


def changed_meanwhile(request: UserRequest, ref: str, error: InvalidTransition) -> HttpResponse:
    """409: the other side was faster. Say so above the current version."""
    seat = selectors.contract_to_read(request.user, ref)
    words = {"name": seat.other.short_name}
    sentence = _("%(name)s or a colleague changed this contract a moment ago.") % words
    return workspace(request, seat, conflict=f"{sentence} {error}", status=409)


def page_context(seat: Seat, current: str) -> dict[str, Any]:
    """What every page of a contract shows around its content."""
    kwargs = {"ref": seat.contract.ref}
    pages = {
        "projects:contract": _("Overview"),
        "projects:contract-messages": _("Messages"),
        "projects:contract-files": _("Files"),
        "projects:contract-payments": _("Payments"),
        "projects:contract-terms": _("Terms"),
    }
    tabs = [
        {
            "label": label,
            "url": reverse(name, kwargs=kwargs),
            "current": name == current,
            "new": seat.unread if name == "projects:contract-messages" else 0,
        }
        for name, label in pages.items()
    ]
    return {"seat": seat, "contract": seat.contract, "tabs": tabs}


@require_safe
@login_required
def files(request: UserRequest, ref: str) -> HttpResponse:
    """Everything handed over, sent or brought as evidence."""
    seat = selectors.contract_to_read(request.user, ref)
    context = page_context(seat, "projects:contract-files") | {"files": files_of_contract(seat)}
    return show(request, "projects/contract_files.html", context)


@require_safe
@login_required
def payments(request: UserRequest, ref: str) -> HttpResponse:
    """All money of the contract, milestone by milestone, with its paper."""
    seat = selectors.contract_to_read(request.user, ref)
    space = workspace_of(seat)
    context = page_context(seat, "projects:contract-payments") | {
        "space": space,
        "table": payment_rows(seat, space),
        "may_order": seat.is_client and seat.moves_money,
        "order": vars(seat.contract)["order_number"] if seat.is_client else "",
    }
    return show(request, "projects/contract_payments.html", context)


@require_safe
@login_required
def terms(request: UserRequest, ref: str) -> HttpResponse:
    """What both agreed to, word for word, with its digest and both acceptances."""
    seat = selectors.contract_to_read(request.user, ref)
    context = page_context(seat, "projects:contract-terms") | {
        "amendments": selectors.amendments_of(seat.contract)
    }
    return show(request, "projects/contract_terms.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def end(request: UserRequest, ref: str) -> HttpResponse:
    """End the contract before every milestone was paid, after a page that says what follows."""
    seat = selectors.contract_to_end(request.user, ref)
    refused = ""
    asks = CallOffForm(request.POST if "ask" in request.POST else None)
    if asks.is_bound:
        if asks.is_valid():
            return _ask_to_end(request, seat, asks)
    elif request.method == "POST":
        try:
            ending.end_early(seat.contract, by=request.user)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            refused = str(error)
        else:
            messages.success(request, _("The contract is ended."))
            return go_to(request, seat.contract.get_absolute_url())
    return _end_page(request, seat, asks, refused=refused)


def _ask_to_end(request: UserRequest, seat: Seat, form: CallOffForm) -> HttpResponse:
    """Money is held: the freelancer has to agree first."""
    try:
        ending.ask_to_end(seat.contract, by=request.user, reason=form.cleaned_data["reason"])
    except InvalidTransition as error:
        return changed_meanwhile(request, seat.contract.ref, error)
    except DomainError as error:
        return _end_page(request, seat, form, refused=str(error))
    messages.success(request, _("Asked. %(name)s has been told.") % {"name": seat.other.short_name})
    return go_to(request, seat.contract.get_absolute_url())


def _end_page(
    request: UserRequest, seat: Seat, form: CallOffForm, *, refused: str = ""
) -> HttpResponse:
    space = workspace_of(seat)
    held = [s for s in space.steps if s.held and not vars(s.milestone)["calling_off"]]
    context = {
        "seat": seat,
        "contract": seat.contract,
        "space": space,
        "refused": refused,
        "form": form,
        "held": held,
        "answer_days": seat.contract.policy.end_answer_days,
        "open_money": [s for s in space.steps if s.milestone.status in ending.MONEY_OUT],
        "dropped": [s for s in space.steps if s.status == Milestone.Status.PLANNED],
    }
    status = 409 if refused else 422 if form.errors else 200
    return show(request, "projects/contract_end.html", context, status=status)
