"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.urls_api import urlpatterns as accounts_api
from marketplace.pages.views import health, home
from matching.urls_api import urlpatterns as matching_api
from payments.urls_api import urlpatterns as payments_api
from projects.urls.api import urlpatterns as projects_api

api = [*accounts_api, *payments_api, *projects_api, *matching_api]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/v1/", include((api, "api"))),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("home/", home.home, name="home"),
    path("", include("marketplace.pages.urls")),
    path("", include("accounts.urls_auth")),
    path("", include("accounts.urls")),
    path("", include("payments.urls")),
    path("", include("projects.urls")),
    path("", include("matching.urls")),
]

handler400 = "marketplace.pages.errors.bad_request"
handler403 = "marketplace.pages.errors.forbidden"
handler404 = "marketplace.pages.errors.not_found"
handler500 = "marketplace.pages.errors.server_error"
