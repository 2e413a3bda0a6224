"""What each side says about the other after the end: double-blind, once."""

import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core import text as core_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from projects.models import Contract, Review
from projects.models.contracts import Side
from projects.services import locks, news
from projects.services.sides import over_money

REPLY_WITHIN = dt.timedelta(days=28)
MOST_STARS = 5
LONGEST, LONGEST_REPLY = 2000, 1000


def window_end(contract: Contract) -> dt.datetime | None:
    """Until when the sides may review; None while the contract runs."""
    if contract.ended_at is None:
        return None
    return contract.ended_at + dt.timedelta(days=contract.policy.review_window_days)


def closed_because(contract: Contract) -> str | None:
    """Why nobody can review this contract now, in a sentence; None when it is open for reviews."""
    end = window_end(contract)
    if end is None:
        return _("You can review each other when the contract has ended.")
    if clock.now() >= end:
        return _("The time for reviews is over.")
    if not contract.milestones.filter(hold__awarded_minor__gt=0).exists():
        return _("No money was paid in this contract, so there is nothing to review.")
    return None


@transaction.atomic
def write(
    contract: Contract,
    *,
    by: User,
    stars_work: int,
    stars_communication: int,
    stars_fairness: int,
    text: str,
    private_note: str = "",
) -> Review:
    """Review the other side, once. Both are published together when the second one is in."""
    contract = locks.contract(contract.pk)
    side = over_money(by, contract)
    end = window_end(contract)
    why_not = closed_because(contract)
    if why_not or end is None:
        raise DomainError(why_not, code="reviews_closed")
    stars = {
        "stars_work": stars_work,
        "stars_communication": stars_communication,
        "stars_fairness": stars_fairness,
    }
    for name, value in stars.items():
        if not 1 <= value <= MOST_STARS:
            raise InvalidInput(_("Choose one to five stars"), field=name)
    words = core_text.short_block(text, limit=LONGEST, field="text")
    if not words:
        raise InvalidInput(_("Say what others should know"), field="text")
    note = core_text.short_block(private_note, limit=LONGEST, field="private_note")
    author, subject = contract.party(side), contract.party(side.other)
    if contract.reviews.filter(author=author).exists():
        raise InvalidTransition(_("You have already reviewed this contract."))
    review = Review.objects.create(
        contract=contract,
        author=author,
        written_by=by,
        subject=subject,
        **stars,
        text=words,
        private_note=note,
        written_at=clock.now(),
        publish_due_at=end,
    )
    audit.record(by, "review.written", review, contract=contract.pk)
    other = contract.reviews.filter(author=subject).first()
    if other is None:
        news.tell(
            contract,
            side.other,
            "review_waiting",
            key=f"review-waiting:{review.ref}",
            url=reverse("projects:review", kwargs={"ref": contract.ref}),
            until=review.publish_due_at,
        )
    else:
        for each in (other, review):
            _publish(each, contract)
    return review


def publish_due() -> int:
    """Publish what waited until the window ended; returns how many. Two sweeps publish once."""
    due = Review.objects.filter(published_at=None, publish_due_at__lte=clock.now())
    return sum(_publish_late(pk) for pk in due.values_list("pk", flat=True)[:200])


@transaction.atomic
def _publish_late(pk: int) -> bool:
    contract = locks.contract(Review.objects.values_list("contract_id", flat=True).get(pk=pk))
    review = Review.objects.filter(pk=pk, published_at=None).first()
    if review is None:
        return False
    _publish(review, contract)
    return True


def _publish(review: Review, contract: Contract) -> None:
    Review.objects.filter(pk=review.pk, published_at=None).update(published_at=clock.now())
    audit.record(None, "review.published", review, rule="both_in_or_window_over")
    side = Side.CLIENT if review.subject_id == contract.client_id else Side.FREELANCER
    news.note(contract, "review.published", of=side.value)
    news.tell(
        contract,
        side,
        "review_published",
        key=f"review-published:{review.ref}",
        url=reverse("projects:review", kwargs={"ref": contract.ref}),
    )


def can_be_replied_to(review: Review | None) -> bool:
    """Whether the reviewed side may still answer it."""
    if review is None or review.published_at is None or review.reply:
        return False
    return clock.now() <= review.published_at + REPLY_WITHIN


@transaction.atomic
def reply(review: Review, *, by: User, text: str) -> None:
    """The reviewed side answers in public, once, within 28 days of publication."""
    contract = locks.contract(review.contract_id)
    side = over_money(by, contract)
    fresh = Review.objects.get(pk=review.pk)
    if contract.party(side).pk != fresh.subject_id:
        raise NotAllowed
    if fresh.published_at is None or fresh.reply:
        raise InvalidTransition
    if clock.now() > fresh.published_at + REPLY_WITHIN:
        raise DomainError(_("Replies are open for 28 days after publication."))
    words = core_text.short_block(text, limit=LONGEST_REPLY, field="reply")
    if not words:
        raise InvalidInput(_("Write your reply"), field="reply")
    Review.objects.filter(pk=fresh.pk, reply="").update(
        reply=words, replied_by=by, replied_at=clock.now()
    )
    audit.record(by, "review.replied", fresh)
    news.tell(
        contract,
        side.other,
        "review_replied",
        key=f"review-replied:{fresh.ref}",
        url=reverse("projects:review", kwargs={"ref": contract.ref}),
    )
