"""Addresses of matches: people for a project, projects for me, and why; skills for a text."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching import views
from matching.insight.urls import urlpatterns as insight

app_name = "matching"
urlpatterns = [
    path("projects/<slug:slug>-<ref:ref>/people/", views.project_people, name="project-people"),
    path("projects/<slug:slug>-<ref:ref>/match/", views.project_reasons, name="project-reasons"),
    path("matches/", views.for_you, name="for-you"),
    path("projects/new/skills/suggested/", views.project_skills, name="project-skills"),
    path("profile/skills/suggested/", views.profile_skills, name="profile-skills"),
    *insight,
]
