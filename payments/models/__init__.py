"""Money: who pays whom, what is held, and the ledger that proves it."""

from payments.models.holds import Hold
from payments.models.policy import PlatformPolicy

__all__ = ["Hold", "PlatformPolicy"]
