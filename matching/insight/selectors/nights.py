"""How old the figures are, and which months they are of."""

import datetime as dt

from matching.insight.models import CountedNight


def counted_until() -> dt.datetime | None:
    """Until when the market was counted; None before the first night."""
    newest = CountedNight.objects.order_by("-pk").values_list("until", flat=True)
    return newest.first()


def months_before(day: dt.date, months: int) -> dt.date:
    """The first day of the month so many months before the day's; with 0, of the day's own."""
    whole = day.year * 12 + day.month - 1 - months
    return dt.date(whole // 12, whole % 12 + 1, 1)
