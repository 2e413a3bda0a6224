"""Contracts, deliveries, messages, disputes, reviews."""

from django.urls import path

import marketplace.core.refs  # noqa: F401 - makes <ref:…> known
from projects.views import (
    bonuses,
    change_orders,
    contracts,
    deliveries,
    disputes,
    dormancy,
    funding,
    giving_back,
    keeping,
    messages,
    orders,
    proposals,
    reviews,
)

CONTRACT = "contracts/<ref:ref>/"
ORDER = f"{CONTRACT}extra/<ref:order>/"
MILESTONE = f"{CONTRACT}milestones/<int:n>/"
DISPUTE = "disputes/<ref:ref>/"

urlpatterns = [
    path("contracts/", contracts.contracts, name="contracts"),
    path(CONTRACT, contracts.contract, name="contract"),
    path(f"{CONTRACT}messages/", messages.thread, name="contract-messages"),
    path(f"{CONTRACT}messages/read/", messages.read, name="contract-read"),
    path(f"{CONTRACT}files/", contracts.files, name="contract-files"),
    path(f"{CONTRACT}payments/", contracts.payments, name="contract-payments"),
    path(f"{CONTRACT}purchase-order/", orders.purchase_order, name="purchase-order"),
    path(f"{CONTRACT}terms/", contracts.terms, name="contract-terms"),
    path(f"{CONTRACT}end/", contracts.end, name="contract-end"),
    path(f"{CONTRACT}review/", reviews.review, name="review"),
    path(f"{CONTRACT}review/reply/", reviews.reply, name="review-reply"),
    path(f"{CONTRACT}draft/<slug:kind>/", keeping.keep, name="keep"),
    path(f"{CONTRACT}draft/<slug:kind>/<int:n>/", keeping.keep, name="keep-of-milestone"),
    path(f"{CONTRACT}fund/", funding.fund_together, name="fund-together"),
    path(f"{CONTRACT}fund/<int:n>/", funding.fund, name="fund"),
    path(f"{CONTRACT}fund/<int:n>/return/", funding.back, name="fund-return"),
    path(f"{CONTRACT}fund/<int:n>/confirm/", funding.confirm, name="fund-confirm"),
    path(f"{MILESTONE}ask-to-fund/", funding.ask, name="ask-to-fund"),
    path(f"{MILESTONE}deliver/", deliveries.deliver, name="deliver"),
    path(f"{MILESTONE}changes/", deliveries.changes, name="changes"),
    path(f"{MILESTONE}approve/", deliveries.approve, name="approve"),
    path(f"{MILESTONE}call-off/", deliveries.call_off, name="call-off"),
    path(f"{MILESTONE}call-off/answer/", deliveries.answer_call_off, name="answer-call-off"),
    path(f"{MILESTONE}extend/", proposals.extend, name="extend"),
    path(f"{MILESTONE}release-part/", proposals.release_part, name="release-part"),
    path(f"{MILESTONE}return-money/", proposals.return_money, name="return-money"),
    path(f"{MILESTONE}return-part/", giving_back.return_part, name="return-part"),
    path(f"{MILESTONE}dormant/", dormancy.dormant, name="dormant"),
    path(f"{MILESTONE}give-back/", giving_back.give_back, name="give-back"),
    path(
        f"{CONTRACT}proposals/<ref:proposal>/answer/",
        proposals.answer,
        name="answer-proposal",
    ),
    path(f"{CONTRACT}extra/", change_orders.offer, name="offer-work"),
    path(ORDER, change_orders.order, name="change-order"),
    path(f"{ORDER}price/", change_orders.price, name="price-order"),
    path(f"{ORDER}answer/", change_orders.answer, name="answer-order"),
    path(f"{MILESTONE}extra-round/", change_orders.extra_round, name="extra-round"),
    path(f"{CONTRACT}bonus/", bonuses.bonus, name="bonus"),
    path(f"{CONTRACT}bonus/confirm/", bonuses.confirm, name="bonus-confirm"),
    path(f"{MILESTONE}dispute/<int:step>/", disputes.new, name="dispute-new"),
    path(f"{MILESTONE}split/", disputes.split, name="split"),
    path(DISPUTE, disputes.dispute, name="dispute"),
    path(f"{DISPUTE}settle/", disputes.settle, name="settle"),
    path(f"{DISPUTE}withdraw/", disputes.withdraw, name="withdraw-dispute"),
    path("messages/", messages.messages, name="messages"),
    path("people/<slug:handle>/reviews/", reviews.person_reviews, name="person-reviews"),
]
