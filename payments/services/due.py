"""What time alone brings about in money. Beat calls it; the rows say what is due."""

import datetime as dt
import logging

from payments import gateway
from payments.services import (
    bank_details,
    evidence,
    funding,
    payouts,
    refunds,
    tax_requests,
    transfers,
    vat_checks,
)
from payments.services.bank_payouts import StripeAway

log = logging.getLogger(__name__)

# A refund usually ends within seconds; after this we ask instead of waiting for news.
REFUND_TAKES = dt.timedelta(hours=1)


def run() -> None:
    """End security holds and pauses, send what can be received, ask about what fell silent."""
    transfers.run_due()
    bank_details.run_due()
    vat_checks.run_due()
    evidence.run_due()
    tax_requests.run_due()
    try:
        funding.look_again()
        refunds.look_again(older_than=REFUND_TAKES)
        payouts.look_again()
    except (gateway.Unavailable, StripeAway) as error:
        log.warning("Stripe is away: %s", error)
