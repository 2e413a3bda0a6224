"""Specimens for the style guide: every component with invented content, in every state."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.urls import reverse

from marketplace.core import clock
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
from marketplace.core.moneybar import STATES
from marketplace.pages.examples import ExampleParty, ExampleSegment, example_contract

# Colours are CSS classes, because pages carry no inline styles.
SWATCHES = (  # noqa: SIM905 - reads better than a column
    "canvas surface sunken raised line line-strong ink ink-2 ink-3 brand brand-soft brand-ink "
    "accent good-solid good-soft good-ink warn-solid warn-soft warn-ink bad-solid bad-soft "
    "bad-ink focus"
).split()


class SpecimenForm(Form):
    """One field of each kind."""

    title = forms.CharField(
        label="Title",
        help_text="One line a stranger understands.",
        error_messages={"required": "Enter a title for your project"},
    )
    budget = MoneyField(label="Budget", least=Money(50_00, "EUR"))
    days = forms.IntegerField(label="Delivery time", widget=AffixInput(suffix="days"))
    start = forms.DateField(
        label="Start",
        required=False,
        widget=forms.DateInput({"type": "date", "class": "input--w10"}),
    )
    field = forms.ChoiceField(
        label="Field", choices=[("web", "Web and apps"), ("design", "Design")]
    )
    ai = forms.ChoiceField(
        label="Will you use AI tools?",
        help_text="Your answer becomes part of the contract.",
        choices=[("no", "No"), ("assist", "To assist me"), ("ask", "I want to discuss it")],
        widget=Cards(hints={"assist": "I review everything"}),
    )
    parts = forms.MultipleChoiceField(
        label="Which mails?",
        required=False,
        choices=[("money", "Money"), ("messages", "Messages")],
        widget=forms.CheckboxSelectMultiple,
    )
    quality = StarsField(label="Paid and replied on time")
    note = TextField(label="Anything else?", required=False, max_length=120, rows=3)
    uploads = FilesField(
        label="Files", required=False, help_text="PDF, images, ZIP. Up to 25 MB each."
    )
    agree = forms.BooleanField(label="I have read the terms", help_text="They fit on one page.")


def specimens() -> dict[str, Any]:
    """The context of the style guide page."""
    eur = example_contract(currency="EUR", review_days=14)
    months = [date(2026, month, 1) for month in range(1, 13)]
    return {
        "swatches": SWATCHES,
        "states": list(STATES),
        "form": SpecimenForm(
            {"budget": "20", "days": "x", "ai": "assist", "note": "n" * 130, "quality": "4"}
        ),
        "clean_form": SpecimenForm(prefix="clean", initial={"budget": Money(1_200_50, "EUR")}),
        "contract": eur,
        "all_segments": [
            ExampleSegment(state, Money(100_00 * number, "EUR"))
            for number, state in enumerate(STATES, 1)
        ],
        "sums": [
            SimpleNamespace(
                label="Leaves the held amount", money=Money(1_100_00, "EUR"), note="", kind=""
            ),
            SimpleNamespace(
                label="Fee, 8%", money=Money(88_00, "EUR"), note="Paid by Ines", kind="minus"
            ),
            SimpleNamespace(
                label="Ines receives", money=Money(1_012_00, "EUR"), note="", kind="total"
            ),
        ],
        "milestones": _milestones(),
        "messages_of_thread": _thread(eur.freelancer),
        "reasons": _reasons(),
        "rows": [
            SimpleNamespace(
                label=f"{month:%b}",
                first=Money((1 + month.month * 7 % 11) * 350_00, "EUR"),
                second=Money(1_012_00, "EUR") if month.month == 12 else None,
            )
            for month in months
        ],
        "people": [ExampleParty(n, f"Person {chr(64 + n)}") for n in range(1, 7)]
        + [ExampleParty(4, "Museum of Tides", "organisation")],
        "low": Money(3_000_00, "EUR"),
        "high": Money(4_500_00, "EUR"),
        "yen": Money(120_000, "JPY"),
        "now": clock.now(),
        "tomorrow": clock.now() + timedelta(days=1),
        "steps": [
            {"label": "What happened", "state": "done", "url": "#steps"},
            {"label": "Evidence", "state": "done"},
            {"label": "What is fair", "state": "now"},
            {"label": "Check and send", "state": ""},
        ],
        "tabs": [
            {"label": "Overview", "url": "#tabs", "current": True},
            {"label": "Messages", "url": "#tabs", "new": 1},
            {"label": "Files", "url": "#tabs", "count": 7},
        ],
        "crumbs": [("Contracts", "#crumbs"), ("Booking site", "#crumbs")],
        "facts": [
            ("Rights", "Pass to Kiezrad when a milestone is paid"),
            ("Review time", "14 days"),
        ],
        "changes": [
            {"label": "VAT number", "value": "DE 811 204 118", "url": "#facts"},
            {"label": "Reference", "value": "None", "url": "#facts", "link": "Add"},
        ],
        "actions": [
            {
                "label": "Approve and release €1,100.00",
                "url": "#",
                "primary": True,
                "dialog": "approve",
            },
            {"label": "Ask for changes", "url": "#banner"},
        ],
        "chips": [
            {"label": "Fixed price", "url": "#chips"},
            {"label": "From €1,000", "url": "#chips"},
        ],
        "here": reverse("pages:styleguide"),
    }


def _milestones() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            number=1,
            title="Discovery",
            money=Money(600_00, "EUR"),
            state="paid_out",
            done=True,
            now=False,
            meta="Approved 30 Oct",
        ),
        SimpleNamespace(
            number=2,
            title="Design and build",
            money=Money(1_100_00, "EUR"),
            state="in_review",
            done=False,
            now=True,
            meta="Delivered 19 Nov, review until 3 Dec",
        ),
        SimpleNamespace(
            number=3,
            title="Launch",
            money=Money(700_00, "EUR"),
            state="not_funded",
            done=False,
            now=False,
            meta="Planned for 18 Dec",
        ),
    ]


def _thread(author: ExampleParty) -> list[dict[str, Any]]:
    yesterday = clock.now() - timedelta(days=1)
    file = SimpleNamespace(name="hand-over-notes.pdf", size=310_000, url="#f", scan="clean")
    waiting = SimpleNamespace(name="templates.zip", size=2_400_000, url="", scan="pending")
    return [
        {
            "body": "The build is on staging.",
            "sent_at": yesterday,
            "author": author,
            "files": [file, waiting],
        },
        {"event": "Ines delivered milestone 2", "icon": "upload", "sent_at": yesterday},
        {
            "body": "Works nicely.",
            "sent_at": clock.now(),
            "author": author,
            "mine": True,
            "seen": True,
        },
        {"body": "Good catch. Fixed.", "sent_at": clock.now(), "author": author, "is_new": True},
    ]


def _reasons() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            text="4 of 5 skills", detail="Front-end, WCAG 2.2, Django, tests", kind="yes"
        ),
        SimpleNamespace(
            text="Time overlaps in part", detail="You are free from 7 Dec", kind="part"
        ),
        SimpleNamespace(text="Not on your profile: Stripe", detail="", kind="no"),
    ]
