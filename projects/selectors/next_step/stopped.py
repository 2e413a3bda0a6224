"""Somebody else has a say: the other side, a moderator, a bank."""

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.display import day_text
from projects.models import Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.parts import Action, NextStep, words_of


def disputed(seat: Seat, step: Milestone) -> NextStep:
    """The two disagree."""
    dispute = vars(step)["disputed"]
    answer, decide = (
        parse_datetime(dispute[name]) or clock.now() for name in ("answer_due_at", "decide_due_at")
    )
    words = words_of(seat, step) | {"answer": day_text(answer), "decide": day_text(decide)}
    mine = dispute["opened_for"] == seat.mine.pk
    page = Action(
        _("Open the dispute"), reverse("projects:dispute", args=[dispute["ref"]]), primary=True
    )
    if clock.now() >= answer:
        text = _("A moderator decides by %(decide)s. You two can still settle at any time.")
    elif mine:
        text = _(
            "The other side has until %(answer)s to answer. If you do not settle, a moderator "
            "decides by %(decide)s."
        )
    else:
        text = _(
            "You have until %(answer)s to accept, suggest another split or explain. If you say "
            "nothing, a moderator decides on what is there."
        )
    return NextStep(
        title=_("%(amount)s of “%(title)s” is paused") % words,
        text=text % words,
        icon="scale",
        kind="warn",
        pill=_("Disputed, paused"),
        actions=[page],
        milestone=step,
    )


def frozen(seat: Seat, step: Milestone) -> NextStep:
    """The card payment behind it is questioned."""
    words = words_of(seat, step)
    if seat.is_client:
        text = _(
            "Your bank questions the card payment for it. Until the bank has answered, nobody can "
            "move this money. If it was a mistake, ask your bank to withdraw the claim."
        )
    else:
        text = _(
            "%(client)s’s bank questions the card payment for it. Pause your work on it: until the "
            "bank has answered, nobody can release this money. We send the bank what you delivered "
            "and tell you what it decides."
        )
    return NextStep(
        title=_("%(amount)s of “%(title)s” is on hold") % words,
        text=text % words,
        icon="alert",
        kind="warn",
        pill=_("On hold, payment questioned"),
        milestone=step,
    )
