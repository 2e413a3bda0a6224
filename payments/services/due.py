"""What time alone brings about in money. Beat calls it; the rows say what is due."""

import datetime as dt
import logging

from payments import gateway
from payments.services import funding, refunds, transfers, vat_checks

log = logging.getLogger(__name__)

# A refund usually ends within seconds; after this we ask instead of waiting for news.
REFUND_TAKES = dt.timedelta(hours=1)


def run() -> None:
    """End security holds, send what payees can receive now, ask about what fell silent or old."""
    transfers.run_due()
    vat_checks.run_due()
    try:
        funding.look_again()
        refunds.look_again(older_than=REFUND_TAKES)
    except gateway.Unavailable as error:
        log.warning("Stripe is away: %s", error)
