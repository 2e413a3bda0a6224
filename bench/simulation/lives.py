"""What people do: hire, pay, deliver, agree, quarrel, fall silent, and call their banks."""

import datetime as dt
import random
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from bench.simulation.statement import Deal
from marketplace.core import clock
from marketplace.core.money import Money
from payments.models import (
    Chargeback,
    FraudWarning,
    Funding,
    Hold,
    Payout,
    PayoutAccount,
    PostingStop,
)
from payments.services import bank_payouts, evidence, payouts, stops, warnings
from payments.services import funding as paying
from projects.models import Contract, Milestone
from projects.services import (
    approvals,
    bidding,
    bonuses,
    choosing,
    deliveries,
    disputes,
    ending,
    funding,
    posting,
    proposals,
)
from projects.services.contracts import MilestonePlan
from projects.services.wanted import Wanted
from tests.stripe_sandbox import (
    AUTHENTICATED_CARD,
    FAILING_REFUND_CARD,
    GOOD_BANK,
    GOOD_CARD,
    OTHER_BANK,
    SLOW_REFUND_CARD,
)

if TYPE_CHECKING:
    from bench.simulation.market import Market

# Yields how long to wait before it goes on.
Life = Generator[dt.timedelta, None, Any]
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "JPY")
HALF_A_DAY = dt.timedelta(hours=12)
# Longer than any clock of the policy.
PATIENCE = 200
BECAUSE = "Both have shown what was agreed and what was delivered. " * 3
CARDS = (GOOD_CARD, AUTHENTICATED_CARD, SLOW_REFUND_CARD, FAILING_REFUND_CARD)
# What becomes of a funded milestone, and how often.
FATES = {
    "approve": 34,
    "silence": 12,
    "changes": 8,
    "lower amount": 10,
    "dispute settled": 6,
    "dispute decided": 6,
    "dispute withdrawn": 3,
    "called off by the freelancer": 4,
    "called off unanswered": 4,
    "called off in agreement": 3,
    "bank before release": 6,
    "fraud warning": 4,
}
# Of what was paid out in full, and of contracts.
BANK_AFTERWARDS, BONUS = 0.15, 0.15


def hours(low: int, high: int, dice: random.Random) -> dt.timedelta:
    return dt.timedelta(hours=dice.randint(low, high))


class Lives:
    """The scripts of a market's people."""

    def __init__(self, market: "Market") -> None:
        self.market = market
        self.press, self.seen, self.stripe = market.press, market.seen, market.stripe
        # The ids of all the banks have opened.
        self.disputes: list[str] = []
        # Payouts the payees' banks have sent back.
        self._sent_back: set[str] = set()
        self._fates: dict[str, Callable[..., Life]] = {
            "approve": self._approve,
            "silence": self._fall_silent,
            "changes": self._ask_for_changes,
            "lower amount": self._agree_on_less,
            "dispute settled": self._quarrel,
            "dispute decided": self._quarrel,
            "dispute withdrawn": self._quarrel,
            "bank before release": self._bank_before_release,
            "fraud warning": self._fraud_warning,
        }

    # --- Freelancers' accounts --------------------------------------------------------------

    def with_an_account(self, freelancer: Any) -> Life:
        """Set up early or when money already waits; spend; lose the account for a while."""
        dice = random.Random(self.market.dice.random())
        yield hours(1, 60 * 24, dice)
        account = None
        while account is None or not account.can_receive:
            self.press(
                lambda: payouts.onboarding_url(
                    freelancer.party,
                    by=freelancer,
                    country="DE",
                    refresh_url="http://127.0.0.1/a",
                    return_url="http://127.0.0.1/b",
                )
            )
            account = PayoutAccount.objects.filter(party=freelancer.party).first()
            if account and account.stripe_id:
                self.stripe.complete_onboarding(account.stripe_id)
                self.press(lambda found=account: payouts.refresh(found))
                account.refresh_from_db()
            yield HALF_A_DAY
        for turn in range(6):
            yield hours(24 * 4, 24 * 25, dice)
            if dice.random() < 0.5:
                self.seen["paid out by schedule"] += len(self.stripe.pay_out(account.stripe_id))
            else:
                self._ask_for_money(account, freelancer, turn, dice)
            if dice.random() < 0.25:
                yield hours(24, 24 * 8, dice)
                self._send_back(account, dice)
            if dice.random() < 0.25:
                yield from self._lose_and_regain(account, dice)

    def _ask_for_money(
        self, account: PayoutAccount, freelancer: Any, turn: int, dice: random.Random
    ) -> None:
        """Press "Pay out now" for a part of what is there."""
        balances = self.stripe.ask("state", account=account.stripe_id)["balances"]
        for currency, (available, _pending) in sorted(balances.items()):
            wanted = Money(dice.randint(0, max(0, available)), currency.upper())
            payout = wanted.minor and self.press(
                lambda wanted=wanted: bank_payouts.pay_out(
                    account, by=freelancer, amount=wanted, key=f"{turn}:{wanted.currency}"
                )
            )
            if payout:
                self.market.statement.asked_for[payout.ref] = wanted
                self.seen["paid out on demand"] += 1

    def _send_back(self, account: PayoutAccount, dice: random.Random) -> None:
        """The bank sends money back, also money that had arrived; the payee gives another bank."""
        left = Payout.objects.filter(
            account=account, status__in=["in_transit", "paid"], stripe_id__gt=""
        )
        names = set(left.values_list("stripe_id", flat=True)) - self._sent_back
        if names:
            name = dice.choice(sorted(names))
            self._sent_back.add(name)
            self.stripe.fail_payout(name)
            self.stripe.change_bank(account.stripe_id, dice.choice((GOOD_BANK, OTHER_BANK)))
            self.seen["payout came back"] += 1

    def _lose_and_regain(self, account: PayoutAccount, dice: random.Random) -> Life:
        """Stripe wants a document; transfers that are due meanwhile fail and wait."""
        self.seen["account restricted"] += 1
        self.stripe.restrict(account.stripe_id)
        yield hours(24, 24 * 12, dice)
        self.stripe.complete_onboarding(account.stripe_id)
        account.can_receive = False
        while not account.can_receive:
            self.press(lambda: payouts.refresh(account))
            account.refresh_from_db()
            yield HALF_A_DAY

    # --- Contracts --------------------------------------------------------------------------

    def with_a_contract(self, number: int) -> Life:
        """One contract, milestone after milestone."""
        dice = random.Random(self.market.dice.random())
        client, freelancer = dice.choice(self.market.clients), dice.choice(self.market.freelancers)
        self._let_publish(client)
        contract = agree(client, freelancer, number, dice)
        for step in contract.milestones.order_by("position"):
            yield hours(1, 48, dice)
            fate = dice.choices(list(FATES), list(FATES.values()))[0]
            deal = yield from self._fund(step, client, freelancer, fate, dice)
            if deal is None:
                self.seen["never funded"] += 1
                return
            self.seen[fate] += 1
            if fate.startswith("called off"):
                awarded = yield from self._call_off(step, client, freelancer, fate, dice)
            else:
                yield from self._deliver(step, freelancer, "All of it.", dice)
                awarded = yield from self._fates[fate](step, client, freelancer, dice, fate=fate)
            yield from self._wait(lambda step=step: _of(step).status in Milestone.ENDED)
            if awarded is None:
                continue
            self.market.statement.ended(deal, awarded=awarded)
            if awarded == deal.amount.minor and fate in {"approve", "silence", "changes"}:
                yield from self._bank_afterwards(step, deal, dice)
        if dice.random() < BONUS:
            yield from self._bonus(contract, client, freelancer, dice)

    def _fund(
        self, step: Milestone, client: Any, freelancer: Any, fate: str, dice: random.Random
    ) -> Life:
        # A bank that disputes does not also lose refunds.
        weights = (6, 3, 0, 0) if fate == "bank before release" else (68, 18, 8, 6)
        card = dice.choices(CARDS, weights)[0]
        for _try in range(8):
            started = self.press(lambda: funding.fund_milestone(step, by=client))
            yield from self._pay(started, card, dice)
            yield hours(12, 60, dice)
            if _of(step).status == Milestone.Status.FUNDED:
                policy = step.contract.policy
                return Deal(client.party, freelancer.party, step.amount, card, policy)
        # Whoever has paid is found by the sweeps, however long that takes.
        yield from self._wait(lambda: not _is_paying(_of(step).hold))
        if _of(step).status != Milestone.Status.FUNDED:
            return None
        return Deal(client.party, freelancer.party, step.amount, card, step.contract.policy)

    def _pay(self, started: Funding | None, card: str, dice: random.Random) -> Life:
        page = started and self.press(lambda: paying.checkout_url(started))
        if not started or not page:
            return
        if dice.random() < 0.08:
            self.seen["page forgotten"] += 1
            return
        if dice.random() < 0.1:
            self.stripe.submit(f"/c/pay/{started.session_id}", card="4000000000000002")
            self.seen["card declined"] += 1
            yield HALF_A_DAY
        # The page may have run out meanwhile; then this does nothing.
        self.stripe.submit(f"/c/pay/{started.session_id}", card=card)
        if dice.random() < 0.5:
            self.press(lambda: paying.confirm(started))

    def _deliver(self, step: Milestone, freelancer: Any, note: str, dice: random.Random) -> Life:
        yield hours(12, 24 * 12, dice)
        self.press(lambda: deliveries.deliver(step, by=freelancer, note=note))
        yield hours(12, 24 * 6, dice)

    # --- Ends of a milestone: how much of it counts as earned; None when the bank took it -----

    def _approve(
        self, step: Milestone, client: Any, _freelancer: Any, dice: random.Random, *, fate: str
    ) -> Life:
        self.press(lambda: approvals.approve(step, by=client))
        yield hours(1, 12, dice)
        return step.amount_minor

    def _fall_silent(
        self, step: Milestone, _client: Any, _freelancer: Any, _dice: random.Random, *, fate: str
    ) -> Life:
        yield HALF_A_DAY
        return step.amount_minor

    def _ask_for_changes(
        self, step: Milestone, client: Any, freelancer: Any, dice: random.Random, *, fate: str
    ) -> Life:
        self.press(lambda: deliveries.ask_for_changes(step, by=client, points="One more page."))
        yield from self._deliver(step, freelancer, "With the page.", dice)
        return (yield from self._approve(step, client, freelancer, dice, fate=fate))

    def _agree_on_less(
        self, step: Milestone, client: Any, freelancer: Any, dice: random.Random, *, fate: str
    ) -> Life:
        less = Money(dice.randint(1, step.amount_minor - 1), step.contract.currency)
        asked = self.press(
            lambda: proposals.propose_part(step, by=client, amount=less, reason="A page less.")
        )
        yield hours(12, 72, dice)
        way = dice.choice(("accepted", "declined", "unanswered"))
        self.seen[f"lower amount {way}"] += 1
        if way == "unanswered":
            # Four days later it lapses, and the review runs out.
            return step.amount_minor
        self.press(lambda: proposals.answer(asked, by=freelancer, accept=way == "accepted"))
        if way == "accepted":
            return less.minor
        return (yield from self._approve(step, client, freelancer, dice, fate=fate))

    def _quarrel(
        self, step: Milestone, client: Any, freelancer: Any, dice: random.Random, *, fate: str
    ) -> Life:
        def part() -> Money:
            ends = (0, step.amount_minor, dice.randint(0, step.amount_minor))
            return Money(dice.choice(ends), step.contract.currency)

        offered = part()
        dispute = self.press(
            lambda: disputes.open_dispute(
                step, by=client, reason="not_as_agreed", body="A part is missing.",
                to_freelancer=offered,
            )
        )  # fmt: skip
        yield hours(12, 72, dice)
        if fate == "dispute settled":
            self.press(lambda: disputes.settle(dispute, by=freelancer))
            return offered.minor
        if fate == "dispute withdrawn":
            self.press(lambda: disputes.withdraw(dispute, by=client))
            return step.amount_minor
        yield dt.timedelta(days=15)
        decided = part()
        self.press(
            lambda: disputes.decide(
                dispute, by=self.market.judge, to_freelancer=decided, reason=BECAUSE
            )
        )
        return decided.minor

    def _call_off(
        self, step: Milestone, client: Any, freelancer: Any, fate: str, dice: random.Random
    ) -> Life:
        yield hours(24, 24 * 20, dice)
        who = freelancer if fate.endswith("by the freelancer") else client
        self.press(lambda: ending.call_off(step, by=who, reason="Our plans have changed."))
        if fate.endswith("in agreement"):
            yield hours(1, 48, dice)
            self.press(lambda: ending.answer(step, by=freelancer, accept=True))
        return 0

    # --- Banks ------------------------------------------------------------------------------

    def _bank_before_release(
        self, step: Milestone, client: Any, freelancer: Any, dice: random.Random, *, fate: str
    ) -> Life:
        # While the bank thinks about an appeal the review could run out: that is the life below.
        won = yield from self._dispute_at_the_bank(_charge_of(step), dice, appeals=0.0)
        if not won:
            return None
        yield from self._wait(lambda: _of(step).status == Milestone.Status.SUBMITTED)
        return (yield from self._approve(step, client, freelancer, dice, fate=fate))

    def _bank_afterwards(self, step: Milestone, deal: Deal, dice: random.Random) -> Life:
        if dice.random() > BANK_AFTERWARDS or deal.card not in {GOOD_CARD, AUTHENTICATED_CARD}:
            return
        self.seen["bank after release"] += 1
        yield hours(1, 24 * 20, dice)
        if not (yield from self._dispute_at_the_bank(_charge_of(step), dice)):
            self.market.statement.taken_back(deal, protected=deal.card == AUTHENTICATED_CARD)

    def _dispute_at_the_bank(
        self, charge: str, dice: random.Random, *, appeals: float = 0.25
    ) -> Life:
        """Whether we win it; half of them are answered, some are opened again."""
        name = self.stripe.charge_back(charge)
        self.disputes.append(name)
        yield from self._wait(lambda: Chargeback.objects.filter(stripe_id=name).exists())
        chargeback = Chargeback.objects.get(stripe_id=name)
        yield hours(12, 24 * 5, dice)
        if dice.random() < 0.5:
            self.press(lambda: evidence.submit(chargeback, by=self.market.judge))
            self.seen["evidence submitted"] += 1
        yield hours(24 * 5, 24 * 25, dice)
        won = dice.random() < 0.5
        self.stripe.end_dispute(name, won=won)
        if won and dice.random() < appeals:
            yield hours(24, 24 * 10, dice)
            self.stripe.appeal(name)
            self.seen["dispute reopened"] += 1
            yield hours(24 * 5, 24 * 15, dice)
            won = dice.random() < 0.5
            self.stripe.end_dispute(name, won=won)
        self.seen["dispute won" if won else "dispute lost"] += 1
        ends = {Chargeback.Status.WON if won else Chargeback.Status.LOST}
        yield from self._wait(
            lambda: Chargeback.objects.filter(stripe_id=name, status__in=ends).exists()
        )
        return won

    def _let_publish(self, client: Any) -> None:
        """A client whose lost dispute others pay for settles it, and staff lift the stop."""
        for stop in PostingStop.objects.filter(payer=client.party, status="active"):
            stops.lift(stop, by=self.market.judge, reason=BECAUSE)
            self.seen["stop lifted"] += 1

    def _fraud_warning(
        self, step: Milestone, client: Any, freelancer: Any, dice: random.Random, *, fate: str
    ) -> Life:
        name = self.stripe.warn_of_fraud(_charge_of(step))
        yield from self._wait(lambda: FraudWarning.objects.filter(stripe_id=name).exists())
        warning = FraudWarning.objects.get(stripe_id=name)
        yield hours(12, 24 * 6, dice)
        self.press(lambda: warnings.lift(warning, by=self.market.judge, reason=BECAUSE))
        return (yield from self._approve(step, client, freelancer, dice, fate=fate))

    # --- On top -----------------------------------------------------------------------------

    def _bonus(self, contract: Contract, client: Any, freelancer: Any, dice: random.Random) -> Life:
        yield hours(1, 24 * 10, dice)
        least = Money.parse("20", contract.currency).minor
        amount = Money(dice.randint(least, 5 * least), contract.currency)
        amount = max(amount, Money.parse("60", contract.currency))
        for _try in range(4):
            started = self.press(lambda: bonuses.give(contract, by=client, amount=amount))
            yield from self._pay(started, GOOD_CARD, dice)
            yield hours(24, 60, dice)
            if contract.bonuses.filter(hold__held_at__isnull=False).exists():
                break
        yield from self._wait(
            lambda: not any(_is_paying(bonus.hold) for bonus in contract.bonuses.all())
        )
        if contract.bonuses.filter(hold__held_at__isnull=False).exists():
            self.seen["bonus"] += 1
            deal = Deal(client.party, freelancer.party, amount, GOOD_CARD)
            self.market.statement.ended(deal, awarded=amount.minor)

    def _wait(self, until: Callable[[], bool]) -> Iterator[dt.timedelta]:
        """Look twice a day; what takes longer than every clock there is fails the run."""
        for _ in range(PATIENCE):
            if until():
                return
            yield HALF_A_DAY
        raise AssertionError("somebody waited for a hundred days, and nothing happened")


def agree(client: Any, freelancer: Any, number: int, dice: random.Random) -> Contract:
    """Post, bid and hire: one to three milestones in one currency."""
    currency = dice.choice(CURRENCIES)
    # Stripe takes no card payment below half a euro, or fifty yen.
    least = Money.parse("60" if currency == "JPY" else "20", currency).minor
    count = dice.choices((1, 2, 3), (6, 3, 1))[0]
    amounts = [Money(dice.randint(least, 40 * least), currency) for _ in range(count)]
    wanted = Wanted(
        title=f"Work number {number}",
        description="Well described, small, and paid by itself when it is done. " * 3,
        currency=currency,
        skills=("Django",),
    )
    project = posting.post(client.party, by=client, wanted=wanted)
    price = Money(sum(amount.minor for amount in amounts), currency)
    bid = bidding.send_bid(
        project, by=freelancer, price=price, days=30, message="One by one.", ai_use="no"
    )
    today = clock.now().date()
    plans = [
        MilestonePlan(f"Part {n}", amount, today + dt.timedelta(days=18 * n))
        for n, amount in enumerate(amounts, 1)
    ]
    return choosing.hire(bid, by=client, milestones=plans, seen_version=bid.version)


def _of(step: Milestone) -> Milestone:
    """The milestone as it is now."""
    return Milestone.objects.select_related("hold").get(pk=step.pk)


def _charge_of(step: Milestone) -> str:
    return Funding.objects.get(parts__hold=_of(step).hold, parts__taken=True).charge_id


def _is_paying(hold: Hold | None) -> bool:
    """Whether a page is open, or paid without our knowing."""
    return Funding.objects.filter(parts__hold=hold, status__in=Funding.RUNNING).exists()
