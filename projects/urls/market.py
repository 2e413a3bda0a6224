"""Post, browse, bid, choose."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from projects.views import bidding, browsing, choosing, files, posting

PROJECT = "projects/<slug:slug>-<ref:ref>/"

urlpatterns = [
    path("projects/", browsing.browse, name="list"),
    path("projects/new/", posting.start, name="post"),
    path("projects/new/draft/", posting.keep_draft, name="post-draft"),
    path("projects/new/skills/", posting.skill_hints, name="post-skills"),
    path("projects/new/done/", posting.done, name="post-done"),
    path("projects/new/<int:step>/", posting.step, name="post-step"),
    path("projects/mine/", posting.mine, name="mine"),
    path(PROJECT, browsing.detail, name="detail"),
    path(f"{PROJECT}bid/", bidding.bid, name="bid"),
    path(f"{PROJECT}bid/quote/", bidding.bid_quote, name="bid-quote"),
    path(f"{PROJECT}bid/draft/", bidding.keep_draft, name="bid-draft"),
    path(f"{PROJECT}manage/", choosing.manage, name="manage"),
    path(f"{PROJECT}names/", choosing.names, name="names"),
    path(f"{PROJECT}compare/", choosing.compare, name="compare"),
    path(f"{PROJECT}hire/<ref:bid>/", choosing.hire, name="hire"),
    path(f"{PROJECT}edit/", posting.edit, name="edit"),
    path(f"{PROJECT}close/", posting.close, name="close"),
    path(f"{PROJECT}publish/", posting.publish, name="publish"),
    path(f"{PROJECT}files/", posting.files, name="files"),
    path(f"{PROJECT}files/<ref:file>/remove/", posting.remove_file, name="remove-file"),
    path("bids/", bidding.bids, name="bids"),
    path("bids/<ref:ref>/", bidding.bid_detail, name="bid-detail"),
    path("bids/<ref:ref>/edit/", bidding.edit_bid, name="edit-bid"),
    path("bids/<ref:ref>/withdraw/", bidding.withdraw_bid, name="withdraw-bid"),
    path("bids/<ref:ref>/read/", choosing.read, name="read-bid"),
    path("bids/<ref:ref>/shortlist/", choosing.shortlist, name="shortlist"),
    path("bids/<ref:ref>/unshortlist/", choosing.unshortlist, name="unshortlist"),
    path("bids/<ref:ref>/decline/", choosing.decline, name="decline"),
    path("bids/<ref:ref>/reconsider/", choosing.reconsider, name="reconsider"),
    path("files/<ref:ref>/", files.download, name="file"),
]
