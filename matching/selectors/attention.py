"""What people got lately of the attention they earned, read off the lists that were written."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Sum

from marketplace.core import clock
from matching.engine.placing import Lately
from matching.models import Attention
from projects.models import Project

# Long enough for chance to even out, short enough to help somebody who is here now.
WINDOW = dt.timedelta(days=30)
# Sums come in any order; these digits are the same in all of them, and are what a log says.
DIGITS = 6


def lately(without: Project) -> Lately:
    """A function that tells of these people what other lists gave them, in one query.

    The list of the project itself is left out, because the next one takes its place: ranking
    twice gives the same list twice.
    """
    since = clock.now() - WINDOW

    def read(ids: Sequence[str]) -> dict[str, tuple[float, float]]:
        rows = Attention.objects.filter(party__in=map(int, ids), at__gte=since)
        sums = (
            rows.exclude(project=without)
            .values_list("party")
            .annotate(all_seen=Sum("seen"), all_earned=Sum("earned"))
        )
        return {
            str(party): (round(seen, DIGITS), round(earned, DIGITS)) for party, seen, earned in sums
        }

    return read
