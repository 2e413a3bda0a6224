"""How amounts, days and the money bar read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone, translation

from marketplace.core import display
from marketplace.core.charts import bar_chart
from marketplace.core.money import Money
from marketplace.core.moneybar import STATES, bar, merged, sentence

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class Part:
    state: str
    money: Money


def eur(minor):
    return Money(minor, "EUR")


def render(text, **context):
    return Template(text).render(Context(context))


@pytest.mark.parametrize(
    ("language", "moving", "whole", "taken"),
    [
        ("en", "€1,100.00", "€1,100", "−€1,100.00"),
        ("de", "1.100,00\u00a0€", "1.100\u00a0€", "−1.100,00\u00a0€"),
    ],
)
def test_money_reads_as_the_language_writes_it(language, moving, whole, taken):
    with translation.override(language):
        assert render("{{ m|money }}", m=eur(1_100_00)) == f'<bdi class="money">{moving}</bdi>'
        assert render("{{ m|money_round }}", m=eur(1_100_00)) == f'<bdi class="money">{whole}</bdi>'
        assert render("{{ m|money_minus }}", m=eur(1_100_00)) == f'<bdi class="money">{taken}</bdi>'
        assert render("{{ m|money_plain }}", m=eur(1_100_00)) == moving


def test_currencies_keep_their_own_decimals():
    assert display.money_text(Money(120_000, "JPY")) == "¥120,000"
    assert display.money_text(Money(1_250, "KWD")).endswith("1.250")


def test_nothing_is_printed_for_no_amount():
    assert render("{{ m|money }}{{ m|money_plain }}{{ m|money_round }}", m=None) == ""


@pytest.mark.parametrize(
    ("language", "low", "high", "text"),
    [
        ("en", eur(3_000_00), eur(4_500_00), "€3,000–4,500"),
        ("de", eur(3_000_00), eur(4_500_00), "3.000–4.500\u00a0€"),
        ("en", eur(850_00), eur(850_00), "€850"),
        ("en", None, eur(850_00), "€850"),
        ("en", None, None, ""),
    ],
)
def test_a_range_carries_its_sign_once(language, low, high, text):
    with translation.override(language):
        assert display.money_range_text(low, high) == text


@time_machine.travel(NOW, tick=False)
def test_days_name_the_year_only_when_it_is_another():
    assert display.day_text(date(2026, 12, 3)) == "Thu 3 Dec"
    assert display.day_text(date(2027, 1, 15)) == "Fri 15 Jan 2027"


@time_machine.travel(NOW, tick=False)
def test_times_are_those_of_the_reader():
    late = datetime(2026, 12, 3, 23, 30, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        assert display.day_text(late) == "Fri 4 Dec"
        assert display.moment_text(late) == "Fri 4 Dec, 00:30"
        html = render("{{ at|when }}", at=late)
    assert 'datetime="2026-12-03T23:30:00+00:00"' in html
    assert "Friday, 4 December 2026" in html or "December 4, 2026" in html


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=-40), "Tue 13 Oct"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_what_is_near_is_told_as_a_distance(gap, text):
    assert display.ago_text(NOW + gap) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [(3, "overdue"), (22, "today"), (23, "1 day left"), (30, "8 days left")],
)
@time_machine.travel(NOW, tick=False)
def test_days_left_are_calendar_days_of_the_reader(day, text):
    assert display.days_left_text(date(2026, 11, day)) == text


@pytest.mark.parametrize(
    ("bps", "text"), [(800, "8%"), (250, "2.5%"), (1_000, "10%"), (0, "0%"), (1_275, "12.75%")]
)
def test_rates_have_no_more_digits_than_they_need(bps, text):
    assert display.percent_text(bps) == text


def test_the_money_bar_is_a_sentence_and_its_widths_fill_it():
    parts = [
        Part("not_funded", eur(700_00)),
        Part("in_review", eur(1_100_00)),
        Part("paid_out", eur(500_00)),
        Part("paid_out", eur(100_00)),
        Part("held", eur(0)),
    ]
    html = bar(parts)

    assert sentence(merged(parts)) == (
        "Of €2,400.00: €600.00 paid out, €1,100.00 held and in review, €700.00 not funded yet"
    )
    assert 'class="seg-paid" x="0%" width="25%"' in html
    assert 'class="seg-review" x="25%" width="45.83%"' in html
    assert 'fill="url(#hatch)" x="70.83%" width="29.17%"' in html
    assert html.count("<rect") == 3
    assert "style=" not in html


def test_an_empty_bar_says_so():
    assert "No money yet" in bar([])


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_money_has_a_word_for_both_sides(state):
    for side in ("hire", "work"):
        assert STATES[state].word(side) in render(
            "{% money_pill state side %}", state=state, side=side
        )


def test_names_in_components_are_escaped():
    party = type("Party", (), {"pk": 1, "name": "<b>x</b>", "kind": "person"})()
    html = render('{% include "components/person.html" with party=party only %}', party=party)
    assert "<b>x" not in html


def test_a_chart_ends_at_a_round_number_and_names_its_extremes():
    rows = [
        type("Row", (), {"label": label, "first": eur(minor), "second": None})()
        for label, minor in (("Oct", 1_390_00), ("Nov", 3_880_00))
    ]
    chart = bar_chart(rows, title="Earnings", first="Paid out")

    assert chart.ticks == ["€4,000", "€3,000", "€2,000", "€1,000", "€0"]
    assert chart.bars[1].first_height == "97.00"
    assert "Lowest Oct with €1,390.00, highest Nov with €3,880.00" in chart.sentence
    assert bar_chart([], title="", first="") is None
