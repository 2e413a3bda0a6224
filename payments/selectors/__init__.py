"""Named reads of money."""

from payments.selectors.holds import HoldMoney, Segment, segments, where_money_is

__all__ = ["HoldMoney", "Segment", "segments", "where_money_is"]
