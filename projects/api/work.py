"""Addresses of contracts and what follows, under /api/v1/."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from projects.api import change_orders, contracts, disputes, dormancy, giving_back, proposals

ORDER = "contracts/<ref:ref>/extra/<ref:order>/"
MILESTONE = "contracts/<ref:ref>/milestones/<int:n>/"

urlpatterns = [
    path("contracts/", contracts.ContractsView.as_view(), name="contracts"),
    path("contracts/<ref:ref>/", contracts.ContractView.as_view(), name="contract"),
    path("contracts/<ref:ref>/messages/", contracts.MessagesView.as_view(), name="messages"),
    path("contracts/<ref:ref>/review/", contracts.ReviewView.as_view(), name="review"),
    path(
        "contracts/<ref:ref>/fund/",
        contracts.FundTogetherView.as_view(),
        name="fund-together",
    ),
    path(f"{MILESTONE}fund/", contracts.FundView.as_view(), name="fund"),
    path(f"{MILESTONE}deliver/", contracts.DeliverView.as_view(), name="deliver"),
    path(f"{MILESTONE}ask-changes/", contracts.AskChangesView.as_view(), name="ask-changes"),
    path(f"{MILESTONE}approve/", contracts.ApproveView.as_view(), name="approve"),
    path(f"{MILESTONE}call-off/", contracts.CallOffView.as_view(), name="call-off"),
    path(
        f"{MILESTONE}call-off/answer/",
        contracts.AnswerCallOffView.as_view(),
        name="answer-call-off",
    ),
    path("contracts/<ref:ref>/ask-to-end/", contracts.AskToEndView.as_view(), name="ask-to-end"),
    path(f"{MILESTONE}extend/", proposals.ExtendView.as_view(), name="extend"),
    path(f"{MILESTONE}release-part/", proposals.ReleasePartView.as_view(), name="release-part"),
    path(f"{MILESTONE}return-part/", giving_back.ReturnPartView.as_view(), name="return-part"),
    path(f"{MILESTONE}return-money/", proposals.ReturnMoneyView.as_view(), name="return-money"),
    path(f"{MILESTONE}dormant/", dormancy.DormantView.as_view(), name="dormant"),
    path(f"{MILESTONE}give-back/", giving_back.GiveBackView.as_view(), name="give-back"),
    path(
        "contracts/<ref:ref>/proposals/<ref:proposal>/answer/",
        proposals.AnswerProposalView.as_view(),
        name="answer-proposal",
    ),
    path("contracts/<ref:ref>/extra/", change_orders.OfferWorkView.as_view(), name="offer-work"),
    path(ORDER, change_orders.ChangeOrderView.as_view(), name="change-order"),
    path(f"{ORDER}price/", change_orders.PriceOrderView.as_view(), name="price-order"),
    path(f"{ORDER}answer/", change_orders.AnswerOrderView.as_view(), name="answer-order"),
    path(f"{MILESTONE}extra-round/", change_orders.WantRoundView.as_view(), name="extra-round"),
    path("contracts/<ref:ref>/bonus/", proposals.BonusView.as_view(), name="bonus"),
    path(f"{MILESTONE}dispute/", disputes.OpenDisputeView.as_view(), name="open-dispute"),
    path("disputes/<ref:ref>/", disputes.DisputeView.as_view(), name="dispute"),
    path("disputes/<ref:ref>/statements/", disputes.StatementsView.as_view(), name="statements"),
    path("disputes/<ref:ref>/settle/", disputes.SettleView.as_view(), name="settle"),
    path("disputes/<ref:ref>/withdraw/", disputes.WithdrawView.as_view(), name="withdraw"),
]
