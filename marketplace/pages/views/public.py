"""Pages for everyone: what this place is, what it costs, how it decides, who answers."""

import datetime as dt

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.core import clock
from marketplace.core.errors import DomainError
from marketplace.core.http import go_to, show
from marketplace.core.money import Money
from marketplace.pages import selectors, services
from marketplace.pages.examples import example_contract, example_steps
from marketplace.pages.forms import ContactForm, FeeForm
from marketplace.pages.help import article_or_none, find_articles
from matching.engine.placing import Policy
from matching.selectors import attention, card, matches, method, registry
from matching.selectors.audits import newest_audit
from payments.services import policies, quotes

EXAMPLE_AMOUNT_MINOR = 1_000_00
# What became of appeals is told for this long back.
APPEALS_TOLD = dt.timedelta(days=365)


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """`/`: what this is, for whom, what to do first."""
    policy = policies.current()
    currency = settings.DEFAULT_CURRENCY
    context = {
        "policy": policy,
        "quote": quotes.quote(Money(EXAMPLE_AMOUNT_MINOR, currency), policy),
        "example": example_contract(currency=currency, review_days=policy.review_days),
        "steps": example_steps(currency),
        "projects": selectors.newest_projects(),
        "skills": selectors.skills_in_demand(),
    }
    return render(request, "pages/landing.html", context)


@require_safe
def how_it_works(request: HttpRequest) -> HttpResponse:
    """`/how-it-works/`: every state of the money and every clock."""
    context = {"policy": policies.current(), "steps": example_steps(settings.DEFAULT_CURRENCY)}
    return render(request, "pages/how_it_works.html", context)


@require_safe
def fees(request: HttpRequest) -> HttpResponse:
    """`/fees/`: the rates, and a calculator that uses the code that charges."""
    form = FeeForm(request.GET or None, currency=settings.DEFAULT_CURRENCY)
    amount = Money(EXAMPLE_AMOUNT_MINOR, settings.DEFAULT_CURRENCY)
    if form.is_valid():
        amount = form.cleaned_data["amount"]
    policy = policies.current()
    context = {"policy": policy, "form": form, "quote": quotes.quote(amount, policy)}
    return show(request, "pages/fees.html", context, part="pages/_quote.html")


@require_safe
def matching(request: HttpRequest) -> HttpResponse:
    """`/matching/`: the method, in public."""
    context = {
        "parts": method.parts(),
        "state": registry.state(),
        "kept_places": method.KEPT_PLACES,
        "new_up_to": method.NEW_UP_TO,
        "appeals": matches.appeal_counts(since=clock.now() - APPEALS_TOLD),
        "appeal_days": policies.current().match_appeal_days,
        "turns_days": attention.WINDOW.days,
        "turns_percent": 100 * Policy().strength,
        "audit": newest_audit(),
    }
    return render(request, "pages/matching.html", context)


@require_safe
def matching_card(request: HttpRequest) -> HttpResponse:
    """`/matching/card/`: the model card, for people."""
    return render(request, "pages/matching_card.html", {"card": card.card()})


@require_safe
def matching_card_json(request: HttpRequest) -> HttpResponse:
    """`/matching/card.json`: the same for machines."""
    return JsonResponse(card.card(), json_dumps_params={"indent": 2})


@require_safe
def help_centre(request: HttpRequest) -> HttpResponse:
    """`/help/`: articles by task, with search."""
    query = request.GET.get("q", "").strip()[:100]
    context = {"articles": find_articles(query), "query": query}
    return show(request, "pages/help.html", context, part="pages/_articles.html")


@require_safe
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    """`/help/<slug>/`: one task."""
    article = article_or_none(slug)
    if article is None:
        raise Http404
    context = {"article": article, "policy": policies.current()}
    return render(request, article.template, context)


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """`/contact/`: a message to a person, by mail."""
    form = ContactForm(_sent(request), initial=_known(request))
    if form.is_valid():
        try:
            services.send_contact_message(**form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Sent. A person reads it and answers by mail."))
            return go_to(request, request.path)
    status = 422 if form.errors else 200
    return render(request, "pages/contact.html", {"form": form}, status=status)


def _sent(request: HttpRequest) -> QueryDict | None:
    """What was posted; an empty form is an answer too, and gets its errors."""
    return request.POST if request.method == "POST" else None


def _known(request: HttpRequest) -> dict[str, str]:
    known = {"message": request.GET.get("about", "")[:200]}
    if request.user.is_authenticated:
        known |= {"name": request.user.name, "email": request.user.email}
    return known


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """`/terms/`."""
    return render(request, "pages/legal/terms.html", {"policy": policies.current()})


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """`/privacy/`."""
    return render(request, "pages/legal/privacy.html")


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    """`/imprint/`: who runs this instance."""
    operator = {
        "name": settings.OPERATOR_NAME,
        "address": settings.OPERATOR_ADDRESS,
        "vat_id": settings.OPERATOR_VAT_ID,
    }
    return render(request, "pages/legal/imprint.html", {"operator": operator})
