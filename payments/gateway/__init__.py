"""Stripe, as the rest of the product sees it.

The only place that talks to the `stripe` package. Answers are small frozen records of our own;
amounts are whole minor units with an upper-case currency. Every write takes the idempotency key
of its command: the same key never does the work twice.

Which Stripe answers, the real one or the sandbox, is a matter of `STRIPE_API_BASE` alone.
"""

from payments.gateway.accounts import Account, account_link, create_account, retrieve_account
from payments.gateway.balances import (
    AtOnce,
    BalanceTransaction,
    Ready,
    available,
    balance,
    list_balance_transactions,
    ready_to_leave,
)
from payments.gateway.banks import Bank, list_banks
from payments.gateway.charges import Charge, retrieve_charge
from payments.gateway.checkout import (
    CheckoutLine,
    CheckoutSession,
    create_checkout,
    expire_checkout,
    retrieve_checkout,
)
from payments.gateway.connection import client
from payments.gateway.disputes import (
    Dispute,
    FraudWarning,
    retrieve_dispute,
    retrieve_fraud_warning,
    submit_evidence,
)
from payments.gateway.errors import (
    BadSignature,
    GatewayError,
    KeyReused,
    Refused,
    Unavailable,
    WrongMode,
)
from payments.gateway.events import Event, list_events, read_event
from payments.gateway.pace import may_write
from payments.gateway.payouts import (
    Payout,
    cancel_payout,
    find_payout,
    list_payouts,
    pay_out,
    retrieve_payout,
)
from payments.gateway.refunds import Refund, find_refund, refund, retrieve_refund
from payments.gateway.reversals import Reversal, find_reversal, reverse_transfer
from payments.gateway.schedules import MANUAL, payout_schedule, set_payout_schedule
from payments.gateway.transfers import Transfer, find_transfer, transfer

__all__ = [
    "MANUAL",
    "Account",
    "AtOnce",
    "BadSignature",
    "BalanceTransaction",
    "Bank",
    "Charge",
    "CheckoutLine",
    "CheckoutSession",
    "Dispute",
    "Event",
    "FraudWarning",
    "GatewayError",
    "KeyReused",
    "Payout",
    "Ready",
    "Refund",
    "Refused",
    "Reversal",
    "Transfer",
    "Unavailable",
    "WrongMode",
    "account_link",
    "available",
    "balance",
    "cancel_payout",
    "client",
    "create_account",
    "create_checkout",
    "expire_checkout",
    "find_payout",
    "find_refund",
    "find_reversal",
    "find_transfer",
    "list_balance_transactions",
    "list_banks",
    "list_events",
    "list_payouts",
    "may_write",
    "pay_out",
    "payout_schedule",
    "read_event",
    "ready_to_leave",
    "refund",
    "retrieve_account",
    "retrieve_charge",
    "retrieve_checkout",
    "retrieve_dispute",
    "retrieve_fraud_warning",
    "retrieve_payout",
    "retrieve_refund",
    "reverse_transfer",
    "set_payout_schedule",
    "submit_evidence",
    "transfer",
]
