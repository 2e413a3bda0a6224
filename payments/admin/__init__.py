"""Money as staff see it."""

from payments.admin import breaks, disputes, money, reversals, tax

__all__ = ["breaks", "disputes", "money", "reversals", "tax"]
