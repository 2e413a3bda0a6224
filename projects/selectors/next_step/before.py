"""Before there is work: nothing is held yet."""

from django.utils.translation import gettext as _

from projects.models import Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.parts import Action, NextStep, link, words_of


def planned(seat: Seat, step: Milestone) -> NextStep:
    """Agreed, and not paid for."""
    words = words_of(seat, step)
    if seat.is_client:
        return NextStep(
            title=_("Set aside %(amount)s so that %(freelancer)s can start “%(title)s”") % words,
            text=_(
                "You pay now. We hold the money until you approve the work. Until then "
                "nothing happens and you owe nothing."
            ),
            icon="lock",
            pill=_("Waiting for your payment"),
            actions=[Action(_("Fund this milestone"), link("fund", step), primary=True)]
            if seat.moves_money
            else [],
            milestone=step,
        )
    return NextStep(
        title=_("“%(title)s” is not funded yet") % words,
        text=_("If you start now, there is no money behind it. It is %(client)s’s turn to pay.")
        % words,
        icon="ring",
        kind="plain",
        pill=_("Not funded, do not start"),
        actions=[
            Action(_("Ask %(client)s to fund it") % words, link("ask-to-fund", step), method="post")
        ],
        milestone=step,
    )


def funding(seat: Seat, step: Milestone) -> NextStep:
    """A payment has been started."""
    words = words_of(seat, step)
    if seat.is_client:
        return NextStep(
            title=_("The payment for “%(title)s” has been started") % words,
            text=_(
                "If you have not paid yet, go on to Stripe. If you have, we are waiting for "
                "Stripe’s answer. If nothing arrives within a day, no money has moved and you can "
                "try again."
            ),
            icon="clock",
            pill=_("Payment on its way"),
            actions=[Action(_("Go on"), link("fund", step), primary=True)],
            milestone=step,
        )
    return NextStep(
        title=_("%(client)s is paying for “%(title)s”") % words,
        text=_("Wait until the money is here. We tell you at once."),
        icon="clock",
        kind="plain",
        pill=_("Payment on its way"),
        milestone=step,
    )
