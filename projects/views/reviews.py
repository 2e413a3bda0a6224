"""Reviewing the other side, and reading what others wrote about a person."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.selectors import profile_to_show
from marketplace.core.errors import DomainError, InvalidTransition
from marketplace.core.http import UserRequest, go_to, show
from projects.forms.refusals import show_refusal
from projects.forms.reviews import ReplyForm, ReviewForm
from projects.selectors import reviews as selectors
from projects.selectors.reviews import Reviews
from projects.services import reviews
from projects.views.contracts import changed_meanwhile
from projects.views.keeping import forget, kept


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def review(request: UserRequest, ref: str) -> HttpResponse:
    """Write one's review; or read both, once they are published."""
    found = selectors.contract_to_review(request.user, ref)
    contract = found.seat.contract
    form = ReviewForm(
        request.POST if request.method == "POST" else None,
        side=found.seat.side,
        initial=kept(request, "review", contract),
    )
    if request.method == "POST" and form.is_valid():
        try:
            reviews.write(contract, by=request.user, **form.cleaned_data)
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            forget(request, "review", contract)
            messages.success(request, _("Your review is in."))
            return go_to(request, request.path)
    return _page(request, found, form=form)


@require_POST
@login_required
def reply(request: UserRequest, ref: str) -> HttpResponse:
    """Answer the other side's published review, once."""
    found = selectors.contract_to_review(request.user, ref)
    if found.other is None:
        raise Http404
    form = ReplyForm(request.POST)
    if form.is_valid():
        try:
            reviews.reply(found.other, by=request.user, text=form.cleaned_data["reply"])
        except InvalidTransition as error:
            return changed_meanwhile(request, ref, error)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Your reply is published."))
            return go_to(request, found.url)
    return _page(request, found, reply_form=form)


def _page(
    request: UserRequest,
    found: Reviews,
    *,
    form: ReviewForm | None = None,
    reply_form: ReplyForm | None = None,
) -> HttpResponse:
    contract = found.seat.contract
    wrong = (form and form.errors) or (reply_form and reply_form.errors)
    context = {
        "found": found,
        "seat": found.seat,
        "contract": contract,
        "form": form or ReviewForm(side=found.seat.side),
        "reply_form": reply_form or ReplyForm(),
        "closed": reviews.closed_because(contract),
        "until": reviews.window_end(contract),
        "can_reply": reviews.can_be_replied_to(found.other),
    }
    return show(request, "projects/review.html", context, status=422 if wrong else 200)


@require_safe
def person_reviews(request: HttpRequest, handle: str) -> HttpResponse:
    """What clients and freelancers wrote about a person; anybody may read it."""
    reader = request.user if request.user.is_authenticated else None
    profile = profile_to_show(reader, handle)
    rows, following = selectors.reviews_of(profile.party, after=request.GET.get("after", ""))
    context = {
        "profile": profile,
        "rows": rows,
        "rating": selectors.ratings_of([profile.party]).get(profile.party_id),
        "next_url": f"?after={following}" if following else "",
        "first_url": request.path if request.GET.get("after") else "",
    }
    return show(
        request, "projects/person_reviews.html", context, part="projects/_person_reviews.html"
    )
