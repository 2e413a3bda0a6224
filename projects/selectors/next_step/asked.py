"""Somebody is asked: whether to call it off, or what becomes of money that sleeps."""

import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.display import day_text
from projects.models import ChangeOrder, Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.parts import Action, NextStep, link, trouble, words_of

S = Milestone.Status
Dormancy = Milestone.Dormancy
# Stages in which somebody is asked what shall become of the money.
ASLEEP = (Dormancy.CLIENT, Dormancy.FREELANCER, Dormancy.ASKED)


def calling_off(seat: Seat, step: Milestone, due: dt.datetime | None) -> NextStep:
    """One side wishes to call it off: the other answers, or time does."""
    words = words_of(seat, step) | {"due": day_text(due or clock.now())}
    if seat.is_client:
        return NextStep(
            title=_("You asked to call off “%(title)s”") % words,
            text=(
                _(
                    "%(freelancer)s has until %(due)s to answer. If they say nothing, everything "
                    "you paid for it comes back to you then."
                )
                if step.status == S.FUNDED
                else _(
                    "%(freelancer)s has until %(due)s to answer. Work was delivered, so silence "
                    "returns nothing: then you two settle, or you open a dispute."
                )
            )
            % words,
            icon="clock",
            kind="plain",
            pill=_("Waiting for an answer"),
            actions=[Action(_("See or take back the request"), link("call-off", step))],
            milestone=step,
        )
    return NextStep(
        title=_("%(client)s asks to call off “%(title)s”. Please answer by %(due)s") % words,
        text=(
            _(
                "If you do nothing, the money goes back to %(client)s then. If you deliver before, "
                "the request is off the table."
            )
            if step.status == S.FUNDED
            else _("You delivered, so nothing goes back without your yes or a decision.")
        )
        % words,
        icon="flag",
        kind="warn",
        pill=_("Your answer is needed"),
        actions=[Action(_("Read and answer"), link("call-off", step), primary=True)],
        milestone=step,
    )


def extra_round(seat: Seat, step: Milestone, ordered: dict[str, Any]) -> NextStep:
    """The included rounds are used up, and the client wants another: a price, an answer, a payment.

    Meanwhile silence does not release the money.
    """
    due = parse_datetime(ordered["due"]) or clock.now()
    words = words_of(seat, step) | {"due": day_text(due)}
    paying = ordered["status"] == ChangeOrder.Status.AGREED
    mine = seat.is_client if paying else ordered["side"] != seat.side
    if paying:
        title, text = (
            _("You agreed on an extra round for “%(title)s”"),
            _("It starts when %(client)s has paid for it. Without a payment by %(due)s it is off."),
        )
    elif ordered["status"] == ChangeOrder.Status.OFFERED:
        title, text = (
            _("%(freelancer)s offers more work on “%(title)s”"),
            _(
                "%(client)s has until %(due)s to answer. Without an answer nothing is added, and "
                "the review goes on."
            ),
        )
    else:
        title, text = (
            _("%(client)s asks for an extra round of changes to “%(title)s”"),
            _(
                "%(freelancer)s has until %(due)s to name a price or say no. Without an answer the "
                "review goes on."
            ),
        )
    url = reverse(
        "projects:change-order", kwargs={"ref": seat.contract.ref, "order": ordered["ref"]}
    )
    actions = [Action(_("Read and answer") if mine else _("Read it"), url, primary=mine)]
    if seat.moves_money:
        actions.append(trouble(step))
    return NextStep(
        title=title % words,
        text=text % words,
        icon="edit",
        kind="warn" if mine else "plain",
        pill=_("Your answer is needed") if mine else _("Waiting for an answer"),
        actions=actions,
        milestone=step,
    )


def dormant(seat: Seat, step: Milestone) -> NextStep:
    """Nobody has done anything for long: what the reader can say, and what silence does."""
    due = step.dormant_due_at or step.custody_ends_at or clock.now()
    words = words_of(seat, step) | {"due": day_text(due)}
    mine = (step.dormant == Dormancy.FREELANCER) != seat.is_client
    text = {
        Dormancy.CLIENT: _(
            "Nobody has done anything for long. %(client)s has until %(due)s to say whether it "
            "goes on. After that %(freelancer)s may ask for the money."
        ),
        Dormancy.FREELANCER: _(
            "%(client)s has not answered. %(freelancer)s has until %(due)s to ask for the money."
        ),
        Dormancy.ASKED: _(
            "%(freelancer)s asks for the money. If %(client)s does not answer by %(due)s, it is "
            "released to %(freelancer)s."
        ),
    }[Dormancy(step.dormant)]
    return NextStep(
        title=_("What shall become of the %(amount)s for “%(title)s”?") % words,
        text=text % words,
        icon="clock",
        kind="warn" if mine else "plain",
        pill=_("Your answer is needed") if mine else _("Waiting for an answer"),
        actions=[Action(_("Read and answer"), link("dormant", step), primary=True)]
        if seat.moves_money
        else [],
        milestone=step,
    )
