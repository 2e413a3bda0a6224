"""Errors in Stripe's own form, so that the SDK raises what it would raise for real."""

from typing import Any


class StripeRefusal(Exception):
    """An answer other than 200: its HTTP status and Stripe's error object."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", **extra: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"type": kind, "message": message, **extra}}

    @property
    def message(self) -> str:
        """What Stripe would say, in English."""
        return str(self)


def missing(kind: str, object_id: str, param: str = "id") -> StripeRefusal:
    """404 for an id nobody has, as Stripe words it."""
    return StripeRefusal(
        f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param=param
    )
