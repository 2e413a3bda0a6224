"""Addresses of projects and bids, under /api/v1/."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from projects.api import bids, postings

urlpatterns = [
    path("projects/", postings.ProjectsView.as_view(), name="projects"),
    path("projects/<ref:ref>/", postings.ProjectView.as_view(), name="project"),
    path("projects/<ref:ref>/publish/", postings.PublishView.as_view(), name="publish"),
    path("projects/<ref:ref>/close/", postings.CloseView.as_view(), name="close"),
    path("projects/<ref:ref>/bids/", bids.ProjectBidsView.as_view(), name="project-bids"),
    path("bids/", bids.BidsView.as_view(), name="bids"),
    path("bids/<ref:ref>/", bids.BidView.as_view(), name="bid"),
    path("bids/<ref:ref>/withdraw/", bids.WithdrawView.as_view(), name="withdraw-bid"),
    path("bids/<ref:ref>/shortlist/", bids.ShortlistView.as_view(), name="shortlist"),
    path("bids/<ref:ref>/unshortlist/", bids.UnshortlistView.as_view(), name="unshortlist"),
    path("bids/<ref:ref>/decline/", bids.DeclineView.as_view(), name="decline"),
    path("bids/<ref:ref>/reconsider/", bids.ReconsiderView.as_view(), name="reconsider"),
    path("bids/<ref:ref>/hire/", bids.HireView.as_view(), name="hire"),
]
