"""Reviews: published ones for everybody, one's own for their author."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Subquery
from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Party, User
from projects.models import Review
from projects.models.contracts import Side
from projects.selectors.contracts import Seat, contracts_with_seat, seat_at

STARS = (F("stars_work") + F("stars_communication") + F("stars_fairness")) / 3.0


# What the three rows of stars mean, by the side that writes.
QUESTIONS: dict[Side, dict[str, str | Promise]] = {
    Side.CLIENT: {
        "stars_work": gettext_lazy("Quality of the work"),
        "stars_communication": gettext_lazy("Communication"),
        "stars_fairness": gettext_lazy("Kept to what was agreed"),
    },
    Side.FREELANCER: {
        "stars_work": gettext_lazy("Clear about what was wanted"),
        "stars_communication": gettext_lazy("Communication"),
        "stars_fairness": gettext_lazy("Kept to what was agreed"),
    },
}


@dataclass(frozen=True)
class Rating:
    """The mean of a party's published reviews, and how many there are."""

    mean: float
    count: int


@dataclass(frozen=True)
class Reviews:
    """Both sides' reviews of a contract, as the reader may see them."""

    seat: Seat
    own: Review | None
    other: Review | None

    @property
    def own_answers(self) -> list[tuple[str, int]]:
        """Question and stars of the reader's own review."""
        return _answers(self.own, self.seat.side)

    @property
    def other_answers(self) -> list[tuple[str, int]]:
        """Question and stars of the other side's review."""
        return _answers(self.other, self.seat.side.other)

    @property
    def url(self) -> str:
        return reverse("projects:review", kwargs={"ref": self.seat.contract.ref})


def _answers(review: Review | None, side: Side) -> list[tuple[str, int]]:
    if review is None:
        return []
    return [(str(QUESTIONS[side][name]), stars) for name, stars in review.stars.items()]


def contract_to_review(user: User, ref: str) -> Reviews:
    """A contract with the reader's own review and, once published, the other side's."""
    contract = contracts_with_seat(user).filter(ref=ref).first()
    if contract is None:
        raise Http404
    seat = seat_at(contract, user)
    by_author = {review.author_id: review for review in contract.reviews.all()}
    other = by_author.get(seat.other.pk)
    return Reviews(
        seat=seat,
        own=by_author.get(seat.mine.pk),
        # Double-blind: until it is published nobody but its author reads it.
        other=other if other and other.published_at else None,
    )


def has_reviewed(seat: Seat) -> bool:
    """Whether the reader's side has written its review."""
    return Review.objects.filter(contract=seat.contract, author=seat.mine).exists()


def ratings_of(parties: Iterable[Party]) -> dict[int, Rating]:
    """Mean and count of published reviews by party id; parties without one are left out."""
    rows = (
        Review.objects.filter(subject__in=[p.pk for p in parties], published_at__isnull=False)
        .values("subject")
        .annotate(average=Avg(STARS), number=Count("pk"))
    )
    return {row["subject"]: Rating(row["average"], row["number"]) for row in rows}


def reviews_of(party: Party, *, after: str = "", limit: int = 10) -> tuple[list[Review], str]:
    """Published reviews of a party with their contracts, newest first, and the next cursor."""
    rows = Review.objects.filter(subject=party, published_at__isnull=False).select_related(
        "author", "contract"
    )
    if after:
        rows = rows.filter(pk__lt=Subquery(Review.objects.filter(ref=after).values("pk")))
    page = list(rows.order_by("-pk")[: limit + 1])
    return page[:limit], page[limit - 1].ref if len(page) > limit else ""
