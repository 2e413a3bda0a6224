"""From an accepted bid to a contract, and from its last milestone to its end."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import InvalidInput
from marketplace.core.money import Money, exponent
from payments.models import PlatformPolicy
from payments.services import policies
from projects import signals
from projects.models import Bid, ChangeOrder, Contract, Milestone, Project
from projects.models.projects import AiPolicy
from projects.services import news
from projects.services.change_orders import closing

MOST_MILESTONES = 20
LONGEST_TITLE = 120
# The rule that ends a hold which has lasted too long.
CUSTODY_RULE = "2.1 custody stop"


@dataclass(frozen=True)
class MilestonePlan:
    """A step of the work, as the two agree on it."""

    title: str
    amount: Money
    due_on: dt.date | None = None


def plan_problem(
    price: Money, milestones: Sequence[MilestonePlan], policy: PlatformPolicy
) -> str | None:
    """What is wrong with the plan for that price, in a sentence; None when nothing is."""
    if not 1 <= len(milestones) <= MOST_MILESTONES:
        return _("Plan between 1 and %(most)s milestones") % {"most": MOST_MILESTONES}
    least = Money(policy.smallest_amount * 10 ** exponent(price.currency), price.currency)
    for step in milestones:
        if problem := _step_problem(step, least):
            return problem
    return _sum_problem(price, milestones)


def refuse_too_long(milestones: Sequence[MilestonePlan], policy: PlatformPolicy) -> None:
    """Raise InvalidInput when a milestone is planned for longer than money may wait (rule 2.1).

    A milestone is expected to be funded when the one before it is due, the first one today. The
    error's field names the milestone: "milestones.2.due_on".
    """
    start = clock.now().date()
    for number, step in enumerate(milestones, 1):
        if step.due_on is None:
            continue
        if step.due_on - start > dt.timedelta(days=policy.milestone_longest_days):
            raise InvalidInput(
                _(
                    "Milestone %(number)s must be split: it is planned for more than %(days)s "
                    "days, longer than we may hold money for it"
                )
                % {"number": number, "days": policy.milestone_longest_days},
                field=f"milestones.{number}.due_on",
                code="too_long",
            )
        start = max(start, step.due_on)


def _step_problem(step: MilestonePlan, least: Money) -> str | None:
    if not step.title.strip():
        return _("Give each milestone a title")
    if len(step.title) > LONGEST_TITLE:
        return _("A milestone title must be %(most)s characters or fewer") % {"most": LONGEST_TITLE}
    if step.amount.currency != least.currency:
        return _("Milestones must be in %(currency)s") % {"currency": least.currency}
    if step.amount < least:
        return _("Each milestone must be %(least)s or more") % {"least": money_text(least)}
    if step.due_on is not None and step.due_on < clock.now().date():
        return _("Delivery dates must be today or later")
    return None


def _sum_problem(price: Money, milestones: Sequence[MilestonePlan]) -> str | None:
    total = Money(sum(step.amount.minor for step in milestones), price.currency)
    if total == price:
        return None
    words = {
        "total": money_text(total),
        "price": money_text(price),
        "gap": money_text(price - total if total < price else total - price),
    }
    if total < price:
        return (
            _(
                "Milestones add up to %(total)s. The agreed price is %(price)s, "
                "so %(gap)s is missing"
            )
            % words
        )
    return (
        _("Milestones add up to %(total)s. The agreed price is %(price)s, so %(gap)s is too much")
        % words
    )


@transaction.atomic
def draw_up(bid: Bid, *, by: User, milestones: Sequence[MilestonePlan]) -> Contract:
    """Make the contract of an accepted bid: milestones, terms in words, first line of history.

    The caller has locked project and bid and moved them. Raises InvalidInput when the milestones
    do not sum to the price.
    """
    contract = _contract_of(bid, by=by)
    if problem := plan_problem(bid.price, milestones, contract.policy):
        raise InvalidInput(problem, field="milestones")
    refuse_too_long(milestones, contract.policy)
    contract.terms = terms_text(contract, milestones)
    contract.terms_sha256 = hashlib.sha256(contract.terms.encode()).hexdigest()
    contract.save(force_insert=True)
    Milestone.objects.bulk_create(
        Milestone(
            contract=contract,
            position=position,
            title=step.title.strip(),
            amount_minor=step.amount.minor,
            due_on=step.due_on,
        )
        for position, step in enumerate(milestones, 1)
    )
    audit.record(
        by,
        "contract.agreed",
        contract,
        bid=bid.pk,
        bid_version=bid.version,
        price_minor=contract.price_minor,
        currency=contract.currency,
        terms_sha256=contract.terms_sha256,
    )
    news.note(contract, "contract.agreed", by=by, amount=contract.price)
    return contract


def terms_before(bid: Bid, *, by: User, milestones: Sequence[MilestonePlan]) -> str:
    """The terms as they would be now, for the client to read before agreeing."""
    contract = _contract_of(bid, by=by)
    contract.ref = ""  # it gets its number when both have agreed
    return terms_text(contract, milestones)


def _contract_of(bid: Bid, *, by: User) -> Contract:
    policy = policies.current()
    return Contract(
        project=bid.project,
        bid=bid,
        client=bid.project.client,
        freelancer=bid.freelancer,
        policy=policy,
        title=bid.project.title,
        price_minor=bid.price_minor,
        currency=bid.currency,
        review_days=policy.review_days,
        change_rounds=policy.change_rounds,
        ai_policy=bid.project.ai_policy,
        ai_use=bid.ai_use,
        freelancer_agreed_by=bid.sent_by,
        freelancer_agreed_at=bid.edited_at or bid.sent_at,
        client_agreed_by=by,
        client_agreed_at=clock.now(),
        created_at=clock.now(),
    )


def terms_text(contract: Contract, milestones: Sequence[MilestonePlan]) -> str:
    """What both agree to, in plain English. Also shown before the client agrees."""
    policy = contract.policy
    # The one text that is not in the reader's language: its digest is what both agreed to.
    with translation.override("en"):
        return render_to_string(
            "projects/terms.txt",
            {
                "site_name": settings.SITE_NAME,
                "custody": settings.CUSTODY_SENTENCE,
                "ref": contract.ref,
                "title": contract.title,
                "client": contract.client,
                "freelancer": contract.freelancer,
                "agreed_on": contract.client_agreed_at.date(),
                "project_ref": contract.project.ref,
                "bid_ref": contract.bid.ref,
                "price": contract.price,
                "milestones": milestones,
                "review_days": contract.review_days,
                "change_rounds": contract.change_rounds,
                "ai_policy": AiPolicy(contract.ai_policy).label,
                "ai_use": Bid.AiUse(contract.ai_use).label,
                "client_fee_bps": policy.client_fee_bps,
                "freelancer_fee_bps": policy.freelancer_fee_bps,
                "cancel_hours": policy.cancel_answer_hours,
                "end_days": policy.end_answer_days,
                "give_back_days": policy.give_back_days,
                "dormant_days": policy.dormant_days,
                "dormant_notices": (
                    policy.dormant_first_notice_days,
                    policy.dormant_last_notice_days,
                ),
                "dormant_turns": (
                    policy.dormant_client_days,
                    policy.dormant_freelancer_days,
                    policy.dormant_answer_days,
                ),
                "loss_limit": ""
                if policy.protected_loss_limit is None
                else money_text(Money.parse(str(policy.protected_loss_limit), contract.currency)),
                "late_hours": policy.very_late_hours,
                "custody_days": policy.deposit_max_days,
                "custody_warnings": (
                    policy.custody_first_warning_days,
                    policy.custody_last_warning_days,
                ),
                "proposal_days": policy.proposal_answer_days,
                "answer_days": policy.dispute_answer_days,
                "decision_days": policy.dispute_decision_days,
                "review_window": policy.review_window_days,
            },
        )


def end_if_over(contract: Contract, *, by: User | None) -> None:
    """End the contract once every milestone has ended; otherwise do nothing.

    The caller holds the locks of project and contract. `by=None` when a rule ended the last one.
    """
    steps = list(
        contract.milestones.values_list("status", "hold__awarded_minor", "change_order__status")
    )
    if any(status not in Milestone.ENDED for status, _awarded, _order in steps):
        return
    closing.overtake_all(contract, by=by)
    paid = sum(awarded or 0 for _status, awarded, _order in steps) > 0
    # What was added and never paid was never in force: without it the contract is as whole.
    agreed = [status for status, _awarded, order in steps if order not in ChangeOrder.OFF]
    whole = paid and all(status != Milestone.Status.CANCELLED for status in agreed)
    now = clock.now()
    contract.move_to(
        Contract.Status.COMPLETED if whole else Contract.Status.ENDED_EARLY, ended_at=now
    )
    contract.project.move_to(
        Project.Status.COMPLETED if paid else Project.Status.CANCELLED, closed_at=now
    )
    audit.record(by, "contract.ended", contract, outcome=contract.status, paid=paid)
    news.note(contract, f"contract.{contract.status}", by=by)
    news.tell_both(
        contract,
        "contract_ended",
        key=f"contract-ended:{contract.ref}",
        paid=paid,
        whole=whole,
        days=contract.policy.review_window_days,
    )
    signals.contract_ended.send(Contract, contract=contract)
