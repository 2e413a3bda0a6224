"""Whether it is still the same person: where money goes is changed with a fresh proof only.

A session lives for two weeks, on machines people leave open. So each session remembers when its
person last proved who they are: by signing in, or again on the page this module sends them to.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from marketplace.core import clock
from marketplace.core.errors import NotAllowed
from marketplace.core.http import go_to

SESSION_KEY = "proved_at"
P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]


class SignInTooOld(NotAllowed):
    """The person may do this, but has to prove first that it is still them."""

    code = "sign_in_too_old"


def remember(request: HttpRequest) -> None:
    """The person of this session has just proved who they are."""
    request.session[SESSION_KEY] = clock.now().timestamp()


def is_fresh(request: HttpRequest) -> bool:
    """Whether the last proof of this session is young enough for changes that move money."""
    proved_at = request.session.get(SESSION_KEY, 0.0)
    age: float = clock.now().timestamp() - proved_at
    return 0 <= age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def confirm_url(user: User, *, onward: str) -> str:
    """Where the person proves it: by password, app or key; by a code in a mail without those."""
    ways = get_adapter().get_reauthentication_methods(user)
    page = ways[0]["url"] if ways else reverse("account_confirm_by_mail")
    return f"{page}?{urlencode({REDIRECT_FIELD_NAME: onward})}"


def confirmation_of(request: HttpRequest) -> str:
    """Where to confirm before this page takes a decision; empty while the sign-in is fresh."""
    if is_fresh(request) or not isinstance(request.user, User):
        return ""
    return confirm_url(request.user, onward=request.get_full_path())


def too_old_text() -> str:
    """What a form says that was open for too long; `confirm_url` belongs beside it."""
    minutes = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60
    return ngettext(
        "Your sign-in is older than %(n)d minute. Confirm that it is you, then come back and send "
        "this again.",
        "Your sign-in is older than %(n)d minutes. Confirm that it is you, then come back and send "
        "this again.",
        minutes,
    ) % {"n": minutes}


def fresh_sign_in(*, back_to: str = "", posts_only: bool = False) -> Callable[[View[P]], View[P]]:
    """Let only a fresh sign-in through; others confirm first and return, to `back_to` if given.

    What was posted is not kept meanwhile: it may be a number nobody should find in a session. With
    `posts_only` looking stays free. Goes below `login_required`.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            looks = request.method in {"GET", "HEAD"}
            if is_fresh(request) or (posts_only and looks) or not request.user.is_authenticated:
                return view(request, *args, **kwargs)
            onward = reverse(back_to) if back_to else request.get_full_path()
            return go_to(request, confirm_url(request.user, onward=onward))

        return guarded

    return decorate


def require_fresh(request: HttpRequest) -> None:
    """Raise SignInTooOld, with where to confirm, for programs that use a session."""
    user = request.user
    if isinstance(user, User) and not is_fresh(request):
        raise SignInTooOld(
            _("Your sign-in is too old for this. Confirm at %(url)s, then send it again.")
            % {"url": settings.SITE_URL + confirm_url(user, onward=reverse("home"))}
        )
