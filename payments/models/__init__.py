"""Money: who pays whom, what is held, and the ledger that proves it."""

from payments.models.breaks import Break
from payments.models.chargebacks import (
    Chargeback,
    ChargebackMovement,
    ChargebackPart,
    FraudWarning,
)
from payments.models.funding import Funding, FundingPart
from payments.models.givebacks import GiveBack
from payments.models.holds import Hold
from payments.models.inbox import EventPoll, StripeEvent
from payments.models.invoices import Invoice, InvoiceCounter
from payments.models.ledger import Account, Balance, Entry, Journal, Rollup
from payments.models.orders import PurchaseOrder
from payments.models.outgoing import Refund, Transfer, TransferReversal
from payments.models.payouts import BankDetails, Payout, PayoutAccount, PayoutAlert
from payments.models.placements import Placement
from payments.models.policy import PlatformPolicy
from payments.models.reversals import Reversal
from payments.models.sellers import SellerDetails
from payments.models.stops import PostingStop
from payments.models.tax import TaxKind, VatCheck, VatRate
from payments.models.tax_requests import TaxRequest
from payments.models.write_offs import WriteOff

__all__ = [
    "Account",
    "Balance",
    "BankDetails",
    "Break",
    "Chargeback",
    "ChargebackMovement",
    "ChargebackPart",
    "Entry",
    "EventPoll",
    "FraudWarning",
    "Funding",
    "FundingPart",
    "GiveBack",
    "Hold",
    "Invoice",
    "InvoiceCounter",
    "Journal",
    "Payout",
    "PayoutAccount",
    "PayoutAlert",
    "Placement",
    "PlatformPolicy",
    "PostingStop",
    "PurchaseOrder",
    "Refund",
    "Reversal",
    "Rollup",
    "SellerDetails",
    "StripeEvent",
    "TaxKind",
    "TaxRequest",
    "Transfer",
    "TransferReversal",
    "VatCheck",
    "VatRate",
    "WriteOff",
]
