"""Twenty contracts live through half a year of faults, and every cent is explained."""

import logging

import pytest

from bench.simulation import Market

CONTRACTS, SEED = 20, 1


@pytest.mark.django_db(transaction=True)
def test_after_half_a_year_of_faults_everybody_is_paid_or_refunded_exactly(stripe_sandbox, caplog):
    # It logs every fault, and there are thousands.
    caplog.set_level(logging.CRITICAL)
    market = Market(stripe_sandbox, contracts=CONTRACTS, seed=SEED)
    market.run()
    assert market.unexplained() == [], f"seed {SEED}"
    # It was no quiet half year.
    for kind in ("card declined", "webhook lost", "webhook twice", "worker died"):
        assert market.seen[kind], kind
