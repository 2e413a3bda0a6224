"""News that climbs to the apps above."""

from django.dispatch import Signal

# sender=Profile, profile=Profile. Sent inside the transaction that changed it.
profile_changed = Signal()
# sender=Party, party: Party, by: User. Its country, VAT id or name is new; sent inside the
# transaction that changed it.
tax_details_changed = Signal()
