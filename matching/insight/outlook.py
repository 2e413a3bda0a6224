"""What may go wrong with a running contract: points added up, each with its cause and a remedy.

The points are judgement, written down here and on the page; nothing trained them and they are no
probability. They look at dates, counts and states, never at what anybody wrote. Both sides read
the same. Nothing is stored and nothing acts on it: it is worked out when one of the two looks.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# From how many points on a light changes.
TALK = 3
TROUBLE = 6
# Days before a date that count as near.
NEAR = 3
NEAR_TO_FUND = 7
# A message nobody answered for so long, or so many of them.
UNANSWERED_DAYS = 3
UNANSWERED_MANY = 3
MOVED_OFTEN = 2
# So many times the usual milestone is a lot at once.
LARGE = 3


@dataclass(frozen=True)
class Step:
    """A milestone that is not over, as far as the outlook looks at it."""

    number: int
    status: str
    minor: int
    due_on: dt.date | None
    # When its due date has passed; None also when the money came only after that.
    late_at: dt.datetime | None
    changes_asked: int
    review_due_at: dt.datetime | None
    call_off_asked: bool


@dataclass(frozen=True)
class Facts:
    """Dates, counts and states of a contract; no word anybody wrote."""

    now: dt.datetime
    steps: Sequence[Step]
    change_rounds: int
    silence_days: int
    # The last thing anybody did or said.
    last_sign_at: dt.datetime
    # Messages in a row by one side since the other last wrote, and when the first of them came.
    unanswered: int
    unanswered_since: dt.datetime | None
    dates_moved: int
    declined: int
    released_by_silence: int
    disputes_before: int
    # The median milestone of finished contracts in this currency; None where too few are known.
    usual_minor: int | None


@dataclass(frozen=True)
class Rule:
    """A cause in words, what it counts towards each risk, and what would help."""

    code: str
    when: Promise
    delay: int
    dispute: int
    cause: Promise
    remedy: Promise
    # Where the remedy is found: extend, part, talk, mediate, fund, review.
    door: str


@dataclass(frozen=True)
class Cause:
    """A rule that applies, with its figures and the milestone it is about."""

    rule: Rule
    figures: dict[str, Any]
    number: int | None = None

    @property
    def text(self) -> str:
        """What was seen."""
        return str(self.rule.cause) % self.figures

    @property
    def remedy(self) -> str:
        """What would help."""
        return str(self.rule.remedy) % self.figures


@dataclass(frozen=True)
class Outlook:
    """Two sums of points, and every summand."""

    delay: int
    dispute: int
    causes: Sequence[Cause]

    @property
    def delay_level(self) -> str:
        """calm, talk or trouble."""
        return level(self.delay)

    @property
    def dispute_level(self) -> str:
        """calm, talk or trouble."""
        return level(self.dispute)


EXTEND, PART, TALKING, MEDIATE, FUND, REVIEW = "extend", "part", "talk", "mediate", "fund", "review"

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "late",
            _("A milestone is past its due date, its money is held, nothing was delivered"),
            4,
            2,
            _("Milestone %(n)s is past its due date and nothing was delivered yet."),
            _("Agree on a new due date that both can keep."),
            EXTEND,
        ),
        Rule(
            "due_soon",
            _("The due date is three days away or less, nothing was delivered"),
            2,
            0,
            _("Milestone %(n)s is due in %(days)s days or less and nothing was delivered yet."),
            _("If it gets tight, say so now and propose a new due date."),
            EXTEND,
        ),
        Rule(
            "not_funded",
            _("The next milestone is due within seven days and is not funded"),
            2,
            0,
            _("Milestone %(n)s is due within %(days)s days and is not funded."),
            _("Fund it, or move its due date: work starts when the money is held."),
            FUND,
        ),
        Rule(
            "changes_late",
            _("Changes were asked for and the due date has passed"),
            2,
            1,
            _("Changes to milestone %(n)s are open and its due date has passed."),
            _("Agree on a date for the changes, and on which of them belong to this milestone."),
            EXTEND,
        ),
        Rule(
            "silence",
            _("Nobody did or wrote anything for some time while money is held"),
            2,
            1,
            _("Nobody has done or written anything here for %(days)s days."),
            _("Write a line about where you stand."),
            TALKING,
        ),
        Rule(
            "unanswered",
            _("A message waits for three days, or three messages wait"),
            1,
            1,
            _("The newest messages of one side wait for an answer (%(count)s)."),
            _("A short answer is enough, even if it is only a date for the long one."),
            TALKING,
        ),
        Rule(
            "dates_moved",
            _("A new due date was proposed twice or more"),
            2,
            1,
            _("New due dates were proposed %(count)s times."),
            _("Agree on a smaller first delivery instead of one more date."),
            TALKING,
        ),
        Rule(
            "rounds_used",
            _("All agreed rounds of changes are used"),
            1,
            3,
            _("Milestone %(n)s has used %(used)s of %(rounds)s agreed rounds of changes."),
            _("Write down together what is left, and agree on an amount for what is done."),
            PART,
        ),
        Rule(
            "declined",
            _("A proposal was declined"),
            0,
            2,
            _("Proposals about dates or amounts were declined (%(count)s)."),
            _("Say what you could agree to. A person of ours can read along and suggest a way."),
            MEDIATE,
        ),
        Rule(
            "call_off",
            _("The client asked to call a milestone off"),
            1,
            3,
            _("The client asked to call off milestone %(n)s."),
            _("Agree on what is done and what it is worth. A person of ours can help."),
            MEDIATE,
        ),
        Rule(
            "review_ends",
            _("The review time of a delivery ends within three days"),
            0,
            1,
            _("The review time of milestone %(n)s ends within %(days)s days."),
            _("Look at the delivery now: silence releases the money."),
            REVIEW,
        ),
        Rule(
            "released_by_silence",
            _("An earlier milestone was released because its review time ran out"),
            0,
            2,
            _("The review time ran out before without an answer (%(count)s)."),
            _("Agree on when deliveries are looked at."),
            TALKING,
        ),
        Rule(
            "disputed_before",
            _("There was a dispute in this contract before"),
            0,
            3,
            _("There was a dispute in this contract before."),
            _("Take smaller steps, and write down what finished means for the next one."),
            MEDIATE,
        ),
        Rule(
            "large",
            _("The money of one milestone is three times the usual here or more"),
            1,
            1,
            _("Milestone %(n)s is more than %(times)s times the usual milestone here."),
            _("Agree on a first delivery within it, so that you can look early."),
            TALKING,
        ),
    )
}


def level(points: int) -> str:
    """What a sum of points is called."""
    if points >= TROUBLE:
        return "trouble"
    return "talk" if points >= TALK else "calm"


def outlook(facts: Facts) -> Outlook:
    """Every rule that applies, the weightiest first, and the two sums.

    A rule counts once, however many milestones it applies to.
    """
    found = {cause.rule.code: cause for cause in reversed(list(_causes(facts)))}
    order = list(RULES)
    causes = sorted(
        found.values(),
        key=lambda each: (-each.rule.delay - each.rule.dispute, order.index(each.rule.code)),
    )
    return Outlook(
        delay=sum(each.rule.delay for each in causes),
        dispute=sum(each.rule.dispute for each in causes),
        causes=causes,
    )


def _causes(facts: Facts) -> Iterator[Cause]:
    for look in (_dates, _deliveries, _talk, _past):
        yield from look(facts)


def _dates(facts: Facts) -> Iterator[Cause]:
    today = facts.now.date()
    for step in facts.steps:
        left = None if step.due_on is None else (step.due_on - today).days
        if left is None:
            continue
        if step.status == "funded" and step.late_at and step.late_at <= facts.now:
            yield _cause("late", step)
        elif step.status == "funded" and 0 <= left <= NEAR:
            yield _cause("due_soon", step, days=NEAR)
        elif step.status == "changes_requested" and left < 0:
            yield _cause("changes_late", step)
    first = next((step for step in facts.steps if step.status == "planned"), None)
    if first and first.due_on and (first.due_on - today).days <= NEAR_TO_FUND:
        yield _cause("not_funded", first, days=NEAR_TO_FUND)


def _deliveries(facts: Facts) -> Iterator[Cause]:
    for step in facts.steps:
        if step.changes_asked and step.changes_asked >= facts.change_rounds:
            yield _cause("rounds_used", step, used=step.changes_asked, rounds=facts.change_rounds)
        if step.status == "submitted" and _ends_soon(step, facts.now):
            yield _cause("review_ends", step, days=NEAR)
        if step.call_off_asked:
            yield _cause("call_off", step)
        if facts.usual_minor and _is_held(step) and step.minor >= LARGE * facts.usual_minor:
            yield _cause("large", step, times=LARGE)


def _talk(facts: Facts) -> Iterator[Cause]:
    quiet = (facts.now - facts.last_sign_at).days
    if quiet >= facts.silence_days and any(_is_held(step) for step in facts.steps):
        yield _cause("silence", days=quiet)
    since = facts.unanswered_since
    waits = since is not None and (facts.now - since).days >= UNANSWERED_DAYS
    if waits or facts.unanswered >= UNANSWERED_MANY:
        yield _cause("unanswered", count=facts.unanswered)


def _past(facts: Facts) -> Iterator[Cause]:
    if facts.dates_moved >= MOVED_OFTEN:
        yield _cause("dates_moved", count=facts.dates_moved)
    if facts.declined:
        yield _cause("declined", count=facts.declined)
    if facts.released_by_silence:
        yield _cause("released_by_silence", count=facts.released_by_silence)
    if facts.disputes_before:
        yield _cause("disputed_before")


def _cause(code: str, step: Step | None = None, **figures: Any) -> Cause:
    number = step.number if step else None
    return Cause(RULES[code], {"n": number, **figures}, number)


def _is_held(step: Step) -> bool:
    return step.status in {"funded", "submitted", "changes_requested"}


def _ends_soon(step: Step, now: dt.datetime) -> bool:
    """Whether the review time of a delivery is nearly over."""
    ends = step.review_due_at
    return ends is not None and ends - now <= dt.timedelta(days=NEAR)
