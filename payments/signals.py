"""News that climbs to projects: declared here, heard there, in the same transaction."""

from django.dispatch import Signal

# sender=Hold; hold: Hold, at: datetime. The payer's money has arrived and is held.
funds_received = Signal()
# sender=Hold; hold: Hold. Its Checkout ended without money; it may be tried again.
funding_ended = Signal()
# sender=Hold; hold: Hold, at: datetime. All that was released is in the payee's Stripe account.
payee_paid = Signal()
# sender=Hold; hold: Hold. Everything that was returned has been refunded by Stripe.
payer_refunded = Signal()
