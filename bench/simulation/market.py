"""Time, workers and faults of the market."""

import contextlib
import datetime as dt
import heapq
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from celery.app.task import Task
from django.conf import settings
from kombu.exceptions import OperationalError
from stripe import HTTPClient

from bench.simulation.lives import CURRENCIES, Life, Lives
from bench.simulation.statement import Statement
from marketplace.core import clock, outbox
from marketplace.core.errors import DomainError
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from marketplace.pages.proofs import broken_laws
from payments import gateway, ledger, tasks
from payments.models import (
    Account,
    Balance,
    Funding,
    Payout,
    Refund,
    StripeEvent,
    Transfer,
    TransferReversal,
)
from payments.sandbox import events
from payments.services import commands, due, inbox, reconciliation, verification
from projects import tasks as projects_tasks
from tests.factories import StaffFactory, UserFactory
from tests.stripe_sandbox import StripeSandbox, Webhook

DAY = dt.timedelta(days=1)
DAYS = 180
# Contracts begin in the first so many days.
BEGINNINGS = 110
# The poller and the reconciliation, which look three days back.
LOOKS_EVERY = 2 * DAY
# Each payee's account is asked about every day.
MOST_PAIRS = 25
# After the last day everything must have ended by itself within this.
AFTERWARDS = dt.timedelta(days=150)
# Per contract, on the balance of each currency: Stripe keeps its fee of what is refunded, and a
# bank takes back what the payee has spent.
OPERATORS_MONEY = 1_000_000
FAULTS = (
    "error_before", "error_after", "drop_before", "drop_after", "rate_limit", "lock_timeout",
    "crash",
)  # fmt: skip
# Each is repeated once by the SDK, so two in a row are one that is seen.
SEEN = 2


class Killed(BaseException):
    """A process died after Stripe answered and before we wrote the answer down."""


class Market:
    """The people, their contracts and what goes wrong between them."""

    def __init__(
        self,
        stripe: StripeSandbox,
        *,
        contracts: int,
        seed: int,
        step: dt.timedelta = dt.timedelta(hours=12),
        pairs: int = MOST_PAIRS,
    ) -> None:
        """`step` is how far time moves at once; `pairs` clients and freelancers at most."""
        self.stripe = stripe
        self.dice = random.Random(seed)
        self.contracts, self.step = contracts, step
        self.pairs = max(2, min(pairs, contracts // 8))
        # A Monday morning, so that working days fall alike whenever this runs.
        today = dt.datetime.now(dt.UTC).replace(hour=8, minute=0, second=0, microsecond=0)
        self.now = self.begin = today + dt.timedelta(days=7 - today.weekday())
        self.seen: Counter[str] = Counter()
        self.statement = Statement()
        self.late: list[tuple[dt.datetime, Webhook]] = []
        self._waiting: list[tuple[dt.datetime, int, Life]] = []
        self._born = self._deaths = 0
        self._set_at = time.time()
        self._looks_at = self.now
        self.lives = Lives(self)

    # --- Time -------------------------------------------------------------------------------

    def run(self) -> None:
        """Live through half a year, then wait until nothing is under way.

        The broker is down all the time: every nudge fails, the sweeps must do everything.
        """
        with (
            patch.object(Task, "apply_async", side_effect=OperationalError("no broker")),
            # The SDK repeats a lost request after real time, of which there is too little here.
            patch.object(HTTPClient, "_sleep_time_seconds", return_value=0),
            patch.object(commands, "ask", self._ask_and_die(commands.ask)),
        ):
            self._open()
            last = self.begin + dt.timedelta(days=DAYS)
            while self.now < last or (self._waiting and self.now < last + AFTERWARDS):
                self.tick(faults=True)
            self.stripe.switch(mend=True)
            calm = self.now + AFTERWARDS
            while self.now < calm and (self.under_way() or self.late):
                self.tick(faults=False)

    def tick(self, *, faults: bool) -> None:
        """One step: people act, Stripe reports, workers work."""
        self._move_clocks(self.now + self.step)
        with clock.moved_to(self.now):
            if faults and self.dice.random() < 0.3:
                self._break_something()
            while self._waiting and self._waiting[0][0] <= self.now:
                _at, _number, life = heapq.heappop(self._waiting)
                with contextlib.suppress(StopIteration):
                    self.wake_at(self.now + next(life), life)
            self._hear(faults=faults)
            self._work()

    def wake_at(self, at: dt.datetime, life: Life) -> None:
        """Go on with a life then."""
        self._born += 1
        heapq.heappush(self._waiting, (at, self._born, life))

    def _move_clocks(self, now: dt.datetime) -> None:
        """Ours stands still within a tick, the sandbox's runs on: set it by what has passed."""
        passed = time.time() - self._set_at
        self.stripe.move_clock(round((now - self.now).total_seconds() - passed))
        self.now, self._set_at = now, time.time()

    def _open(self) -> None:
        self.stripe.move_clock(round(self.now.timestamp() - time.time()))
        self._set_at = time.time()
        with clock.moved_to(self.now):
            self.clients = [UserFactory(side="hire") for _ in range(self.pairs)]
            self.freelancers = [UserFactory() for _ in range(self.pairs)]
            self.judge = StaffFactory()
        for currency in sorted(set(CURRENCIES)):
            self.stripe.add_money(Money(OPERATORS_MONEY * self.contracts, currency), kind="topup")
        for freelancer in self.freelancers:
            self.wake_at(self.begin, self.lives.with_an_account(freelancer))
        for number in range(self.contracts):
            begin = self.begin + DAY * BEGINNINGS * number / self.contracts
            self.wake_at(begin, self.lives.with_a_contract(number))

    def press(self, act: Callable[[], Any]) -> Any:
        """What a person sees when they press a button: it worked, or a sentence why not."""
        try:
            return act()
        except (DomainError, gateway.GatewayError) as error:
            self.seen[f"refused: {type(error).__name__}"] += 1
        except Killed:
            self.seen["died before a person's eyes"] += 1
        return None

    # --- Faults -----------------------------------------------------------------------------

    def _break_something(self) -> None:
        mode = self.dice.choice(FAULTS)
        self.seen[f"fault: {mode}"] += 1
        times = self.dice.randint(1, 2)
        if mode == "crash":
            self._deaths += times
            return
        on = self.dice.choice(("POST ", "GET ", "POST /v1/transfers", "POST /v1/refunds"))
        self.stripe.fail_next(mode, on=on, times=SEEN * times)

    def _ask_and_die(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def ask_and_die(*args: Any, **more: Any) -> Any:
            answer = ask(*args, **more)
            if self._deaths:
                self._deaths -= 1
                raise Killed
            return answer

        return ask_and_die

    def _hear(self, *, faults: bool) -> None:
        """Webhooks: some get lost, some come late or twice, and in any order."""
        arriving = [hook for at, hook in self.late if at <= self.now]
        self.late = [(at, hook) for at, hook in self.late if at > self.now]
        for hook in self.stripe.drain():
            fate = self.dice.random() if faults else 1.0
            if fate < 0.05:
                self.seen["webhook lost"] += 1
            elif fate < 0.15:
                self.seen["webhook late"] += 1
                self.late.append((self.now + DAY * self.dice.randint(1, 8) / 2, hook))
            else:
                arriving += [hook] * (2 if fate < 0.3 else 1)
                self.seen["webhook twice"] += 0.15 <= fate < 0.3
        if faults:
            self.dice.shuffle(arriving)
        for hook in arriving:
            # A late one is signed again, as Stripe does for each attempt.
            signed = events.signature(hook.body, settings.STRIPE_WEBHOOK_SECRETS[0])
            inbox.receive(gateway.read_event(hook.body, signed))

    # --- Workers ----------------------------------------------------------------------------

    def _work(self) -> None:
        """What workers and beat do in these hours."""
        looks = self.now >= self._looks_at
        if looks:
            self._looks_at = self.now + LOOKS_EVERY
            with contextlib.suppress(gateway.Unavailable):
                inbox.poll()
        self._work_off()
        due.run()
        projects_tasks.run_due()
        # What the sweeps began.
        self._work_off()
        if looks:
            ledger.roll_up()
            tasks.reconcile()

    def _work_off(self) -> None:
        busy = True
        while busy:
            try:
                busy = bool(inbox.read_due() or outbox.deliver_due(topic=commands.TOPIC))
            except Killed:
                # Another worker goes on; the message stays leased for a while.
                self.seen["worker died"] += 1

    # --- The end ----------------------------------------------------------------------------

    def under_way(self) -> bool:
        """Whether anything still has to happen."""
        return any(
            (
                Funding.objects.filter(status__in=Funding.RUNNING).exists(),
                Transfer.objects.exclude(status__in=Transfer.DONE).exists(),
                TransferReversal.objects.filter(status="requested").exists(),
                Refund.objects.filter(status__in=["requested", "pending"]).exists(),
                Payout.objects.filter(status__in=Payout.RUNNING).exists(),
                StripeEvent.objects.filter(state="pending").exists(),
                OutboxMessage.objects.filter(topic=commands.TOPIC, state="pending").exists(),
            )
        )

    def unexplained(self) -> list[str]:
        """Every sentence about the money that should hold now and does not."""
        with clock.moved_to(self.now):
            ledger.roll_up()
            found = [line for finding in verification.verify() for line in finding.broken]
            found += broken_laws()[1]
            report = reconciliation.reconcile()
        found += [str(line) for line in report.differences + report.under_way]
        found += [
            f"balance in {currency}: {there} at Stripe, {here} in the books"
            for currency, (there, here) in report.balances.items()
            if there != here
        ]
        clearing = [Account.Role.TRANSFER_CLEARING, Account.Role.REFUND_CLEARING]
        found += [
            f"{balance.account} still holds {balance.posted}"
            for balance in Balance.objects.filter(account__role__in=clearing).exclude(posted=0)
        ]
        parties = [user.party for user in (*self.clients, *self.freelancers)]
        found += self.statement.unmet(self.stripe, parties, self.lives.disputes)
        found += self.statement.unlike_payouts(parties)
        found += ["a life has not ended"] * len(self._waiting)
        found += ["something is still under way"] * self.under_way()
        return found
