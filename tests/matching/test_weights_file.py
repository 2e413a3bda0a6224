"""Which files of weights the engine takes, and how two orders are compared."""

import json
import math

import pytest

from matching.engine.compare import compare
from matching.engine.weights import BadWeights, checked, digest_of, load_weights, read, shipped

SHIPPED = load_weights()


def test_the_weights_that_come_with_the_software_may_be_used_and_say_how_good_they_are():
    assert checked(SHIPPED) == SHIPPED
    # Where this is red, measure the new weights with bench/matching_weights.py.
    assert shipped()["figures_of"] == digest_of(SHIPPED)
    figures = shipped()["figures"]
    assert figures
    assert all(0 < row["ndcg10"] < 1 and row["n"] > 0 for row in figures.values())


def without(name):
    return {key: weight for key, weight in SHIPPED.items() if key != name}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (None, "no weights"),
        ([1.0], "no weights"),
        ({}, "no weights"),
        (without("title"), "No weight for: title"),
        ({**SHIPPED, "nationality": 1.0}, "knows nothing called: nationality"),
        ({**SHIPPED, "vote": -0.1}, "below zero"),
        ({**SHIPPED, "vote": math.nan}, "below zero"),
        ({**SHIPPED, "vote": math.inf}, "larger than"),
        ({**SHIPPED, "vote": 1e300}, "larger than"),
        ({**SHIPPED, "vote": "1.0"}, "not a number"),
        ({**SHIPPED, "vote": True}, "not a number"),
        ({**SHIPPED, "active": 5.0}, "more than a fifth"),
        (dict.fromkeys(SHIPPED, 0.0) | {"best": 1.0}, "only words and skills"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_the_engine_must_not_rank_with_are_refused_with_the_reason(weights, said):
    with pytest.raises(BadWeights, match=said):
        checked(weights)


def test_the_fifth_for_being_busy_holds_where_meaning_does_not_count_too():
    meaning = {"meaning": 100.0, "meaning_best": 100.0, "profile": 100.0}
    with pytest.raises(BadWeights, match="more than a fifth"):
        checked(SHIPPED | meaning | {"active": 2.0})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"weights": []}', '{"weights": {"vote": NaN}}', "[" * 100_000, "\x80\x04."],
    ids=["nothing", "a list", "no key", "no numbers", "not a number", "deep", "a pickle"],
)
def test_only_json_with_weights_is_read(text):
    with pytest.raises(BadWeights):
        read(text)


def test_the_digest_is_of_the_numbers_and_not_of_how_they_were_written():
    turned = dict(reversed(json.loads(json.dumps(dict(SHIPPED))).items()))
    assert digest_of(turned) == digest_of(SHIPPED)
    assert digest_of({"vote": 1}) == digest_of({"vote": 1.0})
    assert digest_of({**SHIPPED, "vote": 1.0000001}) != digest_of(SHIPPED)


# --- Two orders -----------------------------------------------------------------------------


def test_the_same_order_agrees_and_the_reverse_disagrees():
    same = compare("abcde", "abcde", new="a")
    assert (same.listed, same.overlap, same.tau, same.new, same.new_other) == (5, 1.0, 1.0, 1, 1)
    assert compare("abcde", "edcba", new="").tau == -1.0
    assert compare("", "", new="").tau == compare("a", "a", new="").overlap == 1.0
    nothing_shared = compare("ab", "", new="")
    assert (nothing_shared.overlap, nothing_shared.tau) == (0.0, 0.0)


def test_one_exchange_and_one_newcomer_are_counted_as_by_hand():
    # Six pairs of four, one of them turned round: (5 - 1) / 6.
    turned = compare("abcd", "abdc", new="")
    assert turned.tau == pytest.approx(4 / 6)
    # Ten of twelve each; k and l stand eleventh and twelfth of the first, and i and j of the other.
    other = compare("abcdefghijkl", "abcdefghklij", new={"k", "i"})
    assert other.listed == 10
    assert other.overlap == pytest.approx(0.8)
    assert (other.new, other.new_other) == (1, 1)
    # 66 pairs of twelve; those of {i, j} with {k, l} are turned: (62 - 4) / 66.
    assert other.tau == pytest.approx(58 / 66)


def test_whoever_is_in_neither_list_is_tied_behind_all_others():
    # a, b, c: (a before b) holds in both; c is last here and first there; b and c: b is missing
    # there and c stands, so they are turned too.
    found = compare("ab", "ca", new="")
    assert found.overlap == 0.5
    assert found.tau == pytest.approx((1 - 2) / 3)
