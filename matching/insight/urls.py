"""Addresses of what the market's past tells; part of the app's own."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching.insight import views

urlpatterns = [
    path("projects/new/price/", views.draft_price, name="draft-price"),
    path("projects/<slug:slug>-<ref:ref>/price/", views.project_price, name="project-price"),
    path("contracts/<ref:ref>/outlook/", views.contract_outlook, name="contract-outlook"),
    path("market/", views.market, name="market"),
    path("market/table.csv", views.market_csv, name="market-csv"),
    path("market/<slug:slug>/", views.market_skill, name="market-skill"),
    path("market/<slug:slug>/table.csv", views.market_skill_csv, name="market-skill-csv"),
    path("profile/skills/gaps/", views.skill_gaps, name="skill-gaps"),
]
