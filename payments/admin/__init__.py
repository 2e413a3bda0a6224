"""Money as staff see it."""

from payments.admin import breaks, money, reversals

__all__ = ["breaks", "money", "reversals"]
