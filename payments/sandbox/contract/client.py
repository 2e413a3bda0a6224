"""An HTTP client for the SDK that lets no request out that Stripe would not know."""

import urllib.parse
from collections.abc import Mapping
from typing import Any

from stripe import HTTPClient

from payments.sandbox.contract.operations import Refused, find


class ContractBroken(AssertionError):
    """Our code built a request that the types of the `stripe` package do not allow."""


def check(method: str, url: str, post_data: str | None) -> None:
    """Raise ContractBroken unless Stripe has this operation with these parameters."""
    parts = urllib.parse.urlsplit(url)
    method = method.upper()
    found = find(method, parts.path)
    if found is None:
        raise ContractBroken(f"Stripe has no {method} {parts.path}")
    try:
        found[0].read(parts.query if post_data is None else post_data)
    except Refused as refused:
        raise ContractBroken(f"{method} {parts.path}: {refused}") from refused


class ContractHTTPClient(HTTPClient):
    """Checks each request, then hands it to the client that really sends it."""

    name = "contract"

    def __init__(self, inner: HTTPClient) -> None:
        super().__init__()
        self._inner = inner

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        **_: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Check, then send."""
        check(method, url, post_data)
        return self._inner.request(method, url, headers, post_data)

    def close(self) -> None:
        """Close the connections of the inner client."""
        self._inner.close()  # type: ignore[no-untyped-call]
