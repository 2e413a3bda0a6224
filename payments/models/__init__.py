"""Money: who pays whom, what is held, and the ledger that proves it."""

from payments.models.breaks import Break
from payments.models.chargebacks import (
    Chargeback,
    ChargebackMovement,
    ChargebackPart,
    FraudWarning,
)
from payments.models.funding import Funding, FundingPart
from payments.models.holds import Hold
from payments.models.inbox import EventPoll, StripeEvent
from payments.models.invoices import Invoice, InvoiceCounter
from payments.models.ledger import Account, Balance, Entry, Journal, Rollup
from payments.models.outgoing import Refund, Transfer, TransferReversal
from payments.models.payouts import PayoutAccount
from payments.models.policy import PlatformPolicy
from payments.models.reversals import Reversal

__all__ = [
    "Account",
    "Balance",
    "Break",
    "Chargeback",
    "ChargebackMovement",
    "ChargebackPart",
    "Entry",
    "EventPoll",
    "FraudWarning",
    "Funding",
    "FundingPart",
    "Hold",
    "Invoice",
    "InvoiceCounter",
    "Journal",
    "PayoutAccount",
    "PlatformPolicy",
    "Refund",
    "Reversal",
    "Rollup",
    "StripeEvent",
    "Transfer",
    "TransferReversal",
]
