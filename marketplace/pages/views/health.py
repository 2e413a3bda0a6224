"""Health for machines: is the process up, and can it do its work?"""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from matching.selectors import registry


@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """`/healthz`: 200 while the process answers; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """`/readyz`: 200 with `{"status": "ok" | "degraded", "parts": {…}}`; 503 without a database.

    Without the broker everything people do is still committed and done later, so that is
    "degraded", not down.
    """
    try:
        plan = MigrationExecutor(connection)
        waiting = len(plan.migration_plan(plan.loader.graph.leaf_nodes()))
    except DatabaseError:
        parts = {"database": "down", "migrations": "unknown", "broker": "unknown"}
        return JsonResponse({"status": "down", "parts": parts}, status=503)
    broker = "ok" if cache.alive() else "down"  # type: ignore[attr-defined]
    parts = {
        "database": "ok",
        "migrations": f"{waiting} to apply" if waiting else "ok",
        "broker": broker,
    }
    if waiting:
        return JsonResponse({"status": "down", "parts": parts}, status=503)
    matcher = registry.state()
    # Switched off is as wanted; weights that cannot be used are not.
    broken = matcher.why == "weights"
    parts["matcher"] = "weights cannot be used" if broken else matcher.mode.value
    fine = broker == "ok" and not broken
    return JsonResponse({"status": "ok" if fine else "degraded", "parts": parts})
