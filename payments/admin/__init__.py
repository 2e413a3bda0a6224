"""Money as staff see it."""

from payments.admin import breaks, decisions, disputes, money, payouts, reversals, sellers, tax

__all__ = ["breaks", "decisions", "disputes", "money", "payouts", "reversals", "sellers", "tax"]
