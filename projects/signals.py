"""News that climbs to matching: declared here, heard there, in the same transaction."""

from django.dispatch import Signal

# sender=Project; project: Project. It is open now and can be found.
project_published = Signal()
# sender=Project; project: Project. It no longer takes bids.
project_closed = Signal()
# sender=Contract; contract: Contract. Its work is history now.
contract_ended = Signal()
