"""Tests of work pay with test money, through a Stripe of their own."""

import pytest

from tests.projects.work import Work
from tests.stripe_sandbox import running_sandbox, stripe_sandbox

__all__ = ["running_sandbox", "stripe_sandbox"]


@pytest.fixture
def work(db, stripe_sandbox) -> Work:
    """A client, a freelancer and a contract of €600, €1,100 and €700 between them."""
    return Work.build(stripe_sandbox)
