"""Finding projects, and reading one."""

from dataclasses import dataclass
from typing import Any

from babel.dates import format_timedelta
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.models import Skill
from marketplace.core.display import money_round_text, reader_locale
from marketplace.core.http import show, wants_part
from marketplace.core.money import Money
from projects.forms.bidding import BidForm
from projects.forms.browsing import BrowseForm
from projects.models import Project
from projects.models.projects import AiPolicy
from projects.selectors import browsing
from projects.selectors import projects as selectors
from projects.selectors.browsing import Browse, KnownSkills
from projects.selectors.projects import ClientFacts
from projects.views.bidding import form_from_draft


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the list without it."""

    name: str
    label: str
    url: str


# --- The list -------------------------------------------------------------------------------


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Open projects, filtered by the address; only the results when htmx asks."""
    currency = _currency(request)
    form = BrowseForm(request.GET, currency=currency)
    known = browsing.skills_for(request.user, request.GET.getlist("skill"))
    wanted, notes = read_filters(form, known, currency)
    found = browsing.find(
        wanted,
        request.user,
        frozenset(skill.pk for skill in known.mine),
        request.GET.get("after", ""),
    )
    address = address_of(wanted)
    chips = _chips(wanted)
    context = {
        "form": form,
        "wanted": wanted,
        "known": known,
        "offered": _offered(request, known),
        "found": found,
        "count_text": _count_text(found),
        "notes": notes,
        "chips": chips,
        "help": None if found.count else _help(wanted, chips),
        "next_url": _with(address, after=found.after) if found.after else "",
        "first_url": address if request.GET.get("after") else "",
        "clear_url": reverse("projects:list"),
        "sorts": _sorts(known),
        "currencies": browsing.currencies(),
    }
    response = show(request, "projects/list.html", context, part="projects/_results.html")
    if wants_part(request):
        # Defaults stay out of the address people share.
        response["HX-Push-Url"] = address
    return response


def read_filters(form: BrowseForm, known: KnownSkills, currency: str) -> tuple[Browse, list[str]]:
    """What the address asks for; what it asks in vain becomes a note."""
    values, notes = form.read()
    notes += [
        _("Nobody has named the skill “%(name)s” yet, so it is left out.") % {"name": word[:40]}
        for word in known.unknown
    ]
    low, high = values.get("min"), values.get("max")
    if low and high and high < low:
        notes.append(_("“To” is less than “From”, so it is left out."))
        high = None
    sort = values.get("sort") or "newest"
    if sort == "match" and not known.mine:
        notes.append(_("Name skills on your profile to sort by match. Sorted by newest."))
        sort = "newest"
    wanted = Browse(
        currency=currency,
        q=values.get("q", ""),
        skills=tuple(known.named),
        low=low,
        high=high,
        ai=values.get("ai", ""),
        sort=sort,
    )
    return wanted, notes


def _currency(request: HttpRequest) -> str:
    """In the address, so that whoever follows a shared link sees the same list."""
    asked = request.GET.get("currency", "")
    return asked if asked in browsing.currencies() else str(settings.DEFAULT_CURRENCY)


def address_of(wanted: Browse, *, without: str = "", skill: Skill | None = None) -> str:
    """The shareable address of a search, without one filter (or one of its skills)."""
    query = QueryDict(mutable=True)
    answers = {
        "q": wanted.q,
        "min": wanted.low.decimal_text.removesuffix(".00") if wanted.low else "",
        "max": wanted.high.decimal_text.removesuffix(".00") if wanted.high else "",
        "ai": wanted.ai,
        "currency": "" if wanted.currency == settings.DEFAULT_CURRENCY else wanted.currency,
        "sort": "" if wanted.sort == "newest" else wanted.sort,
    }
    query.update({name: value for name, value in answers.items() if value and name != without})
    if without != "skill":
        query.setlist("skill", [named.slug for named in wanted.skills if named != skill])
    return f"{reverse('projects:list')}{'?' if query else ''}{query.urlencode()}"


def _with(address: str, **more: str) -> str:
    query = QueryDict(mutable=True)
    query.update(more)
    return f"{address}{'&' if '?' in address else '?'}{query.urlencode()}"


def _chips(wanted: Browse) -> list[Chip]:
    chips = []
    if wanted.q:
        chips.append(("q", _("“%(words)s”") % {"words": wanted.q}))
    if wanted.low:
        chips.append(("min", _("From %(amount)s") % {"amount": money_round_text(wanted.low)}))
    if wanted.high:
        chips.append(("max", _("To %(amount)s") % {"amount": money_round_text(wanted.high)}))
    if wanted.ai:
        policy = AiPolicy(wanted.ai).label
        chips.append(("ai", _("AI tools: %(policy)s") % {"policy": policy}))
    return [
        *(Chip(name, label, address_of(wanted, without=name)) for name, label in chips),
        *(Chip("skill", skill.name, address_of(wanted, skill=skill)) for skill in wanted.skills),
    ]


def _help(wanted: Browse, chips: list[Chip]) -> dict[str, Any] | None:
    """The filter that removes most, with what there would be without it."""
    counts = browsing.without_each(wanted)
    name = max(counts, key=lambda name: counts[name], default="")
    if not counts.get(name):
        return None
    label = ", ".join(chip.label for chip in chips if chip.name == name)
    return {"label": label, "count": counts[name], "url": address_of(wanted, without=name)}


def _count_text(found: browsing.Found) -> str:
    if found.is_capped:
        return _("%(count)s+ projects") % {"count": f"{browsing.COUNT_CAP:,}"}
    return ngettext("%(count)s project", "%(count)s projects", found.count) % {
        "count": f"{found.count:,}"
    }


def _offered(request: HttpRequest, known: KnownSkills) -> list[tuple[Skill, bool]]:
    """Skills to tick: those that are on, then the reader's own, or what is asked for most."""
    if wants_part(request):
        return []
    others = known.mine[:12] or browsing.often_asked()
    ticked = set(known.named)
    return [
        *((skill, True) for skill in known.named),
        *((skill, False) for skill in others if skill not in ticked),
    ]


def _sorts(known: KnownSkills) -> list[tuple[str, str]]:
    sorts = [("newest", _("Newest")), ("budget", _("Highest budget"))]
    if known.mine:
        sorts.append(("match", _("Most of my skills")))
    return sorts


# --- One project ----------------------------------------------------------------------------


@require_safe
def detail(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """A project with everything one needs to decide, and the form to bid."""
    project = selectors.project_to_see(request.user, ref)
    if slug != project.slug:
        return redirect(project, permanent=True)
    facts = selectors.client_facts(project.client, project.currency)
    own = vars(project)
    context = {
        "project": project,
        "own_price": own["own_bid_minor"] and Money(own["own_bid_minor"], project.currency),
        "facts": facts,
        "client_rows": _client_rows(facts),
        "skills": selectors.skills_asked(project, request.user),
        "files": selectors.files_of(project),
        "form": _form_for(request, project),
        "similar": [] if project.is_open else selectors.similar_to(project),
    }
    return show(request, "projects/detail.html", context)


def _client_rows(facts: ClientFacts) -> list[tuple[str, str]]:
    """What is known about the client, as pairs; only what is true."""
    rows = []
    if facts.hires:
        hires = ngettext("%(n)s contract", "%(n)s contracts", facts.hires) % {"n": facts.hires}
        rows.append((_("Hired here"), hires))
        rows.append((_("Paid so far"), money_round_text(facts.paid)))
    else:
        rows.append((_("Hired here"), _("Not yet")))
    if facts.approves_in is not None:
        span = format_timedelta(facts.approves_in, locale=reader_locale())
        rows.append((_("Approves in"), _("%(span)s on average") % {"span": span}))
    if facts.bids_ended:
        words = {"answered": facts.bids_answered, "all": facts.bids_ended}
        rows.append((_("Answered"), _("%(answered)s of %(all)s bids") % words))
    if facts.hires:
        rows.append((_("Disputes"), str(facts.disputes) if facts.disputes else _("None")))
    return rows


def _form_for(request: HttpRequest, project: Project) -> BidForm | None:
    """The form for whoever may bid here now."""
    own = vars(project)
    may_bid = project.is_open and not own["is_mine"]
    if not may_bid or own["own_bid_status"] not in {None, "withdrawn"}:
        return None
    return form_from_draft(request, project)
