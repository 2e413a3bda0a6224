"""Double-blind reviews after the end."""

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction

from marketplace.core.errors import DomainError, InvalidTransition
from projects.models import Contract, Review
from projects.selectors.reviews import ratings_of
from projects.services import ending, reviews
from tests.projects.work import Work, signed_in

STARS = {"stars_work": 5, "stars_communication": 4, "stars_fairness": 3}


@pytest.fixture
def ended(db, stripe_sandbox):
    """A contract of one milestone, paid and completed."""
    work = Work.build(stripe_sandbox, "600.00")
    work.approved(1)
    work.contract = Contract.objects.get(pk=work.contract.pk)
    return work


def test_the_first_review_stays_hidden_until_the_second_is_in(ended):
    url = f"{ended.contract.get_absolute_url()}review/"

    sent = ended.as_client.post(url, {"text": "Calm and precise work.", **STARS})

    assert sent.status_code == 303
    assert "Calm and precise" not in ended.as_freelancer.get(url).content.decode()
    assert Review.objects.get().published_at is None
    assert ended.freelancer.notices.filter(kind="review_waiting").exists()
    ended.as_freelancer.post(url, {"text": "Knows what they want.", **STARS})
    assert Review.objects.filter(published_at__isnull=False).count() == 2
    assert "Calm and precise" in ended.as_freelancer.get(url).content.decode()
    handle = ended.freelancer.party.profile.handle
    assert (
        "Calm and precise"
        in signed_in(ended.client).get(f"/people/{handle}/reviews/").content.decode()
    )
    assert ratings_of([ended.freelancer.party])[ended.freelancer.party.pk].count == 1


def test_a_lonely_review_is_published_when_the_window_is_over_once(ended):
    reviews.write(ended.contract, by=ended.client, text="Good.", **STARS)
    end = reviews.window_end(ended.contract)

    assert reviews.publish_due() == 0
    with time_machine.travel(end + dt.timedelta(minutes=1)):
        assert (reviews.publish_due(), reviews.publish_due()) == (1, 0)
        with pytest.raises(DomainError, match="time for reviews is over"):
            reviews.write(ended.contract, by=ended.freelancer, text="Late.", **STARS)

    assert Review.objects.get().published_at is not None
    assert ended.freelancer.notices.filter(kind="review_published").count() == 1


def test_one_review_per_side(ended):
    reviews.write(ended.contract, by=ended.client, text="Good.", **STARS)

    with pytest.raises(InvalidTransition):
        reviews.write(ended.contract, by=ended.client, text="Better.", **STARS)
    first = Review.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(
            contract=ended.contract,
            author=first.author,
            written_by=ended.client,
            subject=first.subject,
            text="Twice",
            publish_due_at=first.publish_due_at,
            **STARS,
        )


def test_nobody_reviews_before_the_end_or_without_a_payment(work):
    with pytest.raises(DomainError, match="when the contract has ended"):
        reviews.write(work.contract, by=work.client, text="Good.", **STARS)
    ending.end_early(work.contract, by=work.client)
    contract = Contract.objects.get(pk=work.contract.pk)
    with pytest.raises(DomainError, match="No money was paid"):
        reviews.write(contract, by=work.client, text="Good.", **STARS)


def test_the_form_says_what_is_missing_and_keeps_the_rest(ended):
    url = f"{ended.contract.get_absolute_url()}review/"

    answer = ended.as_client.post(url, {"text": "Calm and precise."})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose one to five stars" in page
    assert "Calm and precise." in page


def test_the_reviewed_side_replies_once_in_public(ended):
    for who in (ended.client, ended.freelancer):
        reviews.write(ended.contract, by=who, text="Good.", **STARS)
    url = f"{ended.contract.get_absolute_url()}review/"

    first = ended.as_freelancer.post(f"{url}reply/", {"reply": "Thank you."})
    second = ended.as_freelancer.post(f"{url}reply/", {"reply": "And again."})

    assert (first.status_code, second.status_code) == (303, 409)
    assert "Thank you." in ended.as_client.get(url).content.decode()
    assert Review.objects.get(author=ended.client.party).reply == "Thank you."


def test_a_review_that_is_not_published_cannot_be_replied_to(ended):
    review = reviews.write(ended.contract, by=ended.client, text="Good.", **STARS)

    with pytest.raises(InvalidTransition):
        reviews.reply(review, by=ended.freelancer, text="Thank you.")
