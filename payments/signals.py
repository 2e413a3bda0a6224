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
# sender=Hold; hold: Hold, give_back: GiveBack. The payee has given back money that was released, or
# tried to: its status says which.
money_given_back = Signal()
# sender=Hold; hold: Hold, at: datetime. The bank questions the card payment behind held money, or
# suspects fraud: from now on nobody can move it. Sent before the hold is locked.
payment_questioned = Signal()
# sender=Hold; hold: Hold, at: datetime. The payment stands after all; the money is held as before.
payment_cleared = Signal()
# sender=Hold; hold: Hold, at: datetime. The bank gave the payment back to the payer for good.
payment_taken_back = Signal()
# sender=Hold; hold: Hold. A question: what was the money of this hold for? Receivers answer with
# payments.services.evidence.WorkRecord, or None when the hold is not theirs.
work_record_wanted = Signal()
# sender=Hold; hold: Hold. A question: what can happen next with its money? Receivers answer with a
# list of payments.selectors.trail.Prospect, empty when the hold is not theirs.
prospects_wanted = Signal()
