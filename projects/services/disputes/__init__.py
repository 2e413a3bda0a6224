"""When the two disagree about held money: pause it, hear both, settle or decide."""

from projects.services.disputes.deadlines import notice_due
from projects.services.disputes.outcomes import (
    SHORTEST_REASON,
    decide,
    open_file,
    refuse_judge,
    settle,
    too_early,
)
from projects.services.disputes.statements import (
    add_statement,
    evidence,
    latest_proposal,
    open_dispute,
    withdraw,
)

__all__ = [
    "SHORTEST_REASON",
    "add_statement",
    "decide",
    "evidence",
    "latest_proposal",
    "notice_due",
    "open_dispute",
    "open_file",
    "refuse_judge",
    "settle",
    "too_early",
    "withdraw",
]
