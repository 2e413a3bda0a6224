"""The last audits of the matcher, as pages show them."""

from matching.models import BiasAudit


def newest_audit() -> BiasAudit | None:
    """The last audit on the simulated market: the one that knows groups."""
    return BiasAudit.objects.filter(source=BiasAudit.Source.MARKET).order_by("-pk").first()
