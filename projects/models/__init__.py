"""Work: what clients ask for, what freelancers offer, what both agreed and did."""

from projects.models.bids import Bid, BidMilestone
from projects.models.change_orders import Amendment, ChangeOrder
from projects.models.contracts import (
    Cancellation,
    ChangeRequest,
    Contract,
    ContractEvent,
    Delivery,
    Milestone,
)
from projects.models.disputes import Decision, Dispute, DisputeStatement
from projects.models.messages import Message, MessageRead
from projects.models.projects import Project
from projects.models.proposals import Bonus, Proposal
from projects.models.reviews import Review

__all__ = [
    "Amendment",
    "Bid",
    "BidMilestone",
    "Bonus",
    "Cancellation",
    "ChangeOrder",
    "ChangeRequest",
    "Contract",
    "ContractEvent",
    "Decision",
    "Delivery",
    "Dispute",
    "DisputeStatement",
    "Message",
    "MessageRead",
    "Milestone",
    "Project",
    "Proposal",
    "Review",
]
