"""Half a year of a market under faults, at the end of which every cent must be explained.

    .venv/bin/python bench/money_simulation.py [--quick] [--contracts N] [--seed S]

Clients hire, pay, forget to pay, approve, fall silent, call off, quarrel; freelancers deliver late
or never. Meanwhile Stripe's webhooks come twice, late, in the wrong order or not at all, and its
API answers with errors before or after it has done the work, or not at all. Time is simulated; the
services, PostgreSQL and the sandbox are real. Prints one JSON line per figure and ends with 1 if
anything is unexplained. The first 200 contracts are part of the tests.
"""

import argparse
import contextlib
import datetime as dt
import heapq
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.database import migrated_database  # noqa: E402
from marketplace.devstack.postgres import APP  # noqa: E402

if TYPE_CHECKING:
    from projects.models import Contract, Milestone
    from tests.stripe_sandbox import StripeSandbox, Webhook

TICK = dt.timedelta(hours=12)
DAYS = 180
# In ticks; the task looks three days back.
RECONCILES_EVERY = 4
# After the last act everything must have ended by itself within this.
AFTERWARDS = dt.timedelta(days=60)
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "JPY")
# What the operator puts on the balance: Stripe keeps its fee of what is refunded.
OPERATORS_MONEY = 10_000_000
FAULTS = ("error_before", "error_after", "drop_before", "drop_after", "rate_limit", "lock_timeout")
# Each is repeated once by the SDK, so two in a row are one that is seen.
SEEN = 2

Life = Iterator[dt.timedelta]


def hours(low: int, high: int, dice: random.Random) -> dt.timedelta:
    return dt.timedelta(hours=dice.randint(low, high))


class Market:
    """The people, their contracts and what goes wrong between them."""

    def __init__(self, stripe: "StripeSandbox", *, contracts: int, seed: int) -> None:
        self.stripe = stripe
        self.dice = random.Random(seed)
        self.contracts = contracts
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.begin = self.now
        self.seen: Counter[str] = Counter()
        self.late: list[tuple[dt.datetime, Webhook]] = []
        self._waiting: list[tuple[dt.datetime, int, Life]] = []
        self._born = self._ticks = 0

    # --- Time -------------------------------------------------------------------------------

    def run(self) -> None:
        """Live through half a year, then wait until nothing is under way."""
        from marketplace.core import clock

        with clock.moved_to(self.now):
            self._open()
        for number in range(self.contracts):
            self._wake_at(self.begin + TICK * (number * 220 // self.contracts), self.life(number))
        last = self.begin + dt.timedelta(days=DAYS)
        while self.now < last or (self._waiting and self.now < last + AFTERWARDS):
            self.tick(faults=True)
        calm = self.now + AFTERWARDS
        while self.now < calm and (self.under_way() or self.late):
            self.tick(faults=False)

    def tick(self, *, faults: bool) -> None:
        """Twelve hours: people act, Stripe reports, workers work."""
        from marketplace.core import clock

        self.now += TICK
        self._move_sandbox()
        with clock.moved_to(self.now):
            if faults and self.dice.random() < 0.3:
                self._break_something()
            while self._waiting and self._waiting[0][0] <= self.now:
                _at, _number, life = heapq.heappop(self._waiting)
                with contextlib.suppress(StopIteration):
                    self._wake_at(self.now + next(life), life)
            self._hear(faults=faults)
            self._work()

    def _wake_at(self, at: dt.datetime, life: Life) -> None:
        self._born += 1
        heapq.heappush(self._waiting, (at, self._born, life))

    def _move_sandbox(self) -> None:
        there = self.stripe.ask("clock", seconds=0)["now"]
        self.stripe.move_clock(int(self.now.timestamp()) - there)

    # --- People -----------------------------------------------------------------------------

    def _open(self) -> None:
        from marketplace.core.money import Money
        from tests.factories import StaffFactory, UserFactory

        pairs = max(2, self.contracts // 8)
        self.clients = [UserFactory(side="hire") for _ in range(pairs)]
        self.freelancers = [UserFactory() for _ in range(pairs)]
        self.judge = StaffFactory()
        for currency in sorted(set(CURRENCIES)):
            self.stripe.add_money(Money(OPERATORS_MONEY, currency), kind="topup")
        for freelancer in self.freelancers:
            self._wake_at(self.now + hours(1, 60 * 24, self.dice), self._connect(freelancer))

    def _connect(self, freelancer: Any) -> Life:
        """Some set up their payouts early, some when the money already waits."""
        from payments.models import PayoutAccount
        from payments.services import payouts

        while True:
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
                if account.can_receive:
                    return
            yield TICK

    def life(self, number: int) -> Life:
        """One contract, milestone after milestone."""
        dice = random.Random(self.dice.random())
        client, freelancer = dice.choice(self.clients), dice.choice(self.freelancers)
        contract = _agree(client, freelancer, number, dice)
        for step in contract.milestones.order_by("position"):
            yield hours(1, 48, dice)
            yield from self._fund(step, client, dice)
            step.refresh_from_db()
            if step.status != step.Status.FUNDED:
                self.seen["never funded"] += 1
                return
            yield from self._work_on(step, client, freelancer, dice)

    def _fund(self, step: "Milestone", client: Any, dice: random.Random) -> Life:
        from payments.services import funding as paying
        from projects.services import funding

        for _try in range(6):
            started = self.press(lambda: funding.fund_milestone(step, by=client))
            page = started and self.press(lambda s=started: paying.checkout_url(s))
            if page:
                yield from self._pay(started, dice)
            yield hours(12, 40, dice)
            step.refresh_from_db()
            if step.status == step.Status.FUNDED:
                return

    def _pay(self, started: Any, dice: random.Random) -> Life:
        from payments.services import funding as paying

        if dice.random() < 0.08:
            self.seen["page forgotten"] += 1
            return
        if dice.random() < 0.1:
            self.stripe.decline(started.session_id)
            self.seen["card declined"] += 1
            yield TICK
        card = dice.choices(
            ("4242424242424242", "4000000000007726", "4000000000005126"), (90, 7, 3)
        )[0]
        self.stripe.submit(f"/c/pay/{started.session_id}", card=card)
        if dice.random() < 0.5:
            self.press(lambda: paying.confirm(started))

    def _work_on(
        self, step: "Milestone", client: Any, freelancer: Any, dice: random.Random
    ) -> Life:
        from projects.services import approvals, deliveries, ending

        if dice.random() < 0.08:
            yield hours(24, 24 * 20, dice)
            who = dice.choice((client, freelancer))
            self.press(lambda: ending.call_off(step, by=who, reason="Our plans have changed."))
            self.seen["called off"] += 1
            yield dt.timedelta(days=4)
            step.refresh_from_db()
            if step.status != step.Status.FUNDED:
                return
        yield hours(12, 24 * 12, dice)
        self.press(lambda: deliveries.deliver(step, by=freelancer, note="All of it."))
        what = dice.choices(("approve", "silence", "changes", "dispute"), (60, 20, 8, 12))[0]
        self.seen[what] += 1
        yield hours(12, 24 * 6, dice)
        if what == "changes":
            self.press(lambda: deliveries.ask_for_changes(step, by=client, points="One more page."))
            yield hours(12, 24 * 5, dice)
            self.press(lambda: deliveries.deliver(step, by=freelancer, note="With the page."))
            yield TICK
            self.press(lambda: approvals.approve(step, by=client))
        elif what == "approve":
            self.press(lambda: approvals.approve(step, by=client))
        elif what == "dispute":
            yield from self._quarrel(step, client, freelancer, dice)
        for _half_day in range(90):
            step.refresh_from_db()
            if step.status in step.ENDED:
                return
            yield TICK

    def _quarrel(
        self, step: "Milestone", client: Any, freelancer: Any, dice: random.Random
    ) -> Life:
        from marketplace.core.money import Money
        from projects.services import disputes

        def part() -> Money:
            return Money(dice.randint(0, step.amount_minor), step.contract.currency)

        dispute = self.press(
            lambda: disputes.open_dispute(
                step, by=client, reason="not_as_agreed", body="A part is missing.",
                to_freelancer=part(),
            )
        )  # fmt: skip
        if not dispute:
            return
        yield hours(12, 72, dice)
        way = dice.choice(("settle", "decide", "withdraw"))
        self.seen[f"dispute: {way}"] += 1
        if way == "settle":
            self.press(lambda: disputes.settle(dispute, by=freelancer))
        elif way == "withdraw":
            self.press(lambda: disputes.withdraw(dispute, by=client))
        else:
            yield dt.timedelta(days=15)
            self.press(
                lambda: disputes.decide(
                    dispute,
                    by=self.judge,
                    to_freelancer=part(),
                    reason="Both parts are as said. " * 8,
                )
            )

    def press(self, act: Callable[[], Any]) -> Any:
        """What a person sees when they press a button: it worked, or a sentence why not."""
        from marketplace.core.errors import DomainError
        from payments import gateway

        try:
            return act()
        except (DomainError, gateway.GatewayError) as error:
            self.seen[f"refused: {type(error).__name__}"] += 1
            return None

    # --- Faults -----------------------------------------------------------------------------

    def _break_something(self) -> None:
        mode = self.dice.choice(FAULTS)
        self.seen[f"fault: {mode}"] += 1
        on = self.dice.choice(("POST ", "GET ", "POST /v1/transfers", "POST /v1/refunds"))
        self.stripe.fail_next(mode, on=on, times=SEEN * self.dice.randint(1, 2))

    def _hear(self, *, faults: bool) -> None:
        """Webhooks: some get lost, some come late or twice, and in any order."""
        from django.conf import settings

        from payments import gateway
        from payments.services import inbox

        arriving = [hook for at, hook in self.late if at <= self.now]
        self.late = [(at, hook) for at, hook in self.late if at > self.now]
        for hook in self.stripe.drain():
            fate = self.dice.random() if faults else 1.0
            if fate < 0.05:
                self.seen["webhook lost"] += 1
            elif fate < 0.15:
                self.seen["webhook late"] += 1
                self.late.append((self.now + TICK * self.dice.randint(1, 8), hook))
            else:
                arriving += [hook] * (2 if fate < 0.3 else 1)
                self.seen["webhook twice"] += 0.15 <= fate < 0.3
        if faults:
            self.dice.shuffle(arriving)
        for hook in arriving:
            # A late one is signed again, as Stripe does for each attempt.
            event = gateway.read_event(hook.body, _signed(hook.body, settings))
            inbox.receive(event)

    def _work(self) -> None:
        """What workers and beat do in these hours."""
        from marketplace.core import outbox
        from payments import gateway, ledger, tasks
        from payments.services import due, inbox
        from projects import tasks as projects_tasks

        for _round in range(2):
            while inbox.read_due() or outbox.deliver_due(topic="stripe"):
                pass
            due.run()
            projects_tasks.run_due()
        with contextlib.suppress(gateway.Unavailable):
            inbox.poll()
        ledger.roll_up()
        self._ticks += 1
        if self._ticks % RECONCILES_EVERY == 0:
            tasks.reconcile()

    # --- The end ----------------------------------------------------------------------------

    def under_way(self) -> bool:
        """Whether anything still has to happen."""
        from marketplace.core.models import OutboxMessage
        from payments.models import Funding, Refund, StripeEvent, Transfer

        return any(
            (
                Funding.objects.filter(status__in=Funding.RUNNING).exists(),
                Transfer.objects.exclude(status="sent").exists(),
                Refund.objects.filter(status__in=["requested", "pending"]).exists(),
                StripeEvent.objects.filter(state="pending").exists(),
                OutboxMessage.objects.filter(topic="stripe", state="pending").exists(),
            )
        )

    def unexplained(self) -> list[str]:
        """Every sentence about the money that should hold now and does not."""
        from marketplace.core import clock
        from marketplace.pages.proofs import broken_laws
        from payments.services import reconciliation, verification

        with clock.moved_to(self.now):
            found = [line for finding in verification.verify() for line in finding.broken]
            found += broken_laws()[1]
            report = reconciliation.reconcile()
        found += report.differences + report.under_way
        found += [
            f"balance in {currency}: {there} at Stripe, {here} in the books"
            for currency, (there, here) in report.balances.items()
            if there != here
        ]
        return found + self._unpaid() + (["something is still under way"] * self.under_way())

    def _unpaid(self) -> list[str]:
        """People who got another amount than their contracts say, to the minor unit."""
        from django.db.models import Sum

        from payments.models import Hold, Refund, Transfer

        due = Counter[tuple[int, int, str]]()
        for hold in Hold.objects.exclude(awarded_minor=None):
            shares = hold.shares(hold.awarded)
            due[hold.payee_id, 0, hold.currency] += shares.to_payee.minor
            due[hold.payer_id, 1, hold.currency] += shares.to_payer.minor
        paid = Counter[tuple[int, int, str]]()
        sent = Transfer.objects.filter(status="sent")
        for party, currency, minor in sent.values_list("payee", "currency").annotate(
            sum=Sum("amount_minor")
        ):
            paid[party, 0, currency] += minor
        returned = Refund.objects.filter(hold__awarded_minor__isnull=False)
        for party, currency, minor in returned.values_list("payer", "currency").annotate(
            sum=Sum("amount_minor")
        ):
            paid[party, 1, currency] += minor
        return [
            f"party {key[0]}: {due[key]} {key[2]} due, {paid[key]} paid"
            for key in due.keys() | paid.keys()
            if due[key] != paid[key]
        ]


def _agree(client: Any, freelancer: Any, number: int, dice: random.Random) -> "Contract":
    from marketplace.core import clock
    from marketplace.core.money import Money
    from projects.services import bidding, choosing, posting
    from projects.services.contracts import MilestonePlan
    from projects.services.wanted import Wanted

    currency = dice.choice(CURRENCIES)
    least = Money.parse("20", currency).minor
    amounts = [Money(dice.randint(least, 40 * least), currency) for _ in range(dice.randint(1, 3))]
    wanted = Wanted(
        title=f"Work number {number}",
        description="Well described, small, and paid by itself when it is done. " * 3,
        currency=currency,
        skills=("Django",),
    )
    draft = posting.save_draft(client.party, by=client, wanted=wanted)
    project = posting.publish(draft, by=client)
    price = Money(sum(amount.minor for amount in amounts), currency)
    bid = bidding.send_bid(
        project, by=freelancer, price=price, days=30, message="One by one.", ai_use="no"
    )
    today = clock.now().date()
    plans = [
        MilestonePlan(f"Part {n}", amount, today + dt.timedelta(days=25 * n))
        for n, amount in enumerate(amounts, 1)
    ]
    return choosing.hire(bid, by=client, milestones=plans, seen_version=bid.version)


def _signed(body: bytes, settings: Any) -> str:
    from payments.sandbox import events

    return events.signature(body, settings.STRIPE_WEBHOOK_SECRETS[0])


# --- As a command ---------------------------------------------------------------------------


def simulate(stripe: "StripeSandbox", *, contracts: int, seed: int) -> tuple[Market, list[str]]:
    """Run a market to its end; it, and what is unexplained then.

    The broker is down all the time: every nudge fails, the sweeps must do everything.
    """
    from celery.app.task import Task
    from kombu.exceptions import OperationalError

    for name in ("marketplace.core.outbox", "marketplace.core.live"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with patch.object(Task, "apply_async", side_effect=OperationalError("no broker")):
        market = Market(stripe, contracts=contracts, seed=seed)
        market.run()
        return market, market.unexplained()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="40 contracts")
    parser.add_argument("--contracts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    contracts = 40 if options.quick else options.contracts
    with tempfile.TemporaryDirectory(prefix="bidwell-bench-") as name:
        folder = Path(name)
        with migrated_database(folder) as postgres, _sandbox(folder, postgres.url(APP)) as stripe:
            began = time.monotonic()
            market, wrong = simulate(stripe, contracts=contracts, seed=options.seed)
            took = time.monotonic() - began
            _say("money_simulation_unexplained", len(wrong), "sentences", contracts)
            _say("money_simulation_journals", _journals(), "journals", contracts)
            _say("money_simulation_seconds", took, "s", contracts)
            for what, count in sorted(market.seen.items()):
                print(f"  {count:6} {what}", file=sys.stderr)
            for line in wrong:
                print(line, file=sys.stderr)
    return 1 if wrong else 0


@contextlib.contextmanager
def _sandbox(folder: Path, database_url: str) -> Iterator["StripeSandbox"]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
    }
    import django

    django.setup()

    from django.test import override_settings

    from payments.sandbox.server import Sandbox
    from tests.stripe_sandbox import SECRET_KEY, WEBHOOK_SECRET, StripeSandbox, settings_for

    server = Sandbox(
        data=folder, port=0, webhook_secret=WEBHOOK_SECRET, secret_key=SECRET_KEY,
        test_switches=True,
    )  # fmt: skip
    server.start()
    stripe = StripeSandbox(server.base_url)
    with override_settings(**settings_for(stripe)):
        yield stripe
    stripe.close()
    server.stop()


def _journals() -> int:
    from payments.models import Journal

    return Journal.objects.count()


def _say(figure: str, value: float, unit: str, n: int) -> None:
    line = {"figure": figure, "value": round(value, 1), "unit": unit}
    print(json.dumps(line | {"yardstick": None, "ratio": None, "n": n}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
