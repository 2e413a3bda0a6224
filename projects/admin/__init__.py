"""Work as staff see it."""

from projects.admin import contracts, disputes

__all__ = ["contracts", "disputes"]
