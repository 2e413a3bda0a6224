"""How weights are fitted on labelled outcomes."""

import numpy as np

from bench.matching_fit import FIXED, LEAST, MOST_OF_RECORD, RECORD, Suite, fit
from matching.engine.weights import load_weights

NAMES = tuple(load_weights())
QUERIES, PEOPLE = 60, 15


def outcomes(*, telling, seed):
    """Queries whose winner is, by these features, better than others and by no other."""
    lots = np.random.default_rng(seed)
    features = lots.random((QUERIES, PEOPLE, len(NAMES))).astype(np.float32)
    winners = np.arange(QUERIES) % PEOPLE
    for name in telling:
        features[np.arange(QUERIES), winners, NAMES.index(name)] = 1.0
    gains = np.zeros((QUERIES, PEOPLE))
    gains[np.arange(QUERIES), winners] = 1.0
    everybody = np.ones((1, PEOPLE), dtype=bool)
    return Suite("made up", NAMES, features, gains, np.ones(QUERIES, dtype=bool), everybody)


def fitted(**made):
    suites = [outcomes(seed=seed, **made) for seed in (1, 2)]
    return dict(zip(NAMES, fit(suites), strict=True))


def test_what_tells_weighs_most_and_nothing_weighs_below_zero():
    weights = fitted(telling=["best"])

    assert max(weights, key=weights.__getitem__) == "best"
    assert weights["best"] == 1
    assert weights["vote"] < 0.5
    assert min(weights.values()) >= 0


def test_a_busy_record_is_at_most_a_fifth_however_well_it_tells():
    weights = fitted(telling=["best", *RECORD])

    heard = {n: w for n, w in weights.items() if n not in {"meaning", "meaning_best", "profile"}}
    assert sum(heard[name] for name in RECORD) <= MOST_OF_RECORD * sum(heard.values()) + 1e-9
    assert all(heard[name] > 0 for name in RECORD)


def test_what_a_source_has_no_use_for_does_not_vanish():
    weights = fitted(telling=["title"])

    assert all(weights[name] >= least for name, least in LEAST.items())
    assert {name: weights[name] for name in FIXED} == FIXED
