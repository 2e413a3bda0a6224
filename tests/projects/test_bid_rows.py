"""What the database itself refuses about bids."""

from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Party, User
from marketplace.core import clock
from projects.models import Bid, BidMilestone, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def bid():
    user = User.objects.create_user("ines@example.org", name="Ines")
    client, freelancer = (
        Party.objects.create(kind="person", name=name, currency="EUR") for name in ("C", "F")
    )
    project = Project.objects.create(
        client=client, posted_by=user, title="A site", currency="EUR", description="x"
    )
    return Bid.objects.create(
        project=project,
        freelancer=freelancer,
        sent_by=user,
        price_minor=300_00,
        currency="EUR",
        days=10,
        message="I would start tomorrow.",
        ai_use="no",
    )


@contextmanager
def transaction_to_its_end():
    """Deferred rules speak when it ends, as they would at commit."""
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_milestones_of_a_bid_must_sum_to_its_price(bid):
    with pytest.raises(IntegrityError, match="do not sum"), transaction_to_its_end():
        bid.milestones.create(position=1, title="All", amount_minor=299_99, days=5)


def test_milestones_may_be_written_one_by_one(bid):
    with transaction_to_its_end():
        bid.milestones.create(position=1, title="First", amount_minor=100_00, days=5)
        bid.milestones.create(position=2, title="Second", amount_minor=200_00, days=5)
    assert BidMilestone.objects.count() == 2


def test_a_price_cannot_leave_its_milestones_behind(bid):
    with transaction_to_its_end():
        bid.milestones.create(position=1, title="All", amount_minor=300_00, days=5)
    with pytest.raises(IntegrityError, match="do not sum"), transaction_to_its_end():
        Bid.objects.update(price_minor=400_00)


def test_one_project_has_at_most_one_accepted_bid(bid):
    bid.move_to("accepted", closed_at=clock.now())
    other = Party.objects.create(kind="person", name="G", currency="EUR")
    bid.pk, bid.ref, bid.freelancer = None, "2222222222", other
    bid._state.adding = True
    with pytest.raises(IntegrityError, match="bid_one_accepted"), transaction.atomic():
        bid.save()
