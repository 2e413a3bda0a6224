"""What similar finished work came to: honest about how much is known, and nobody's own price."""

import re
from math import comb

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Skill
from marketplace.core import clock
from marketplace.core.money import Money
from matching.insight.models import FinishedPrice, UsualMilestone
from matching.insight.prices import Range, Sample, TooFew, median_interval, price_range
from matching.insight.selectors import prices
from matching.insight.services.nightly import count_night
from payments.models import Hold
from payments.services import policies
from tests.factories import ProjectFactory
from tests.matching.past import euros, finished

TEN = (800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 9000)


def samples(*minors, of_client=5, of_freelancer=5):
    return [
        Sample(minor, client=n % of_client, freelancer=100 + n % of_freelancer)
        for n, minor in enumerate(minors)
    ]


def from_eight_on(found):
    return price_range(found, contracts=8, people=5)


# --- The arithmetic -------------------------------------------------------------------------


def test_quartiles_and_the_interval_of_the_median_are_those_of_the_textbook():
    found = from_eight_on(samples(*euros(*range(100, 2100, 100))))

    assert found == Range(
        contracts=20,
        clients=5,
        freelancers=5,
        low=580_00,  # 575, with two figures left
        median=1100_00,
        high=1500_00,
        median_from=600_00,  # the 6th of 20
        median_to=1500_00,  # and the 15th
        sure=95,
    )


@pytest.mark.parametrize("n", [9, 12, 20, 35, 60])
def test_the_interval_is_the_narrowest_that_is_sure_enough(n):
    first, last, sure = median_interval(n)

    # P(at least first + 1 and at most last of n fair coins), added up the other way round.
    inside = sum(comb(n, k) for k in range(first + 1, last + 1)) / 2**n
    assert sure == pytest.approx(inside)
    assert sure >= 0.95
    narrower = sum(comb(n, k) for k in range(first + 2, last)) / 2**n
    assert narrower < 0.95


def test_with_eight_prices_the_interval_says_that_it_is_less_sure_and_shows_neither_end():
    found = from_eight_on(samples(*euros(10, 200, 300, 400, 500, 600, 700, 9000)))

    assert (found.median_from, found.median_to, found.sure) == (200_00, 700_00, 92)


def test_seven_contracts_are_too_few_and_their_number_is_told():
    assert from_eight_on(samples(*euros(*range(100, 800, 100)))) == TooFew(7)


@pytest.mark.parametrize("few", [{"of_client": 4}, {"of_freelancer": 4}])
def test_four_clients_or_four_freelancers_are_too_few_for_any_number_of_contracts(few):
    assert from_eight_on(samples(*range(1000, 1040), **few)) == TooFew(40)


def test_nobody_is_more_than_a_third_of_a_range():
    others = samples(*euros(*range(1000, 1900, 100)), of_client=9, of_freelancer=9)
    one_client = [Sample(10_00, client=999, freelancer=200 + n) for n in range(50)]

    found = from_eight_on([*one_client, *others])

    # 9 others and as many of the one as make a third.
    assert found.contracts == 13
    assert found.median == 1200_00
    one_freelancer = [Sample(10_00, client=300 + n, freelancer=999) for n in range(50)]
    assert from_eight_on([*one_freelancer, *others]).contracts == 13


def test_amounts_keep_two_figures():
    found = from_eight_on(samples(*range(1234_56, 1234_56 + 8)))

    assert {found.low, found.median, found.high} == {1200_00}


# --- From contracts -------------------------------------------------------------------------


@pytest.fixture
def past(crowd):
    """Ten finished contracts for Django work, between five clients and five freelancers."""
    finished(*crowd, euros(*TEN), skills=("Django", "Stripe"))
    return crowd


def hint(*skills, currency="EUR", title="Ticket checkout"):
    found = [Skill.objects.get(name=name) for name in skills]
    return prices.for_work(found, title=title, currency=currency)


def test_similar_contracts_make_a_range_once_the_night_has_counted_them(past):
    assert hint("Django").contracts == 0

    assert count_night().prices == 10
    found = hint("Django")

    assert found.low == Money(1000_00, "EUR")
    assert found.median == Money(1300_00, "EUR")
    assert found.high == Money(1500_00, "EUR")
    assert (found.range.clients, found.range.freelancers) == (5, 5)
    assert found.place_of(Money(999_00, "EUR")) == "below"
    assert found.place_of(Money(1500_00, "EUR")) == "within"
    assert found.place_of(Money(1500_01, "EUR")) == "above"
    assert found.place_of(Money(1200_00, "USD")) == ""


def test_counting_again_changes_nothing(past):
    count_night()
    before = list(FinishedPrice.objects.order_by("pk").values())

    count_night()

    assert list(FinishedPrice.objects.order_by("pk").values()) == before


def test_another_currency_is_another_market(past):
    finished(*past, euros(*[5] * 9), skills=("Django",), currency="USD")
    count_night()

    assert hint("Django").low == Money(1000_00, "EUR")
    assert hint("Django", currency="USD").median == Money(5_00, "USD")
    assert hint("Django", currency="SEK").contracts == 0


def test_what_ended_today_or_early_or_long_ago_or_for_nothing_or_less_does_not_count(past):
    finished(*past, euros(1), days_ago=0)
    finished(*past, euros(1), status="ended_early")
    finished(*past, euros(1), days_ago=1000)
    [called_off] = finished(*past, euros(1))
    called_off.milestones.update(status="cancelled")
    [settled] = finished(*past, euros(1))
    hold = Hold.objects.create(
        payer=settled.client,
        payee=settled.freelancer,
        amount_minor=100,
        client_fee_minor=0,
        freelancer_fee_minor=0,
        currency="EUR",
        policy=settled.policy,
        label="All of it",
    )
    settled.milestones.update(status="settled", hold=hold)

    assert count_night().prices == 10


def test_a_project_that_asks_for_three_skills_is_compared_with_work_that_shares_two(past):
    count_night()

    assert hint("Django", "Stripe", "HTML").contracts == 10
    assert hint("Django", "HTML", "React").contracts == 0


def test_work_with_more_skills_and_words_in_common_is_nearer(past, monkeypatch):
    finished(*past, euros(*[50] * 10), skills=("Django",), title="Beehive inventory")
    finished(*past, euros(*[70] * 10), skills=("Django",), title="Ticket checkout")
    count_night()
    # With as many contracts as this market has, everything would be near.
    monkeypatch.setattr(prices, "NEAREST", 10)

    assert hint("Django", title="Inventory of our beehives").median == Money(50_00, "EUR")
    assert hint("Django", title="A checkout for tickets").median == Money(70_00, "EUR")
    assert hint("Django", "Stripe", title="").median == Money(1300_00, "EUR")


def test_a_project_is_no_example_for_itself(past):
    [own] = finished(*past, euros(1), skills=("Django", "Stripe"))
    count_night()

    assert prices.for_project(own.project).contracts == 10


def test_the_usual_milestone_of_a_currency_needs_as_many_people_as_a_range(past):
    finished(*past, euros(*[5] * 7), currency="USD")
    finished(past[0][:4], past[1], euros(*[5] * 12), currency="SEK")
    finished([*past[0], *[past[0][0]] * 5], past[1], euros(*[5] * 20), currency="GBP")

    count_night()

    usual = UsualMilestone.objects.get()
    assert (usual.currency, usual.median_minor, usual.milestones) == ("EUR", 1200_00, 10)


@pytest.mark.parametrize("field", ["insight_contracts", "insight_people"])
def test_nobody_can_set_the_floors_lower_than_they_came(db, field):
    policy = policies.current()
    policy.pk, policy.starts_at = None, clock.now()
    setattr(policy, field, getattr(policy, field) - 1)

    with pytest.raises(IntegrityError, match="policy_insight_hides_people"), transaction.atomic():
        policy.save(force_insert=True)


# --- Pages and API --------------------------------------------------------------------------


def signed_in(user, **headers):
    client = Client(headers=headers)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response):
    assert response.status_code == 200
    return " ".join(re.sub("</?bdi[^>]*>", "", response.content.decode()).split())


def price_page(project):
    return reverse("matching:project-price", args=[project.slug, project.ref])


def test_a_bidder_sees_the_range_and_where_their_price_lies(past):
    count_night()
    project = ProjectFactory(skills=("Django",))
    url = price_page(project)

    page = text_of(Client().get(url, {"amount": "1,200"}))
    part = text_of(Client(headers={"hx-request": "true"}).get(url, {"amount": "90"}))

    assert "€1,000–1,500" in page
    assert "The middle half of 10 finished contracts. The middle price is €1,300" in page
    assert "with 97 % certainty" in page
    assert "€1,200.00 is within the middle half." in page
    assert "it moves no bid up or down" in page
    assert "€90.00 is below the middle half." in part
    assert "<html" not in part
    assert "middle half" in text_of(Client().get(url, {"amount": "1.2.3,x"}))


def test_too_few_contracts_are_said_to_be_too_few(past):
    FinishedPrice.objects.all().delete()
    finished(*past, euros(*range(1, 8)), skills=("React",))
    count_night()
    project = ProjectFactory(skills=("React",))

    page = text_of(Client().get(price_page(project)))

    assert "Not enough finished contracts yet: 7 like this. From 8 on" in page
    assert "€" not in page.split('id="price-h"')[1].split("</section>")[0]


def test_a_draft_is_nobody_elses_to_compare(past):
    client = past[0][0]
    draft = ProjectFactory(by=client, published=False)

    assert Client().get(price_page(draft)).status_code == 404
    assert "Your budget is yours to decide" not in text_of(signed_in(client).get(price_page(draft)))


def test_who_posts_finds_the_range_beside_the_budget_from_the_text_alone(past):
    count_night()
    visitor = Client()
    visitor.post("/projects/new/1/", {"title": "A shop", "description": "It runs on Django. " * 9})

    step = text_of(visitor.get("/projects/new/2/"))
    url = reverse("matching:draft-price")
    page = text_of(visitor.get(url))

    assert f'href="{url}"' in step
    assert "€1,000–1,500" in page
    assert "Skills found in your text:" in page
    assert "Your budget is yours to decide" in page
    nothing = Client()
    nothing.post("/projects/new/1/", {"title": "A shop", "description": "For my bees. " * 9})
    assert "nothing to compare with" in text_of(nothing.get(url))


def test_the_api_says_what_the_page_says(past):
    count_night()
    project = ProjectFactory(skills=("Django",))
    client = signed_in(past[0][0])

    of_project = Client().get(f"/api/v1/projects/{project.ref}/price-range/?amount=900").json()
    of_skills = client.get("/api/v1/price-range/?skill=django&currency=EUR").json()
    few = client.get("/api/v1/price-range/?skill=React&currency=SEK").json()

    assert of_project["range"]["median"] == of_skills["range"]["median"] == "1300.00"
    assert of_project["place"] == "below"
    assert (few["range"], few["contracts"], few["needed"]) == (None, 0, 8)
    for wrong in ("skill=nobody knows it", "skill=Django&currency=XX", "skill=Django&amount=1e3"):
        assert client.get(f"/api/v1/price-range/?{wrong}").status_code == 400
    assert Client().get("/api/v1/price-range/?skill=Django").status_code == 401


def test_a_range_takes_the_same_few_queries_for_any_number_of_contracts(
    past, django_assert_num_queries
):
    count_night()
    project = ProjectFactory(skills=("Django",))
    with django_assert_num_queries(3):  # skills, policy, prices
        prices.for_project(project)
    finished(*past, euros(*range(100, 200)), skills=("Django", "Stripe"))
    count_night()
    with django_assert_num_queries(3):
        assert prices.for_project(project).contracts == 60
