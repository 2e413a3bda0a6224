"""Money as staff see it."""

from payments.admin import breaks, disputes, money, payouts, reversals, sellers, tax

__all__ = ["breaks", "disputes", "money", "payouts", "reversals", "sellers", "tax"]
