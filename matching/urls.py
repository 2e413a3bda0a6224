"""Addresses of matches: people for a project, projects for me, and why."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching import views

app_name = "matching"
urlpatterns = [
    path("projects/<slug:slug>-<ref:ref>/people/", views.project_people, name="project-people"),
    path("projects/<slug:slug>-<ref:ref>/match/", views.project_reasons, name="project-reasons"),
    path("matches/", views.for_you, name="for-you"),
]
