"""The last audits of the matcher, as pages show them."""

from matching.models import BiasAudit, MatchModel


def newest_audit() -> BiasAudit | None:
    """The last audit on the simulated market: the one that knows groups."""
    return BiasAudit.objects.filter(source=BiasAudit.Source.MARKET).order_by("-pk").first()


def newest_of(model: MatchModel, *, like: BiasAudit) -> BiasAudit | None:
    """The last audit of these weights on the same source with the same engine, and of no others."""
    rows = BiasAudit.objects.filter(source=like.source, engine=like.engine)
    return rows.filter(about__weights=model.version).order_by("-pk").first()
