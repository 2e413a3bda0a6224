"""“Why not me?”: where a freelancer stands for a project, and what would change it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from marketplace.core import limits
from marketplace.core.errors import DomainError, TooMany
from marketplace.core.http import UserRequest, go_to, show
from matching import whynot_services
from matching.selectors import matches
from matching.selectors.whynot import told


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def why_not(request: UserRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/why-not/`: the question by a button, the answer once it is there."""
    project = matches.project_to_explain(request.user, ref)
    refused = ""
    if request.method == "POST":
        try:
            limits.spend("why_not", request)
            whynot_services.ask(project, by=request.user)
        except TooMany as error:
            return limits.too_many(request, error)
        except DomainError as error:
            refused = str(error)
        else:
            return go_to(request, request.path)
    asked = matches.why_not_of(project, request.user.own_party)
    context: dict[str, Any] = {
        "project": project,
        "is_on": matches.is_on(),
        "asked": asked,
        "told": told(asked) if asked and asked.answered_at else None,
        "refused": refused,
    }
    page, part = "matching/why_not.html", "matching/_why_not.html"
    return show(request, page, context, part=part, status=422 if refused else 200)
