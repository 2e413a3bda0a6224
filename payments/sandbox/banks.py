"""Bank accounts of connected accounts: where their payouts go."""

import hashlib
from dataclasses import dataclass

from payments.sandbox.events import emit
from payments.sandbox.state import Body
from payments.sandbox.world import World

BANK_NAME = "STRIPE TEST BANK"


@dataclass(frozen=True)
class TestNumber:
    """A number a person may choose; payouts to it end well unless `failure` says how not."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    number: str
    failure: str = ""
    # Whether the bank takes payouts within minutes, and what it says when asked for one.
    instant: bool = True
    instant_failure: str = ""

    @property
    def last4(self) -> str:
        return self.number[-4:]


GOOD_NUMBER = "DE89370400440532013000"
NUMBERS = {
    one.number: one
    for one in (
        TestNumber(GOOD_NUMBER),
        TestNumber("DE75512108001245126199", instant_failure="instant_payouts_unsupported"),
        TestNumber("DE62370400440532013001", "no_account", instant=False),
        TestNumber("DE78370400440532013002", "account_closed"),
    )
}


def add(world: World, account: Body, number: str) -> Body:
    """A bank account that takes the place of the one used so far."""
    old = in_use(world, account["id"])
    bank = world.state.create(
        "bank_account",
        account=account["id"],
        available_payout_methods=["standard", "instant"]
        if NUMBERS[number].instant
        else ["standard"],
        bank_name=BANK_NAME,
        country=number[:2],
        currency=account["default_currency"],
        default_for_currency=True,
        fingerprint=hashlib.sha256(number.encode()).hexdigest()[:16],
        last4=NUMBERS[number].last4,
        status="new",
        _number=number,
    )
    # Unlike other objects, a bank account says whose it is and has no time of its own.
    bank.pop("created")
    bank["account"] = account["id"]
    world.state.save(bank)
    emit(world, "account.external_account.created", bank, account=account["id"])
    if old:
        old["default_for_currency"] = False
        _changed(world, old)
    return bank


def in_use(world: World, account: str) -> Body | None:
    """The bank account the next payout goes to."""
    found = world.state.select("bank_account", {}, account=account)
    return next((bank for bank in found if bank["default_for_currency"]), None)


def takes_instant(bank: Body) -> bool:
    """Whether Stripe offers payouts within minutes to this bank account."""
    return "instant" in (bank.get("available_payout_methods") or []) and bank["status"] != "errored"


def spoil(world: World, bank: Body) -> None:
    """A payout came back: nothing is sent there any more."""
    bank["status"] = "errored"
    _changed(world, bank)


def _changed(world: World, bank: Body) -> None:
    world.state.save(bank)
    emit(world, "account.external_account.updated", bank, account=bank["account"])
