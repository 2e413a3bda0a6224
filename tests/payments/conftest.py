"""Every test of payments has the contract check on; those that ask get a sandbox."""

import pytest

from tests.payments.world import World
from tests.stripe_sandbox import running_sandbox, stripe_sandbox

__all__ = ["running_sandbox", "stripe_sandbox"]


@pytest.fixture(autouse=True)
def _every_request_is_checked(settings):
    """No test sends Stripe a parameter it does not know, nor talks to the real one."""
    settings.STRIPE_CHECK_REQUESTS = True
    if settings.STRIPE_API_BASE is None:
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"


@pytest.fixture
def market(stripe_sandbox):
    """A client and a freelancer with a Stripe between them."""
    return World.build(stripe_sandbox)
