"""Appeals against suggestions: ask for a person, and read what they answered."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.core import limits
from marketplace.core.errors import DomainError, TooMany
from marketplace.core.http import UserRequest, go_to, show
from matching import appeal_services
from matching.forms import AppealForm
from matching.selectors import matches
from payments.services import policies
from projects.forms.refusals import show_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def appeal_against(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/match/appeal/`: say what is wrong with a match, or with none."""
    project, party = matches.project_to_appeal(request.user, ref)
    waiting = matches.waiting_appeal(project, party)
    if waiting and request.method != "POST":
        return go_to(request, reverse("matching:appeal", args=[waiting.ref]))
    form = AppealForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            limits.spend("match_appeal", request)
            row = appeal_services.appeal(project, party, by=request.user, **form.cleaned_data)
        except TooMany as error:
            return limits.too_many(request, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return go_to(request, reverse("matching:appeal", args=[row.ref]))
    context = {
        "form": form,
        "project": project,
        "is_client": party.pk == project.client_id,
        "days": policies.current().match_appeal_days,
    }
    status = 422 if form.errors else 200
    return show(request, "matching/appeal_new.html", context, status=status)


@require_safe
@login_required
def appeal(request: UserRequest, ref: str) -> HttpResponse:
    """`/matches/appeals/<ref>/`: the receipt, and the answer once a person gave it."""
    context = {"appeal": matches.appeal_to_see(request.user, ref)}
    return show(request, "matching/appeal.html", context)
