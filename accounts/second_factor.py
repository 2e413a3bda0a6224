"""Staff sign in with a second factor: without one the console only leads to setting one up."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core.http import GetResponse, SeeOther

# Recovery codes stand in for one of these, and are none themselves.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_one(user: User) -> bool:
    """Whether the person's sign-in asks for an app or a key."""
    found: bool = Authenticator.objects.filter(user=user, type__in=FACTORS).exists()
    return found


class StaffSecondFactorMiddleware:
    """No page of the console for staff who could be signed in as with a mailbox alone.

    `REQUIRE_STAFF_MFA` switches it; whoever has a second factor was asked for it at sign-in.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.console = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            settings.REQUIRE_STAFF_MFA
            and request.path.startswith(self.console)
            and isinstance(user, User)
            and user.is_staff
            and not has_one(user)
        ):
            messages.warning(
                request,
                _("Staff pages need a second factor. Set up an authenticator app or a key first."),
            )
            return SeeOther(reverse("mfa_index"))
        return self.get_response(request)
