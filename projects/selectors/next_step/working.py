"""Held money, and work to come."""

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.display import day_text
from projects.models import Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.asked import ASLEEP, calling_off, dormant
from projects.selectors.next_step.parts import Action, NextStep, link, trouble, words_of

S = Milestone.Status


def funded(seat: Seat, step: Milestone) -> NextStep:
    """Held, and nothing handed over yet."""
    words = words_of(seat, step) | {"due": day_text(step.due_on) if step.due_on else ""}
    if question := vars(step).get("calling_off"):
        return calling_off(seat, step, parse_datetime(question["due"]))
    if step.dormant in ASLEEP:
        return dormant(seat, step)
    very_late = step.very_late_at
    if very_late and very_late <= clock.now():
        return _very_late(seat, step)
    if not seat.is_client:
        return NextStep(
            title=_("Funded, go ahead: %(amount)s is set aside for “%(title)s”") % words,
            text=(
                _("Deliver by %(due)s. After that %(client)s has %(days)s days to approve it.")
                if step.due_on
                else _("When you deliver, %(client)s has %(days)s days to approve it.")
            )
            % words,
            icon="lock",
            kind="good",
            pill=_("Your turn"),
            actions=[Action(_("Deliver for review"), link("deliver", step), primary=True)],
            milestone=step,
        )
    text = (
        _("%(freelancer)s plans to deliver by %(due)s. Then you have %(days)s days to review it.")
        if step.due_on
        else _("When %(freelancer)s delivers, you have %(days)s days to review it.")
    )
    return NextStep(
        title=_("%(amount)s is set aside. %(freelancer)s is working on “%(title)s”") % words,
        text=text % words,
        note=_(
            "If you stop before anything is delivered and %(freelancer)s agrees, everything comes "
            "back to you."
        )
        % words,
        icon="lock",
        kind="plain",
        pill=_("Held"),
        actions=[Action(_("Call it off"), link("call-off", step)), trouble(step)]
        if seat.moves_money
        else [],
        milestone=step,
    )


def _very_late(seat: Seat, step: Milestone) -> NextStep:
    words = words_of(seat, step)
    if seat.is_client:
        return NextStep(
            title=_("“%(title)s” is very late") % words,
            text=_(
                "Nothing was delivered. You may call it off alone and get everything back, wait, "
                "or agree on a new date."
            ),
            icon="clock",
            kind="warn",
            pill=_("Very late"),
            actions=[
                Action(_("Call it off"), link("call-off", step), primary=True),
                Action(_("Propose a new due date"), link("extend", step)),
                trouble(step),
            ]
            if seat.moves_money
            else [],
            milestone=step,
        )
    return NextStep(
        title=_("“%(title)s” is very late. Please deliver it") % words,
        text=_(
            "%(client)s may call it off alone until you deliver or agree on a new date. The "
            "%(amount)s is still set aside."
        )
        % words,
        icon="clock",
        kind="warn",
        pill=_("Your turn"),
        actions=[
            Action(_("Deliver for review"), link("deliver", step), primary=True),
            *(
                [Action(_("Propose a new due date"), link("extend", step))]
                if seat.moves_money
                else []
            ),
        ],
        milestone=step,
    )
