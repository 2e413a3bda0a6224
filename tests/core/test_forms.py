"""Forms: what people type, and what they are told."""

import re

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from marketplace.core.forms import (
    AffixInput,
    Cards,
    FilesField,
    Form,
    MoneyField,
    StarsField,
    TextField,
)
from marketplace.core.money import Money


class BidForm(Form):
    title = forms.CharField(label="Title", help_text="One line.")
    price = MoneyField(label="Price", least=Money(50_00, "EUR"), most=Money(9_000_50, "EUR"))
    days = forms.IntegerField(label="Days", widget=AffixInput(suffix="days"))
    message = TextField(label="Message", max_length=10, required=False)
    ai = forms.ChoiceField(
        label="AI", choices=[("no", "No"), ("ask", "Ask")], widget=Cards(hints={"no": "By hand"})
    )
    agree = forms.BooleanField(label="Agree")
    stars = StarsField(label="Stars", required=False)
    files = FilesField(label="Files", required=False)


FILLED = {"title": "Site", "price": "1,200.50", "days": "3", "ai": "no", "agree": "on"}


def sent(**changes):
    return BidForm(FILLED | changes)


@pytest.mark.parametrize(
    ("language", "typed", "minor"),
    [
        ("en", "€1,200.50", 1_200_50),
        ("en", "1200", 1_200_00),
        ("en", "1,200", 1_200_00),
        ("de", "1.200,50 €", 1_200_50),
        ("de", "1.200", 1_200_00),
        ("en", "1.200,50", 1_200_50),
    ],
)
def test_amounts_are_read_as_people_of_the_language_write_them(language, typed, minor):
    with translation.override(language):
        form = sent(price=typed)
        assert form.is_valid(), form.errors
    assert form.cleaned_data["price"] == Money(minor, "EUR")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Enter an amount, like 1,200 or 1,200.50"),
        ("a lot", "Enter an amount, like 1,200 or 1,200.50"),
        ("-5", "Enter an amount, like 1,200 or 1,200.50"),
        ("20", "Price must be €50 or more"),
        ("9,000.51", "Price must be €9,000.50 or less"),
    ],
)
def test_a_wrong_amount_is_told_how_to_become_right(typed, told):
    assert sent(price=typed).errors["price"] == [told]


def test_an_amount_of_another_currency_is_read_with_its_own_digits():
    form = sent(price="12000")
    form.fields["price"].currency = "JPY"
    form.fields["price"].least = form.fields["price"].most = None

    assert form.is_valid()
    assert form.cleaned_data["price"] == Money(12_000, "JPY")
    assert "¥" in str(form["price"])


def test_one_form_changing_its_currency_leaves_the_next_one_alone():
    BidForm().fields["price"].currency = "JPY"
    assert "€" in str(BidForm()["price"])


def test_money_comes_back_into_the_input_without_its_sign():
    html = str(BidForm(initial={"price": Money(1_200_50, "EUR")})["price"])
    assert 'value="1,200.50"' in html
    with translation.override("de"):
        html = str(BidForm(initial={"price": Money(1_200_50, "EUR")})["price"])
    assert 'value="1.200,50"' in html


def test_nobody_is_told_that_this_field_is_required():
    errors = BidForm({}).errors

    assert errors["title"] == ["Fill in “Title”"]
    assert errors["ai"] == ["Choose an answer for “AI”"]
    assert errors["agree"] == ["Tick “Agree” to go on"]
    assert sent(days="soon").errors["days"] == ["Enter a whole number, like 14"]


def test_text_that_is_too_long_says_by_how_much_and_is_kept():
    form = sent(message="a" * 13)

    assert form.errors["message"] == ["Message is 3 characters too long. The limit is 10"]
    assert "a" * 13 in str(form["message"])
    assert "maxlength" not in str(form["message"])


def test_a_line_break_is_one_character_whatever_the_browser_sends():
    form = sent(message="abcd\r\nefghi")
    assert form.is_valid()
    assert form.cleaned_data["message"] == "abcd\nefghi"


def test_a_field_is_described_by_its_hint_its_error_and_its_counter():
    form = sent(title="", message="a" * 13)
    title, message = form["title"].as_field_group(), form["message"].as_field_group()

    assert 'aria-describedby="id_title_helptext id_title_error"' in title
    assert 'aria-invalid="true"' in title
    assert 'aria-describedby="id_message_error id_message_count"' in message
    for html in (title, message):
        described = re.search(r'aria-describedby="([^"]+)"', html)[1].split()
        assert all(f'id="{name}"' in html for name in described)
    assert title.index("helptext") < title.index("field__error") < title.index("<input")


def test_choices_are_a_fieldset_whose_first_choice_the_error_summary_reaches():
    form = sent(ai="")
    group = form["ai"].as_field_group()

    assert "<legend" in group
    assert "By hand" in group
    assert "aria-invalid" not in group
    assert 'href="#id_ai_0"' in str(form)
    assert 'id="id_ai_0"' in group


def test_the_error_summary_says_the_words_of_the_field():
    html = str(sent(title="", price="20"))

    assert "There are 2 problems to fix" in html
    assert html.count("Fill in “Title”") == 2
    assert html.count("Price must be €50 or more") == 2
    assert "errors" not in str(BidForm())


def test_stars_are_numbers_and_files_are_a_list():
    files = [SimpleUploadedFile("a.pdf", b"a"), SimpleUploadedFile("b.pdf", b"b")]
    form = BidForm(FILLED | {"stars": "4"}, MultiValueDict({"files": files}))

    assert form.is_valid(), form.errors
    assert form.cleaned_data["stars"] == 4
    assert [file.name for file in form.cleaned_data["files"]] == ["a.pdf", "b.pdf"]
    assert sent().is_valid()


def test_only_beside_questions_that_must_be_answered_it_says_optional():
    class Both(Form):
        name = forms.CharField()
        nickname = forms.CharField(required=False)

    class Wishes(Form):
        since = forms.CharField(required=False)

    assert str(Both()["nickname"].as_field_group()).count("(optional)") == 1
    assert "(optional)" not in Both()["name"].as_field_group()
    assert "(optional)" not in Wishes()["since"].as_field_group()
