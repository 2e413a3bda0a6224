"""Money as staff see it."""

from payments.admin import breaks, disputes, money, reversals, sellers, tax

__all__ = ["breaks", "disputes", "money", "reversals", "sellers", "tax"]
