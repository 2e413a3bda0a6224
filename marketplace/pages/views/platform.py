"""What browsers and machines ask for, and the theme switch."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.core.context import THEMES
from marketplace.core.http import go_to, wants_part
from marketplace.pages import selectors
from marketplace.pages.styleguide import specimens

YEAR = 60 * 60 * 24 * 365
PRIVATE = ("admin", "api", "home", "settings", "messages", "contracts", "payments", "earnings")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark in a cookie and go back: the way without JavaScript."""
    back = request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = reverse("pages:landing")
    response = go_to(request, back)
    if (choice := request.POST.get("theme")) in THEMES:
        response.set_cookie("theme", str(choice), max_age=YEAR, samesite="Lax")
    return response


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """`/status/`: what works right now, for people; `/readyz` is for machines."""
    return render(request, "pages/status.html", {"parts": selectors.parts_of_the_service()})


@login_required
@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """What is unread, for the header of an open page; the page behind the bell for anybody else."""
    if not wants_part(request):
        return go_to(request, reverse("accounts:notices"))
    return render(request, "components/counts.html")


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state, for the people who build and run this."""
    if not (settings.DEBUG or (request.user.is_authenticated and request.user.is_staff)):
        raise Http404
    return render(request, "pages/styleguide.html", specimens())


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows without a connection. The same for everybody."""
    return render(request, "pages/offline.html")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: knows how to say that there is no connection, and nothing else."""
    names = ("css/app.css", "js/app.js", "img/mark.svg")
    shell = [static(name) for name in names]
    response = render(
        request,
        "pages/sw.js",
        {"shell": shell, "offline": reverse("pages:offline")},
        content_type="text/javascript",
    )
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Name, icons and shortcuts for people who put this on their home screen."""
    icons = [
        {"src": static(f"img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    icons += [
        {
            "src": static("img/icon-maskable-512.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
        {"src": static("img/mark.svg"), "sizes": "any", "type": "image/svg+xml"},
    ]
    body = {
        "name": settings.SITE_NAME,
        "short_name": settings.SITE_NAME,
        "id": "/",
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbf9f5",
        "theme_color": "#fbf9f5",
        "icons": icons,
        "shortcuts": [
            {"name": _("Messages"), "url": reverse("projects:messages")},
            {"name": _("Contracts"), "url": reverse("projects:contracts")},
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Public pages may be indexed; the rest is nobody's business."""
    lines = ["User-agent: *", *(f"Disallow: /{path}/" for path in PRIVATE), ""]
    return HttpResponse("\n".join(lines), content_type="text/plain")
