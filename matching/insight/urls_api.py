"""The same under /api/v1/."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching.insight import api

urlpatterns = [
    path("price-range/", api.PriceRangeView.as_view(), name="price-range"),
    path(
        "projects/<ref:ref>/price-range/",
        api.ProjectPriceRangeView.as_view(),
        name="project-price-range",
    ),
    path("contracts/<ref:ref>/outlook/", api.OutlookView.as_view(), name="contract-outlook"),
    path("market/skills/", api.MarketView.as_view(), name="market"),
    path("market/skills/<slug:slug>/", api.MarketSkillView.as_view(), name="market-skill"),
    path("skills/gaps/", api.GapsView.as_view(), name="skill-gaps"),
    path("skills/gaps/<slug:slug>/dismiss/", api.DismissView.as_view(), name="dismiss-skill"),
    path("skills/gaps/<slug:slug>/restore/", api.RestoreView.as_view(), name="restore-skill"),
]
