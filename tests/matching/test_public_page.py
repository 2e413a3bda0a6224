"""The public page tells the method the engine uses."""

from html import unescape

import pytest
from django.template.defaultfilters import floatformat
from django.test import Client
from django.urls import reverse

from matching.engine import index, placing
from matching.engine.weights import digest_of, load_weights
from matching.models import MatchModel
from matching.selectors import attention, method, registry

pytestmark = pytest.mark.django_db


def page():
    answer = Client().get(reverse("pages:matching"))
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def test_every_weight_of_the_engine_has_a_sentence_of_its_own():
    weights = load_weights()

    assert set(weights) <= set(method.TOLD)
    assert len({str(method.TOLD[name]) for name in weights}) == len(weights)


def test_the_page_lists_what_counts_with_its_share_the_weightiest_first():
    weights = load_weights()
    whole = sum(weights.values())
    shown = page()
    places = []
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        share = floatformat(100 * weights[name] / whole)
        places.append(shown.index(f"<li>{method.TOLD[name]} <b>{share} %</b></li>"))

    assert places == sorted(places)
    assert sum(part.share for part in method.parts()) == pytest.approx(100)


def test_the_page_is_silent_about_what_no_longer_counts():
    now = registry.active()
    weights = {**load_weights(), "vote": 0.0, "skills": 4.0}
    now.move_to("retired")
    MatchModel.objects.create(
        status="active", origin="entered", weights=weights, sha256=digest_of(weights), engine="x"
    )

    shown = page()

    assert str(method.TOLD["vote"]) not in shown
    assert str(method.TOLD["skills"]) in shown


def test_the_page_names_the_kept_places_as_the_engine_keeps_them():
    assert tuple(place + 1 for place in placing.KEPT_FOR_NEW) == method.KEPT_PLACES
    assert method.NEW_UP_TO == index.NEW_UP_TO
    assert "places 2, 4, 8 are kept for people with at most 3 past works" in page()


def test_the_page_tells_how_places_are_shared_as_the_engine_shares_them():
    policy = placing.Policy()
    shown = page()

    assert "lists of the last 30 days" in shown
    assert attention.WINDOW.days == 30
    percent = floatformat(100 * (1 / policy.fit_floor - 1))
    assert f"past nobody whose score is more than {percent} % higher" in shown
    assert "In every second list one place from the fifth to the tenth" in shown
    assert (policy.exploring, min(policy.explored) + 1, max(policy.explored) + 1) == (0.5, 5, 10)


def test_the_page_promises_no_sort_that_lists_do_not_have():
    assert "Sort every list" not in page()
