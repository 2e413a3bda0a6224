"""What similar finished work came to: honest about how much is known, and nobody's own price."""

import re
from math import comb

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Skill
from marketplace.core import clock
from marketplace.core.money import Money
from matching.insight.models import FinishedPrice, UsualMilestone
from matching.insight.prices import (
    Range,
    Sample,
    band,
    median_interval,
    price_range,
    without_dominance,
)
from matching.insight.selectors import prices
from matching.insight.services.nightly import count_night
from payments.models import Hold
from payments.services import policies
from projects.models import Contract, Project
from tests.factories import CompanyFactory, ProjectFactory
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


def test_seven_contracts_are_too_few():
    assert from_eight_on(samples(*euros(*range(100, 800, 100)))) is None


@pytest.mark.parametrize(
    ("number", "told"), [(8, 8), (19, 8), (20, 20), (49, 20), (50, 50), (99, 50), (300, 100)]
)
def test_how_many_there_are_is_told_in_bands(number, told):
    assert band(number, floor=8) == told
    assert band(number + 30, floor=38) >= 38


def test_one_contract_more_is_seen_neither_in_the_numbers_nor_in_the_certainty():
    eight, nine = (from_eight_on(samples(*euros(*[500] * n))) for n in (8, 9))

    assert eight == nine
    assert (nine.contracts, nine.clients, nine.freelancers, nine.sure) == (8, 5, 5, 92)


@pytest.mark.parametrize("few", [{"of_client": 4}, {"of_freelancer": 4}])
def test_four_clients_or_four_freelancers_are_too_few_for_any_number_of_contracts(few):
    assert from_eight_on(samples(*range(1000, 1040), **few)) is None


def test_nobody_is_more_than_a_third_of_a_range():
    others = samples(*euros(*range(1000, 1900, 100)), of_client=9, of_freelancer=9)
    one_client = [Sample(10_00, client=999, freelancer=200 + n) for n in range(50)]

    # 9 others and as many of the one as make a third.
    assert len(without_dominance([*one_client, *others])) == 13
    assert from_eight_on([*one_client, *others]).median == 1200_00
    one_freelancer = [Sample(10_00, client=300 + n, freelancer=999) for n in range(50)]
    assert len(without_dominance([*one_freelancer, *others])) == 13


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
    assert hint("Django").range is None

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
    assert hint("Django", currency="SEK").range is None


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
    finished(*past, euros(*[5] * 10), skills=("HTML",))
    finished(*past, euros(*[5] * 10), skills=("React",))
    count_night()

    assert hint("Django", "Stripe", "HTML").median == Money(1300_00, "EUR")
    assert hint("Django", "HTML").median != Money(1300_00, "EUR")
    assert hint("Django", "HTML", "React").range is None


def test_work_with_more_skills_and_words_in_common_is_nearer(past, monkeypatch):
    finished(*past, euros(*[50] * 10), skills=("Django",), title="Beehive inventory")
    finished(*past, euros(*[70] * 10), skills=("Django",), title="Ticket checkout")
    count_night()
    # With as many contracts as this market has, everything would be near.
    monkeypatch.setattr(prices, "NEAREST", 10)

    assert hint("Django", title="Inventory of our beehives").median == Money(50_00, "EUR")
    assert hint("Django", title="A checkout for tickets").median == Money(70_00, "EUR")
    assert hint("Django", "Stripe", title="").median == Money(1300_00, "EUR")


@pytest.mark.parametrize("clients", [5, 4])
def test_a_skill_adds_nothing_to_a_range_that_it_could_not_have_by_itself(past, clients):
    few = finished(past[0][:clients], past[1], euros(*[1] * (7 if clients == 5 else 12)))
    rare = Skill.objects.get(name="React")
    for each in few:
        each.project.skills.set([rare])
    count_night()

    assert hint("Django", "React").range == hint("Django").range
    assert hint("Django", "React").compared == [Skill.objects.get(name="Django")]
    finished(*past, euros(*[1] * 8), skills=("React",))
    count_night()
    assert hint("Django", "React").range != hint("Django").range


def of_companies(companies, contracts):
    for each, company in zip(contracts, [*companies] * len(contracts), strict=False):
        Contract.objects.filter(pk=each.pk).update(client=company)


def test_five_companies_of_one_person_are_one_client(past):
    boss, partner = past[0][:2]
    companies = [CompanyFactory(by=boss) for _each in range(5)]
    # One of them has a second manager, whose own company is no stranger either.
    companies[0].memberships.create(user=partner, can_manage=True)
    companies.append(CompanyFactory(by=partner))
    made = finished([boss], past[1], euros(*[50] * 12), skills=("React",))
    of_companies(companies, made)
    count_night()

    assert FinishedPrice.objects.filter(contract__in=made).count() == 12
    assert FinishedPrice.objects.filter(contract__in=made).values("client").distinct().count() == 1
    assert hint("React").range is None
    # The ten others are still of five clients, two of which are now the same.
    assert FinishedPrice.objects.exclude(contract__in=made).values("client").distinct().count() == 4


def test_work_for_ones_own_company_says_nothing_about_prices(past):
    company = CompanyFactory(by=past[0][0])
    made = finished(past[0][:1], past[1][:1], euros(1))
    of_companies([company], made)
    assert count_night().prices == 11
    company.memberships.create(user=past[1][0], can_post=True)

    assert count_night().prices == 10


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
    assert "The middle half of 8 or more finished contracts. The middle price is €1,300" in page
    assert "with at least 92 % certainty" in page
    assert "€1,200.00 is within the middle half." in page
    assert "it moves no bid up or down" in page
    assert "€90.00 is below the middle half." in part
    assert "<html" not in part
    assert "middle half" in text_of(Client().get(url, {"amount": "1.2.3,x"}))
    assert "middle half" in text_of(Client().get(url, {"amount": "9\x00"}))


def test_too_few_contracts_are_said_to_be_too_few_and_not_how_many(past):
    FinishedPrice.objects.all().delete()
    finished(*past, euros(*range(1, 8)), skills=("React",))
    count_night()
    project = ProjectFactory(skills=("React",))

    page = text_of(Client().get(price_page(project)))

    assert "Not enough finished contracts like this yet. From 8 on" in page
    assert "Skills that too few finished contracts asked for are not compared." in page
    assert not re.search(r"\b7\b", page.split('id="price-h"')[1].split("</section>")[0])
    assert "€" not in page.split('id="price-h"')[1].split("</section>")[0]


def test_only_a_project_that_takes_bids_is_compared_not_one_whose_price_is_known(past):
    count_night()
    client = past[0][0]
    project = ProjectFactory(by=client, skills=("Django",))
    addresses = price_page(project), f"/api/v1/projects/{project.ref}/price-range/"
    readers = Client(), signed_in(client)

    def answers():
        return {reader.get(url).status_code for reader in readers for url in addresses}

    assert answers() == {200}
    now = clock.now()
    for status in ("draft", "in_progress", "completed", "cancelled"):
        closed = {"closed_at": now} if status in {"completed", "cancelled"} else {}
        Project.objects.filter(pk=project.pk).update(status=status, **closed)
        assert answers() == {404}, status
    Project.objects.filter(pk=project.pk).update(status="open", closed_at=None, expires_at=now)
    assert answers() == {404}


def test_asking_for_ranges_is_limited_on_every_page_and_in_the_api(past, settings):
    project = ProjectFactory(skills=("Django",))
    api = f"/api/v1/projects/{project.ref}/price-range/"
    settings.LIMITS = {"price_range": {"seconds": 3600, "per_user": 9, "per_address": 2}}
    cache.clear()

    statuses = [Client().get(url).status_code for url in (price_page(project), api) * 2]

    cache.clear()
    assert statuses == [200, 200, 429, 429]


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
    assert (few["range"], few["needed"]) == (None, 8)
    assert "contracts" not in few
    told = of_skills["range"]
    assert (told["contracts"], told["clients"], told["freelancers"], told["sure"]) == (8, 5, 5, 92)
    assert [skill["name"] for skill in of_skills["compared"]] == ["Django"]
    assert client.get("/api/v1/price-range/?skill=Django&skill=%00&title=%00").status_code == 200
    assert client.get("/api/v1/price-range/?skill=%00").status_code == 400
    for wrong in ("skill=nobody knows it", "skill=Django&currency=XX", "skill=Django&amount=1e3"):
        assert client.get(f"/api/v1/price-range/?{wrong}").status_code == 400
    assert Client().get("/api/v1/price-range/?skill=Django").status_code == 401


def test_a_range_takes_the_same_few_queries_for_any_number_of_contracts(
    past, django_assert_num_queries
):
    count_night()
    project = ProjectFactory(skills=("Django",))
    with django_assert_num_queries(4):  # skills, policy, skills with enough work, prices
        prices.for_project(project)
    finished(*past, euros(*range(100, 200)), skills=("Django", "Stripe"))
    count_night()
    with django_assert_num_queries(4):
        assert prices.for_project(project).range.contracts == 50
