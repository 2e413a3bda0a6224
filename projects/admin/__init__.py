"""Work as staff see it."""

from projects.admin import bids, contracts, disputes, projects

__all__ = ["bids", "contracts", "disputes", "projects"]
