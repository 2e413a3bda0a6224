"""What every noun needs at hand: the state, the address, and what tests made go wrong."""

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from payments.sandbox.contract import misfits
from payments.sandbox.state import Body, State

FaultMode = Literal[
    "error_before",  # 500, nothing done
    "error_after",  # done, then 500: the answer everybody with this key gets
    "drop_before",  # the connection ends, nothing done
    "drop_after",  # done, but the connection ends before the answer
    "rate_limit",  # 429, nothing done
    "lock_timeout",  # 429 with the code Stripe gives for a locked object
]


@dataclass
class Fault:
    """What goes wrong with the next requests whose "METHOD path" starts with `on`."""

    mode: FaultMode
    on: str = "POST "
    times: int = 1


@dataclass
class Switches:
    """What tests may make go wrong, and what they must ask for; without tests it is as in life."""

    duplicate: int = 0  # extra copies of each webhook
    reorder: bool = False  # newest webhook first
    lose: int = 0  # this many next events never arrive
    delay: float = 0  # seconds before a webhook may leave
    hold: float = 0  # seconds a request takes before its work
    automatic_payouts: bool = False  # connected accounts pay out by their schedules
    faults: list[Fault] = field(default_factory=list)


@dataclass
class World:
    """One running sandbox."""

    state: State
    base_url: str
    checks_answers: bool = False
    switches: Switches = field(default_factory=Switches)
    misfits: list[str] = field(default_factory=list)  # answers that Stripe would not give
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, body: Body, where: str) -> None:
        """Note where an object that leaves us differs from its type, when asked to watch."""
        if self.checks_answers:
            self.misfits += [f"{where}: {misfit}" for misfit in misfits(body)]

    def next_fault(self, method: str, path: str) -> FaultMode | None:
        """The fault waiting for this request, used up by asking."""
        with self._lock:
            for fault in self.switches.faults:
                if f"{method} {path}".startswith(fault.on):
                    fault.times -= 1
                    if not fault.times:
                        self.switches.faults.remove(fault)
                    return fault.mode
        return None

    def next_is_lost(self) -> bool:
        """Whether the event being made now shall never arrive."""
        with self._lock:
            lost = self.switches.lose > 0
            self.switches.lose -= lost
            return lost


@dataclass(frozen=True)
class Call:
    """One API request that passed the contract: typed parameters, ids from the path."""

    world: World
    params: dict[str, Any]
    ids: tuple[str, ...]
    account: str

    @property
    def state(self) -> State:
        """What the sandbox remembers."""
        return self.world.state

    def object(self, kind: str) -> Body:
        """The object the path names; raises Stripe's 404."""
        return self.state.get(kind, self.ids[0], account=self.account)
