"""Matches under /api/v1/."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from matching import api
from matching.insight.urls_api import urlpatterns as insight

urlpatterns = [
    path("projects/<ref:ref>/matches/", api.ProjectMatches.as_view(), name="project-matches"),
    path("matches/", api.MyMatches.as_view(), name="matches"),
    path("skills/suggested/", api.SuggestedSkills.as_view(), name="skills-suggested"),
    *insight,
]
