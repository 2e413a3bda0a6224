"""What can happen next with held money, in words for those who keep the books."""

import datetime as dt
from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core.display import money_text
from payments.models import Hold
from payments.selectors.trail import Prospect
from projects.models import Bonus, Cancellation, Dispute, Milestone

S = Milestone.Status
D = Milestone.Dormancy
# What the next step of a milestone nobody works on does (rule M11).
ASLEEP = {
    D.AWAKE: gettext_lazy("If nothing moves, both are asked what should become of it"),
    D.FIRST: gettext_lazy("If nothing moves, both are asked what should become of it"),
    D.LAST: gettext_lazy("If nothing moves, both are asked what should become of it"),
    D.CLIENT: gettext_lazy("If %(client)s says nothing, %(freelancer)s is asked"),
    D.FREELANCER: gettext_lazy("If %(freelancer)s says nothing, it goes back to %(client)s"),
    D.ASKED: gettext_lazy("If %(client)s does not answer, it goes to %(freelancer)s"),
}


def of_hold(hold: Hold) -> list[Prospect]:
    """What ends the holding of this money, soonest first; empty when it is not for our work."""
    milestone = (
        Milestone.objects.filter(hold=hold)
        .select_related("contract__client", "contract__freelancer", "contract__policy", "hold")
        .first()
    )
    if milestone is not None:
        found = _of_milestone(milestone)
    elif (bonus := Bonus.objects.filter(hold=hold).first()) and bonus.release_due_at:
        found = [Prospect(_("The bonus is released"), bonus.release_due_at)]
    else:
        found = []
    with_time = sorted((one for one in found if one.at), key=lambda one: str(one.at))
    return with_time + [one for one in found if not one.at]


def _of_milestone(milestone: Milestone) -> list[Prospect]:
    if milestone.status not in TELLERS:
        return []
    found = TELLERS[milestone.status](milestone)
    if milestone.status in Milestone.HELD:
        found += [
            Prospect(
                _("Without an answer to the wish to call it off, its rule decides"),
                asked.answer_due_at,
            )
            for asked in milestone.cancellations.filter(status=Cancellation.Status.OPEN)
        ]
    if stop := milestone.custody_ends_at:
        found.append(Prospect(_at_the_stop(milestone), stop))
    return found


def _at_the_stop(milestone: Milestone) -> str:
    words = _words(milestone)
    if milestone.status in {S.DISPUTED, S.FROZEN}:
        return _("It may not stay with us longer: a person decides at once")
    if milestone.status == S.FUNDED:
        return _("It may not stay with us longer: it goes back to %(client)s") % words
    return _("It may not stay with us longer: it goes to %(freelancer)s") % words


def _funded(milestone: Milestone) -> list[Prospect]:
    words = _words(milestone)
    found = [Prospect(_("%(freelancer)s delivers; then %(client)s reviews it") % words)]
    if very_late := milestone.very_late_at:
        text = _("Without a delivery %(client)s may call it off alone and gets all of it back")
        found.append(Prospect(text % words, very_late))
    return found + _asleep(milestone)


def _submitted(milestone: Milestone) -> list[Prospect]:
    text = _("If %(client)s does not answer, %(amount)s is released to %(freelancer)s")
    return [Prospect(text % _words(milestone), milestone.review_due_at)]


def _changes_requested(milestone: Milestone) -> list[Prospect]:
    text = _("%(freelancer)s delivers again; then the review starts anew")
    return [Prospect(text % _words(milestone)), *_asleep(milestone)]


def _disputed(milestone: Milestone) -> list[Prospect]:
    dispute = Dispute.objects.filter(milestone=milestone, ended_at=None).first()
    if dispute is None:
        return []
    words = _words(milestone) | {"ref": dispute.ref}
    return [
        Prospect(_("The other side answers dispute %(ref)s, or both settle") % words)
        if dispute.status == "open"
        else Prospect(_("Dispute %(ref)s is with a person") % words),
        Prospect(
            _("A person decides dispute %(ref)s at the latest") % words, dispute.decide_due_at
        ),
    ]


def _frozen(_milestone: Milestone) -> list[Prospect]:
    return [Prospect(_("The cardholder’s bank decides whether the payment stands"))]


TELLERS: dict[str, Callable[[Milestone], list[Prospect]]] = {
    S.FUNDED: _funded,
    S.SUBMITTED: _submitted,
    S.CHANGES_REQUESTED: _changes_requested,
    S.DISPUTED: _disputed,
    S.FROZEN: _frozen,
}


def _asleep(milestone: Milestone) -> list[Prospect]:
    at: dt.datetime | None = milestone.dormant_due_at
    if at is None or milestone.dormant not in ASLEEP:
        return []
    return [Prospect(str(ASLEEP[D(milestone.dormant)]) % _words(milestone), at)]


def _words(milestone: Milestone) -> dict[str, str]:
    contract = milestone.contract
    return {
        "client": contract.client.name,
        "freelancer": contract.freelancer.name,
        "amount": money_text(milestone.amount),
    }
