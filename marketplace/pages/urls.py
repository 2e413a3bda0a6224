"""Addresses of the public pages and of what browsers ask for by themselves."""

from django.urls import path

from marketplace.pages.views import platform, public

app_name = "pages"
urlpatterns = [
    path("", public.landing, name="landing"),
    path("how-it-works/", public.how_it_works, name="how-it-works"),
    path("fees/", public.fees, name="fees"),
    path("matching/", public.matching, name="matching"),
    path("matching/card/", public.matching_card, name="matching-card"),
    path("matching/card.json", public.matching_card_json, name="matching-card-json"),
    path("help/", public.help_centre, name="help"),
    path("help/<slug:slug>/", public.help_article, name="help-article"),
    path("contact/", public.contact, name="contact"),
    path("terms/", public.terms, name="terms"),
    path("privacy/", public.privacy, name="privacy"),
    path("imprint/", public.imprint, name="imprint"),
    path("status/", platform.status, name="status"),
    path("counts/", platform.counts, name="counts"),
    path("theme/", platform.theme, name="theme"),
    path("styleguide/", platform.styleguide, name="styleguide"),
    path("offline/", platform.offline, name="offline"),
    path("sw.js", platform.worker, name="worker"),
    path("manifest.webmanifest", platform.manifest, name="manifest"),
    path("robots.txt", platform.robots, name="robots"),
]
