"""Finding freelancers, and what everybody may see of one."""

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from accounts import selectors
from accounts.forms.people import Looking
from accounts.models import User
from marketplace.core import files
from marketplace.core.http import show, wants_part


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Freelancers who fit a filter. Every filter is an address that can be shared."""
    looking = Looking(request.GET, action=reverse("accounts:people"))
    page = selectors.page_of_people(looking.wanted, after=looking.after)
    context = {
        "looking": looking,
        "page": page,
        "chips": looking.chips(),
        "next_url": looking.url(after=page.after) if page.after else "",
        "first_url": "" if page.is_first else looking.url(),
    }
    if not page.rows and looking.pairs():
        context["drop"] = _worth_dropping(request, looking)
    return show(request, "accounts/people.html", context, part="accounts/_people.html")


def _worth_dropping(request: HttpRequest, looking: Looking) -> dict[str, object] | None:
    """The one filter without which most people remain, and how many."""
    best: dict[str, object] | None = None
    most = 0
    for pair, chip in zip(looking.pairs(), looking.chips(), strict=True):
        query = request.GET.copy()
        query.setlist(
            pair[0],
            [
                value
                for other, value in looking.pairs()
                if (other, value) != pair and other == pair[0]
            ],
        )
        rest = Looking(query, action=looking.action)
        count = selectors.count_people(rest.wanted)
        if count > most:
            most, best = count, {"label": chip.label, "url": chip.url, "count": count}
    return best


@require_safe
def person(request: HttpRequest, handle: str) -> HttpResponse:
    """A public profile."""
    user = _user(request)
    profile = selectors.profile_to_show(user, handle)
    context = {
        "profile": profile,
        "party": profile.party,
        "samples": list(selectors.samples(profile)),
        "mine": user is not None and user.party_id == profile.party_id,
        "reviews_url": _reviews_url(profile.party.ref),
    }
    return render(request, "accounts/person.html", context)


def _reviews_url(ref: str) -> str:
    """Reviews live in an app above this one; the page links to them and htmx pulls them in."""
    try:
        return reverse("projects:party-reviews", args=[ref])
    except NoReverseMatch:
        return ""


@require_safe
def portfolio_image(request: HttpRequest, ref: str) -> HttpResponse:
    """The picture of a sample, for whoever may see its profile."""
    item = selectors.sample_to_show(_user(request), ref)
    if item.image is None:
        raise Http404
    response = files.image(item.image)
    response["Cache-Control"] = "private, max-age=300"
    return response


@require_safe
def skills(request: HttpRequest) -> HttpResponse:
    """Skills by what was typed: options for a field, or a page to look around."""
    typed = request.GET.get("q", "") or request.GET.get("new", "") or request.GET.get("skill", "")
    found = selectors.suggest_skills(typed)
    if wants_part(request):
        return render(request, "accounts/_skill_options.html", {"skills": found})
    areas = selectors.skill_areas()
    chosen = next((area for area in areas if area.key == request.GET.get("area")), None)
    if not typed:
        found = selectors.skills_of_area(chosen.key) if chosen else selectors.skills_offered_most()
    context = {"q": typed, "skills": found, "areas": areas, "chosen": chosen}
    return render(request, "accounts/skill_index.html", context)


def _user(request: HttpRequest) -> User | None:
    user = request.user
    return None if isinstance(user, AnonymousUser) else user
