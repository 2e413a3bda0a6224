"""What happens by itself when its time has come."""

from payments.sandbox import balance, checkout, payouts, refunds
from payments.sandbox.world import World

WHAT_HAPPENS = {
    "account": payouts.by_schedule,
    "balance_transaction": balance.settle,
    "charge": checkout.end_slow_payment,
    "checkout.session": checkout.run_out,
    "payout": payouts.go_on,
    "refund": refunds.carry_on,
}


def run_due(world: World) -> None:
    """Let everything happen that is due; call it inside a transaction."""
    for body in world.state.due():
        WHAT_HAPPENS[body["object"]](world, body)
