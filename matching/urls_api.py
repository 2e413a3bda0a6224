"""Matches under /api/v1/."""

from django.urls import path

from matching import api

urlpatterns = [
    path("projects/<str:ref>/matches/", api.ProjectMatches.as_view(), name="project-matches"),
    path("matches/", api.MyMatches.as_view(), name="matches"),
]
