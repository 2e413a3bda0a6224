"""Work that was handed over."""

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.core import clock
from marketplace.core.display import day_text, days_left_text
from projects.models import Milestone
from projects.selectors.contracts import Seat
from projects.selectors.next_step.asked import ASLEEP, calling_off, dormant, extra_round
from projects.selectors.next_step.parts import Action, NextStep, link, trouble, words_of


def submitted(seat: Seat, step: Milestone) -> NextStep:
    """Handed over: the client looks at it."""
    if question := vars(step).get("calling_off"):
        return calling_off(seat, step, parse_datetime(question["due"]))
    if ordered := vars(step).get("ordered"):
        return extra_round(seat, step, ordered)
    # The custody stop may come before the end of the review.
    ends = [at for at in (step.review_due_at, step.custody_ends_at) if at]
    due = min(ends, default=clock.now())
    words = words_of(seat, step) | {"due": day_text(due), "left": days_left_text(due)}
    if not seat.is_client:
        return NextStep(
            title=_("You delivered “%(title)s”. It is %(client)s’s turn") % words,
            text=_("If %(client)s does not reply by %(due)s, %(amount)s is released to you.")
            % words,
            icon="eye",
            kind="plain",
            pill=_("In review"),
            actions=[trouble(step)] if seat.moves_money else [],
            milestone=step,
        )
    actions = []
    if seat.moves_money:
        actions.append(
            Action(
                _("Approve and release %(amount)s") % words,
                link("approve", step),
                primary=True,
                dialog="approve",
            )
        )
    if seat.reviews_work:
        actions.append(Action(_("Ask for changes"), link("changes", step)))
    if seat.moves_money:
        actions.append(trouble(step))
    return NextStep(
        title=_("%(freelancer)s delivered “%(title)s”. Please review it by %(due)s.") % words,
        text=_(
            "%(left)s. If you do nothing, the %(amount)s we hold goes to %(freelancer)s on %(due)s."
        )
        % (words | {"left": words["left"][:1].upper() + words["left"][1:]}),
        icon="eye",
        kind="warn",
        pill=_("Waiting for your review"),
        actions=actions,
        milestone=step,
    )


def changes_requested(seat: Seat, step: Milestone) -> NextStep:
    """The freelancer goes on with it."""
    if question := vars(step).get("calling_off"):
        return calling_off(seat, step, parse_datetime(question["due"]))
    if step.dormant in ASLEEP:
        return dormant(seat, step)
    words = words_of(seat, step)
    left = max(0, seat.contract.change_rounds - step.changes_asked)
    if seat.is_client:
        return NextStep(
            title=_("You asked for changes to “%(title)s”") % words,
            text=_(
                "It is %(freelancer)s’s turn. The review time starts anew with the next delivery. "
                "The %(amount)s stays held."
            )
            % words,
            note=ngettext(
                "%(left)s round of changes is left.", "%(left)s rounds of changes are left.", left
            )
            % {"left": left},
            icon="edit",
            kind="plain",
            pill=_("Changes asked for"),
            actions=[trouble(step)] if seat.moves_money else [],
            milestone=step,
        )
    return NextStep(
        title=_("%(client)s asks for changes to “%(title)s”") % words,
        text=_("The %(amount)s stays held for you. Deliver again when it is done.") % words,
        icon="edit",
        kind="warn",
        pill=_("Your turn"),
        actions=[
            Action(_("Deliver again"), link("deliver", step), primary=True),
            *([trouble(step)] if seat.moves_money else []),
        ],
        milestone=step,
    )
