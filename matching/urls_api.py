"""Matches under /api/v1/."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching import api
from matching.insight.urls_api import urlpatterns as insight

urlpatterns = [
    path("projects/<ref:ref>/matches/", api.ProjectMatches.as_view(), name="project-matches"),
    path("projects/<ref:ref>/matches/appeals/", api.Appeals.as_view(), name="match-appeals"),
    path("projects/<ref:ref>/why-not/", api.WhyNotMe.as_view(), name="why-not"),
    path("matches/appeals/<ref:ref>/", api.Appeal.as_view(), name="match-appeal"),
    path("matches/wishes/", api.Wishes.as_view(), name="match-wishes"),
    path("matches/", api.MyMatches.as_view(), name="matches"),
    path("skills/suggested/", api.SuggestedSkills.as_view(), name="skills-suggested"),
    *insight,
]
