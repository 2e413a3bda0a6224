"""Bids without names: what the client's people read until a bid is on their short list.

A bid keeps its price, words, skills and record; the name, the photo, the profile and how to
reach somebody go, out of the words as well. Whoever looks gets rows that are for looking only:
services read their own.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Party
from projects.models import Bid, BidMilestone
from projects.selectors.projects import number_of

# On the short list, or chosen: from then on the client knows who it is.
KNOWN = (Bid.Status.SHORTLISTED, Bid.Status.ACCEPTED)
# Any word with an ending of letters counts as an address. Not what bids are full of, and not files
# and libraries (`node.js`, `package.json`), because no address ends so.
WORDS = r"(?:asp|ado|vb|ml)\.net|(?:socket|draw)\.io|[bm]\.(?:sc|ed|eng|tech)"
NO_ADDRESS = (
    "js|jsx|tsx|mjs|json|html|htm|css|scss|less|xml|csv|sql|txt|yml|yaml|toml|php|"
    "pdf|docx|xlsx|svg|png|jpg|jpeg|gif"
)
REACHES = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?:https?://|www\.)\S+"
    rf"|(?<![\w.-])(?!(?:{WORDS}|[\w-]+(?:\.[\w-]+)*\.(?:{NO_ADDRESS}))(?![\w-]|\.\w))"
    r"[\w-]+(?:\.[\w-]+)*\.(?:xn--[\w-]+|[^\W\d_]{2,24})\b(?:/\S*)?"
    r"|(?<!\w)@[\w.-]+"
    r"|\+?\(?\d[\d\s()./-]{7,30}\d",
    re.IGNORECASE,
)
LEFT_OUT = "…"


def with_number(rows: QuerySet[Bid]) -> QuerySet[Bid]:
    """The bids with their `number` in the project, from 1, which never changes."""
    earlier = Bid.objects.filter(project=OuterRef("project"), pk__lte=OuterRef("pk"))
    return rows.annotate(number=number_of(earlier, "project"))


def is_blind(bid: Bid) -> bool:
    """Whether the client's people may not know yet whose bid it is."""
    known = bid.status in KNOWN or bid.name_shown_at is not None
    return bid.project.is_blind and not known


def label(number: int) -> str:
    """`Freelancer A`, … `Freelancer Z`, `Freelancer AA`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return _("Freelancer %(letters)s") % {"letters": letters}


def name_for_client(bid: Bid) -> str:
    """What notices to the client call whoever sent the bid."""
    if not is_blind(bid):
        return bid.freelancer.name
    return label(Bid.objects.filter(project=bid.project_id, pk__lte=bid.pk).count())


def without_name(bid: Bid) -> Bid:
    """The bid as the client's people may read it; one they may know is as it is.

    The row needs its `number`. It must not be saved afterwards.
    """
    if not is_blind(bid):
        return bid
    names = [bid.freelancer.name, *bid.freelancer.name.split()]
    profile = getattr(bid.freelancer, "profile", None)
    if profile:
        names.append(profile.handle)
    known: Any = vars(bid)
    bid.freelancer = Party(
        kind=Party.Kind.ORGANISATION, name=label(known["number"]), ref="", currency=""
    )
    bid.message = scrubbed(bid.message, names)
    known["hidden_names"] = names
    return bid


def steps_without_name(bid: Bid, steps: Iterable[BidMilestone]) -> list[BidMilestone]:
    """The proposed steps of a bid that went through `without_name`."""
    found, names = list(steps), vars(bid).get("hidden_names", [])
    for step in found if names else ():
        step.title = scrubbed(step.title, names)
    return found


def scrubbed(text: str, names: list[str]) -> str:
    """The text without these names and without ways to reach or find somebody."""
    text = REACHES.sub(LEFT_OUT, text)
    longest = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    if not longest:
        return text
    pattern = "|".join(map(re.escape, longest))
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", LEFT_OUT, text, flags=re.IGNORECASE)
