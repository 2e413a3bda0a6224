"""Opening a dispute in four steps, following it, settling it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.core import drafts
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition
from marketplace.core.forms import Form
from marketplace.core.http import UserRequest, go_to, show
from marketplace.core.money import Money
from projects.forms.disputes import EvidenceForm, FairForm, HappenedForm, StatementForm
from projects.forms.refusals import show_refusal
from projects.models import Dispute, Milestone
from projects.selectors import disputes as selectors
from projects.selectors.contracts import Seat
from projects.selectors.disputes import DisputeView
from projects.selectors.workspace import FileLink, Sum
from projects.services import disputes
from projects.services.uploads import keep
from projects.views.contracts import changed_meanwhile
from projects.views.keeping import forget, kept

METHODS = ["GET", "HEAD", "POST"]
KIND = "dispute"
HAPPENED, EVIDENCE, FAIR, CHECK = 1, 2, 3, 4


# --- Opening --------------------------------------------------------------------------------


@require_http_methods(METHODS)
@login_required
def new(request: UserRequest, ref: str, n: int, step: int) -> HttpResponse:
    """One of the four steps; what was answered before is there again for 30 days."""
    if not HAPPENED <= step <= CHECK:
        raise Http404
    seat, milestone = selectors.milestone_to_dispute(request.user, ref, n)
    answers = _answers(request, seat, milestone)
    first_open = _first_open(answers)
    if step > first_open:
        return redirect("projects:dispute-new", ref=ref, n=n, step=first_open)
    if step == CHECK:
        return _check(request, seat, milestone, answers)
    form = _form(request, seat, milestone, step, answers)
    if request.method == "POST" and form.is_valid():
        try:
            answers |= _read(request, form)
        except InvalidInput as error:
            show_refusal(form, error)
        else:
            drafts.save(request, KIND, answers, subject=_subject(seat, milestone))
            url = reverse("projects:dispute-new", args=[ref, n, step + 1])
            return go_to(request, url)
    context = _step_context(seat, milestone, step) | {
        "form": form,
        "rows": _proposed(milestone, answers) if step == FAIR else [],
    }
    status = 422 if form.errors else 200
    return show(request, f"projects/dispute_new_{step}.html", context, status=status)


def _check(
    request: UserRequest, seat: Seat, milestone: Milestone, answers: dict[str, Any]
) -> HttpResponse:
    to_freelancer = Money.parse(answers["to_freelancer"], milestone.contract.currency)
    files = disputes.evidence(
        seat.contract, by=request.user, refs=[*answers.get("picked", []), *answers.get("files", [])]
    )
    refused = ""
    if request.method == "POST":
        try:
            opened = disputes.open_dispute(
                milestone,
                by=request.user,
                reason=answers["reason"],
                body=answers["body"],
                to_freelancer=to_freelancer,
                files=files,
            )
        except InvalidTransition as error:
            return changed_meanwhile(request, seat.contract.ref, error)
        except DomainError as error:
            refused = str(error)
        else:
            drafts.forget(request, KIND, subject=_subject(seat, milestone))
            messages.success(
                request,
                _("%(amount)s is paused.") % {"amount": money_text(milestone.amount)},
            )
            return go_to(request, opened.get_absolute_url())
    context = _step_context(seat, milestone, CHECK) | {
        "reason": Dispute.Reason(answers["reason"]).label,
        "body": answers["body"],
        "files": [FileLink.of(vars(file)) for file in files],
        "split": selectors.split_rows(milestone, to_freelancer),
        "refused": refused,
    }
    return show(request, "projects/dispute_new_4.html", context, status=409 if refused else 200)


def _form(
    request: UserRequest, seat: Seat, milestone: Milestone, step: int, answers: dict[str, Any]
) -> Form:
    data = request.POST if request.method == "POST" else None
    if step == HAPPENED:
        return HappenedForm(data, initial=answers)
    if step == EVIDENCE:
        picked = [*answers.get("picked", []), *answers.get("files", [])]
        choices = selectors.evidence_choices(seat, picked)
        return EvidenceForm(
            data, request.FILES or None, choices=choices, initial={"picked": picked}
        )
    return FairForm(
        data,
        paused=milestone.amount,
        client=seat.contract.client.short_name,
        freelancer=seat.contract.freelancer.short_name,
        initial=answers | {"amount": _typed_amount(answers, milestone)},
    )


def _read(request: UserRequest, form: Form) -> dict[str, Any]:
    """The valid answers of one step, as the draft keeps them."""
    if isinstance(form, EvidenceForm):
        uploaded = keep(form.cleaned_data["files"], by=request.user)
        return {
            "picked": form.cleaned_data.get("picked", []),
            "files": [file.ref for file in uploaded],
            "evidence": True,
        }
    if isinstance(form, FairForm):
        part = form.to_freelancer()
        return {
            "fair": form.cleaned_data["fair"],
            "to_freelancer": part.decimal_text if part is not None else "",
        }
    return dict(form.cleaned_data)


def _typed_amount(answers: dict[str, Any], milestone: Milestone) -> Money | None:
    if answers.get("fair") != "split" or not answers.get("to_freelancer"):
        return None
    return Money.parse(answers["to_freelancer"], milestone.contract.currency)


def _proposed(milestone: Milestone, answers: dict[str, Any]) -> list[Sum]:
    typed = answers.get("to_freelancer")
    if not typed:
        return []
    return selectors.split_rows(milestone, Money.parse(typed, milestone.contract.currency))


def _first_open(answers: dict[str, Any]) -> int:
    if not answers.get("reason") or not answers.get("body"):
        return HAPPENED
    if not answers.get("evidence"):
        return EVIDENCE
    return CHECK if answers.get("to_freelancer") else FAIR


def _answers(request: UserRequest, seat: Seat, milestone: Milestone) -> dict[str, Any]:
    draft = drafts.find(request, KIND, subject=_subject(seat, milestone))
    return dict(draft.values) if draft else {}


def _subject(seat: Seat, milestone: Milestone) -> str:
    return f"{seat.contract.ref}:{milestone.position}"


def _step_context(seat: Seat, milestone: Milestone, step: int) -> dict[str, Any]:
    labels = {
        HAPPENED: _("What happened"),
        EVIDENCE: _("Evidence"),
        FAIR: _("What is fair"),
        CHECK: _("Check and send"),
    }
    ref, n = seat.contract.ref, milestone.position
    return {
        "seat": seat,
        "contract": seat.contract,
        "milestone": milestone,
        "step": step,
        "can_open": milestone.status in Milestone.HELD,
        "answer_days": seat.contract.policy.dispute_answer_days,
        "decision_days": seat.contract.policy.dispute_decision_days,
        "back_url": reverse("projects:dispute-new", args=[ref, n, step - 1]) if step > 1 else "",
        "steps": [
            {
                "label": label,
                "state": "done" if number < step else "now" if number == step else "",
                "url": reverse("projects:dispute-new", args=[ref, n, number]),
            }
            for number, label in labels.items()
        ],
    }


# --- Following ------------------------------------------------------------------------------


@require_http_methods(METHODS)
@login_required
def dispute(request: UserRequest, ref: str) -> HttpResponse:
    """Where the dispute stands, what both propose; add to it while it is open."""
    if request.method == "POST":
        return _add(request, ref)
    view = selectors.dispute_to_read(request.user, ref)
    return _page(request, view, _statement_form(request, view))


def _add(request: UserRequest, ref: str) -> HttpResponse:
    view = selectors.dispute_to_answer(request.user, ref)
    form = _statement_form(request, view)
    if not form.is_valid():
        return _page(request, view, form)
    try:
        disputes.add_statement(
            view.dispute,
            by=request.user,
            body=form.cleaned_data["body"],
            to_freelancer=form.to_freelancer(),
            uploads=form.cleaned_data["files"],
        )
    except InvalidTransition as error:
        return _conflict(request, ref, error)
    except DomainError as error:
        show_refusal(form, error, to_freelancer="amount")
        return _page(request, view, form)
    forget(request, "statement", view.milestone)
    messages.success(request, _("Added. The other side has been told."))
    return go_to(request, view.dispute.get_absolute_url())


def _statement_form(request: UserRequest, view: DisputeView) -> StatementForm:
    return StatementForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        paused=view.dispute.paused,
        client=view.seat.contract.client.short_name,
        freelancer=view.seat.contract.freelancer.short_name,
        initial=kept(request, "statement", view.milestone),
    )


def _page(
    request: UserRequest,
    view: DisputeView,
    form: StatementForm | None,
    *,
    conflict: str = "",
) -> HttpResponse:
    wrong = form is not None and form.errors
    status = 409 if conflict else 422 if wrong else 200
    context = {
        "view": view,
        "seat": view.seat,
        "contract": view.seat.contract,
        "milestone": view.milestone,
        "dispute": view.dispute,
        "form": form,
        "outcome": view.outcome,
        "conflict": conflict,
    }
    return show(request, "projects/dispute.html", context, status=status)


def _conflict(request: UserRequest, ref: str, error: InvalidTransition) -> HttpResponse:
    """409: the other side, or a moderator, was faster. Say so above the current version."""
    view = selectors.dispute_to_read(request.user, ref)
    return _page(request, view, None, conflict=str(error))


@require_http_methods(METHODS)
@login_required
def settle(request: UserRequest, ref: str) -> HttpResponse:
    """Accept the other side's proposal, with the sums above the button."""
    view = selectors.dispute_to_answer(request.user, ref)
    if request.method == "POST":
        try:
            disputes.settle(view.dispute, by=request.user, seen=request.POST.get("seen", ""))
        except InvalidTransition as error:
            return _conflict(request, ref, error)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Settled. The money moves now."))
        return go_to(request, view.dispute.get_absolute_url())
    if not view.is_open or view.offer is None:
        return redirect(view.dispute)
    context = {"view": view, "seat": view.seat, "dispute": view.dispute, "offer": view.offer}
    return show(request, "projects/dispute_settle.html", context)


@require_http_methods(METHODS)
@login_required
def withdraw(request: UserRequest, ref: str) -> HttpResponse:
    """Take one's own dispute back, after a page that says what follows."""
    view = selectors.dispute_to_answer(request.user, ref)
    if request.method == "POST":
        try:
            disputes.withdraw(view.dispute, by=request.user)
        except InvalidTransition as error:
            return _conflict(request, ref, error)
        except DomainError as error:
            messages.error(request, str(error))
            return go_to(request, view.dispute.get_absolute_url())
        messages.success(request, _("Withdrawn. The money is held as before."))
        return go_to(request, view.seat.contract.get_absolute_url())
    if not view.is_open or not view.opened_by_me:
        return redirect(view.dispute)
    context = {
        "view": view,
        "seat": view.seat,
        "dispute": view.dispute,
        "milestone": view.milestone,
    }
    return show(request, "projects/dispute_withdraw.html", context)


@require_safe
@login_required
def split(request: UserRequest, ref: str, n: int) -> HttpResponse:
    """What an amount would mean for both, while it is typed. Looks only."""
    seat, milestone = selectors.milestone_to_dispute(request.user, ref, n)
    form = FairForm(
        request.GET,
        paused=milestone.amount,
        client=seat.contract.client.short_name,
        freelancer=seat.contract.freelancer.short_name,
    )
    part = form.to_freelancer() if form.is_valid() else None
    rows = selectors.split_rows(milestone, part) if part is not None else []
    context = {"rows": rows, "form": form, "seat": seat, "milestone": milestone}
    return show(request, "projects/dispute_split.html", context, part="projects/_split.html")
