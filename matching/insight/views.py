"""Pages of what the market's past tells. Parts that htmx pulls into other pages are pages too."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Skill, User
from accounts.selectors import hiring_party, profile_to_edit
from marketplace.core import drafts, limits
from marketplace.core.http import UserRequest, go_to, show
from marketplace.core.money import InvalidAmount, Money
from marketplace.core.tables import Cell, csv_text
from matching.insight import charts, outlook
from matching.insight.selectors import gaps as gap_selectors
from matching.insight.selectors import market as market_selectors
from matching.insight.selectors import prices
from matching.insight.selectors.market import USUAL_WINDOW, WINDOWS, Figures
from matching.insight.selectors.nights import counted_until
from matching.insight.selectors.outlook import outlook_of
from matching.insight.services import gaps as gap_services
from matching.selectors.skills import suggestions, text_to_read
from matching.skill_services import known_skills
from projects.forms.posting import DRAFT
from projects.selectors.contracts import Seat, contract_to_read

BUDGET_STEP = 2
LONGEST_AMOUNT = 30


# --- Prices ---------------------------------------------------------------------------------


@require_safe
@limits.limited("price_range")
def draft_price(request: HttpRequest) -> HttpResponse:
    """`/projects/new/price/`: what work like the one being posted came to."""
    draft = drafts.find(request, DRAFT)
    values = dict(draft.values) if draft else {}
    text = text_to_read(values.get("title", ""), values.get("description", ""))
    named = [name.strip() for name in values.get("skills", "").split(",") if name.strip()]
    skills = known_skills(named) or [each.skill for each in suggestions(text).found]
    currency = _currency(request.user)
    context = {
        "hint": prices.for_work(skills, title=values.get("title", ""), currency=currency),
        "until": counted_until(),
        "side": "hire",
        "back_url": reverse("projects:post-step", args=[BUDGET_STEP]),
        "guessed": not named,
    }
    return show(request, "matching/draft_price.html", context, part="matching/_price.html")


@require_safe
@limits.limited("price_range")
def project_price(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """`/projects/<slug>-<ref>/price/`: what similar work came to, and where `?amount=` stands.

    Only while the project takes bids.
    """
    project = prices.project_with_prices(request.user, ref)
    hint = prices.for_project(project)
    amount = _amount(request, project.currency)
    context = {
        "project": project,
        "hint": hint,
        "until": counted_until(),
        "side": "hire" if vars(project)["is_mine"] else "work",
        "amount": amount,
        "place": hint.place_of(amount) if amount else "",
    }
    return show(request, "matching/project_price.html", context, part="matching/_price.html")


def _amount(request: HttpRequest, currency: str) -> Money | None:
    """What the bidder has typed so far; None for what is not an amount (the form says so)."""
    typed = request.GET.get("amount", "")[:LONGEST_AMOUNT]
    try:
        return Money.parse_local(typed, currency, get_language() or "en") if typed else None
    except InvalidAmount:
        return None


def _currency(user: User | AnonymousUser) -> str:
    if isinstance(user, AnonymousUser):
        return str(settings.DEFAULT_CURRENCY)
    return hiring_party(user).currency


# --- The outlook of a contract --------------------------------------------------------------


@require_safe
@login_required
def contract_outlook(request: UserRequest, ref: str) -> HttpResponse:
    """`/contracts/<ref>/outlook/`: what may go wrong, why, and what would help."""
    seat = contract_to_read(request.user, ref)
    found = outlook_of(seat)
    context: dict[str, Any] = {
        "contract": seat.contract,
        "outlook": found,
        "causes": [
            {"text": each.text, "remedy": each.remedy, "rule": each.rule, **_door(seat, each)}
            for each in (found.causes if found else ())
        ],
        "rules": outlook.RULES.values(),
        "talk_from": outlook.TALK,
        "trouble_from": outlook.TROUBLE,
    }
    return show(
        request, "matching/contract_outlook.html", context, part="matching/_contract_outlook.html"
    )


def _door(seat: Seat, cause: outlook.Cause) -> dict[str, str]:
    """Where the remedy is found; the conversation for whoever may not move money."""
    ref, n = seat.contract.ref, cause.number
    doors = {
        outlook.EXTEND: ("projects:extend", _("Propose a new due date")),
        outlook.PART: ("projects:release-part", _("Propose an amount")),
    }
    if cause.rule.door == outlook.MEDIATE:
        return {"url": reverse("pages:contact"), "label": _("Ask a person to help")}
    if cause.rule.door in doors and seat.moves_money and n is not None:
        name, label = doors[cause.rule.door]
        return {"url": reverse(name, args=[ref, n]), "label": label}
    if cause.rule.door in {outlook.FUND, outlook.REVIEW}:
        return {"url": seat.contract.get_absolute_url(), "label": _("Go to the milestone")}
    return {
        "url": reverse("projects:contract-messages", args=[ref]),
        "label": _("Open the conversation"),
    }


# --- The market -----------------------------------------------------------------------------


@require_safe
def market(request: HttpRequest) -> HttpResponse:
    """`/market/`: what is asked for, how many bid and how many are free, by skill."""
    after = request.GET.get("after", "")
    page = market_selectors.market(name=request.GET.get("q", ""), after=after)
    query = QueryDict(mutable=True)
    if page.name:
        query["q"] = page.name
    kept = query.urlencode()
    query["after"] = page.after
    context = {
        "page": page,
        "name": page.name,
        "kept": kept,
        "next_url": f"?{query.urlencode()}" if page.after else "",
        "first_url": f"{request.path}{'?' if kept else ''}{kept}" if after else "",
    }
    return show(request, "matching/market.html", context)


@require_safe
def market_csv(request: HttpRequest) -> HttpResponse:
    """`/market/table.csv`: the same list, as many skills as the page would show in five pages."""
    page = market_selectors.market(name=request.GET.get("q", ""), limit=5 * market_selectors.PAGE)
    rows = ([row.skill.name, *_cells(row.figures)] for row in page.rows)
    return _csv("market.csv", [_("Skill"), *_heads()], rows)


@require_safe
def market_skill(request: HttpRequest, slug: str) -> HttpResponse:
    """`/market/<skill>/`: one skill, month by month."""
    months = _window(request)
    found = market_selectors.skill_market(slug, months=months)
    context = {
        "found": found,
        "rows": found.months[::-1],
        "chart": charts.posted_chart(found.months),
        "months": months,
        "windows": [
            {"months": each, "url": f"?months={each}", "current": each == months}
            for each in WINDOWS
        ],
    }
    return show(request, "matching/market_skill.html", context)


@require_safe
def market_skill_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """`/market/<skill>/table.csv`: the same months."""
    found = market_selectors.skill_market(slug, months=_window(request))
    rows = ([f"{row.month:%Y-%m}", *_cells(row.figures)] for row in found.months)
    return _csv(f"market-{slug}.csv", [_("Month"), *_heads()], rows)


def _window(request: HttpRequest) -> int:
    """How many months the address asks for; the usual number for anything else."""
    asked = request.GET.get("months", "")
    return next((each for each in WINDOWS if str(each) == asked), USUAL_WINDOW)


def _heads() -> list[str]:
    return [
        _("Projects posted"),
        _("Bids per project"),
        _("Hired, percent"),
        _("Freelancers available"),
    ]


def _cells(figures: Figures) -> list[Cell]:
    """Empty where too few people stand behind a figure."""
    known = (
        figures.posted,
        figures.bids_per_project,
        figures.hired_percent,
        figures.available,
    )
    return ["" if each is None else each for each in known]


def _csv(name: str, head: list[str], rows: Iterable[list[Cell]]) -> HttpResponse:
    response = HttpResponse(csv_text(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- Skills worth learning ------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def skill_gaps(request: UserRequest) -> HttpResponse:
    """`/profile/skills/gaps/`: what is asked for together with the freelancer's own skills."""
    profile = profile_to_edit(request.user)
    if request.method == "POST":
        for name, act, said in (
            ("dismiss", gap_services.dismiss, _("You will not see %(skill)s here again.")),
            ("restore", gap_services.restore, _("%(skill)s may be suggested again.")),
        ):
            if slug := request.POST.get(name, ""):
                skill: Skill = market_selectors.listed_skill(slug)
                act(profile, by=request.user, skill=skill)
                messages.success(request, said % {"skill": skill.name})
        return go_to(request, request.path)
    return show(request, "matching/skill_gaps.html", {"gaps": gap_selectors.gaps_of(profile)})
