"""Addresses under /_test/ for tests: faults, a movable clock, webhooks by hand.

They exist only on a server started with `test_switches`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from payments.sandbox import accounts, balance, banks, checkout, disputes, events, payouts
from payments.sandbox.due import run_due
from payments.sandbox.gate import Gate
from payments.sandbox.state import PLATFORM, Body
from payments.sandbox.world import Fault, Switches, World


class TestDesk:
    """Does what tests ask of the sandbox."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    def __init__(self, world: World, gate: Gate, webhook_secret: str) -> None:
        self._world = world
        self._gate = gate
        self._secret = webhook_secret
        self._actions: dict[str, Callable[[Body], Any]] = {
            "account": self._change_account,
            "adjust-balance": self._adjust_balance,
            "clock": self._move_clock,
            "dispute": self._change_dispute,
            "drain": self._drain,
            "fraud-warning": self._warn_of_fraud,
            "payout": self._change_payout,
            "take-from": self._take_from,
            "present": self._present,
            "reset": self._reset,
            "state": self._describe,
            "switches": self._switch,
        }

    def do(self, action: str, asked: Body) -> Any:
        """The answer to POST /_test/<action>; None when there is no such action."""
        handler = self._actions.get(action)
        if handler is None:
            return None
        with self._world.state.transaction():
            return handler(asked)

    def _switch(self, asked: Body) -> Body:
        faults = [Fault(**fault) for fault in asked.pop("faults", [])]
        # `mend` takes back the faults nobody has met yet.
        left = [] if asked.pop("mend", False) else self._world.switches.faults
        changes = dataclasses.replace(self._world.switches, **asked)
        changes.faults = [*left, *faults]
        self._world.switches = changes
        return dataclasses.asdict(changes)

    def _move_clock(self, asked: Body) -> Body:
        self._world.state.clock_offset += int(asked["seconds"])
        run_due(self._world)
        return {"now": self._world.state.now()}

    def _change_account(self, asked: Body) -> Body:
        account = self._world.state.get("account", asked["id"])
        match asked["change"]:
            case "complete":
                accounts.complete(self._world, account)
            case "restrict":
                accounts.restrict(self._world, account)
            case "reject":
                accounts.reject(self._world, account)
            case "ask":
                accounts.ask_for_more(self._world, account, seconds=asked["seconds"])
            case "cut-off" | "connect-again":
                accounts.cut_off(self._world, account, cut=asked["change"] == "cut-off")
            case "bank":
                banks.add(self._world, account, asked["number"])
        return {"id": account["id"]}

    def _change_payout(self, asked: Body) -> Body:
        """What schedule and bank do: pay out everything, or the next thing to one payout."""
        world = self._world
        if asked["change"] == "make":
            account = world.state.get("account", asked["account"])
            return {"ids": [made["id"] for made in payouts.pay_out_all(world, account)]}
        payout = world.state.find(asked["id"])
        if payout is None:
            raise KeyError(asked["id"])
        match asked["change"]:
            case "send":
                payouts.send(world, payout)
            case "arrive":
                payouts.arrive(world, payout)
            case "fail":
                payouts.fail(world, payout, asked["code"])
            case "cancel":
                payouts.cancel(world, payout)
        return {"ids": [payout["id"]]}

    def _change_dispute(self, asked: Body) -> Body:
        """What the cardholder's bank does: it questions a charge, escalates, decides, reopens."""
        world, change = self._world, asked["change"]
        if change in {"open", "inquire"}:
            charge = world.state.get("charge", asked["charge"])
            opened = disputes.open_dispute(
                world, charge, amount=asked.get("amount"), inquiry=change == "inquire"
            )
            return {"id": opened["id"]}
        dispute = world.state.get("dispute", asked["id"])
        match change:
            case "win" | "lose":
                disputes.decide(world, dispute, won=change == "win")
            case "escalate":
                disputes.escalate(world, dispute)
            case "appeal":
                disputes.appeal(world, dispute)
        return {"id": dispute["id"], "status": dispute["status"]}

    def _warn_of_fraud(self, asked: Body) -> Body:
        charge = self._world.state.get("charge", asked["charge"])
        return {"id": disputes.warn(self._world, charge)["id"]}

    def _present(self, asked: Body) -> Body:
        """Adaptive Pricing shows the payer another currency, whatever we asked."""
        session = self._world.state.get("checkout.session", asked["session"])
        checkout.present_in(self._world, session, asked["currency"])
        return {"id": session["id"]}

    def _take_from(self, asked: Body) -> Body:
        """A connected account pays out to its bank: that much is no longer there to take back."""
        taken = balance.post(
            self._world,
            "payout",
            -asked["amount"],
            asked["currency"],
            source=None,
            account=asked["account"],
        )
        return {"id": taken["id"]}

    def _adjust_balance(self, asked: Body) -> Body:
        """Money that comes or goes without the product: an adjustment, or a top-up.

        `silent` moves the balance alone, as if Stripe itself had miscounted.
        """
        if asked.get("silent"):
            self._world.state.add_to_balance(
                PLATFORM, asked["currency"], available=asked["amount"], pending=0
            )
            return {"id": ""}
        kind = asked.get("kind", "adjustment")
        posted = balance.post(self._world, kind, asked["amount"], asked["currency"], source=None)
        return {"id": posted["id"]}

    def _drain(self, asked: Body) -> list[Body]:
        waiting = self._world.state.take_deliveries()
        if self._world.switches.reorder:
            waiting.reverse()
        bodies = [events.payload(self._world, event) for event in waiting]
        return [
            {"body": body.decode(), "signature": events.signature(body, self._secret)}
            for body in bodies
        ]

    def _describe(self, asked: Body) -> Body:
        state = self._world.state
        return {
            "balances": state.balances(asked.get("account", PLATFORM)),
            "deliveries": state.count_deliveries(),
            "misfits": self._world.misfits,
            "requests": list(self._gate.requests),
        }

    def _reset(self, asked: Body) -> Body:
        self._world.state.reset()
        self._world.state.clock_offset = 0
        self._world.switches = Switches()
        self._gate.requests.clear()
        self._world.misfits.clear()
        return {}
