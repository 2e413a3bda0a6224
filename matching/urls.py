"""Addresses of matches: people for a project, projects for me, and why; skills for a text."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching.insight.urls import urlpatterns as insight
from matching.views import appeals, lists, skills, whynot, wishes

app_name = "matching"
PROJECT = "projects/<slug:slug>-<ref:ref>"
urlpatterns = [
    path(f"{PROJECT}/people/", lists.project_people, name="project-people"),
    path(f"{PROJECT}/people/<ref:person>/", lists.open_person, name="open-person"),
    path(f"{PROJECT}/match/", lists.project_reasons, name="project-reasons"),
    path(f"{PROJECT}/match/appeal/", appeals.appeal_against, name="appeal-against"),
    path(f"{PROJECT}/why-not/", whynot.why_not, name="why-not"),
    path("matches/", lists.for_you, name="for-you"),
    path("matches/appeals/<ref:ref>/", appeals.appeal, name="appeal"),
    path("settings/suggestions/", wishes.settings, name="settings"),
    path("settings/suggestions/forget/", wishes.forget, name="forget"),
    path("projects/new/skills/suggested/", skills.project_skills, name="project-skills"),
    path("profile/skills/suggested/", skills.profile_skills, name="profile-skills"),
    *insight,
]
