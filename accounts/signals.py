"""News that climbs to the apps above."""

from django.dispatch import Signal

# sender=Profile, profile=Profile. Sent inside the transaction that changed it.
profile_changed = Signal()
