"""Somebody is asked: whether to call it off, or what becomes of money that sleeps."""

import datetime as dt

from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.display import day_text
from projects.models import Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.parts import Action, NextStep, link, words_of

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
