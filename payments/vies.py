"""VIES, the European Union's register of VAT ids, as the rest of the product sees it.

Only this module asks it. Without an address (`VIES_URL`) a stand-in answers, so that the product
can be tried without a network; what it says is marked as a test and counts for nothing as soon as
there is an address.
"""

import hashlib
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from django.conf import settings

PATIENCE = 15
# Longer than any answer about one id; whatever is longer is not one.
LONGEST = 100_000
# What the stand-in says to ids that end like this.
UNKNOWN_TO_STAND_IN, SILENCE_OF_STAND_IN = "000", "999"
NAMELESS_TO_STAND_IN, OTHERS_TO_STAND_IN = "998", "997"
NO_NAME = "---"


class Unavailable(Exception):
    """The register, or the one of the member state behind it, gave no answer."""


@dataclass(frozen=True)
class Answer:
    """What the register says of one id; `digest` is the SHA-256 of its own words."""

    valid: bool
    consultation: str
    digest: str
    # The holder's name; empty where the member state tells none. `name_is_right` is the register's
    # own word about the name we named, where it compares.
    name: str = ""
    name_is_right: bool | None = None


def is_stand_in() -> bool:
    """Whether nobody is asked."""
    return not settings.VIES_URL


def ask(vat_id: str, *, name: str = "", requester: str = "") -> Answer:
    """Whether the id is registered today. `requester` is our own id; with it VIES numbers the
    consultation, which is the proof that we asked. `name` is what the holder goes by: some member
    states compare it, most tell theirs.

    Talks to the network, so call it outside transactions. Raises Unavailable.
    """
    if is_stand_in():
        return _stand_in(vat_id, name)
    asked = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
    if requester:
        asked |= {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]}
    if name:
        asked["traderName"] = name
    raw = _post(json.dumps(asked).encode())
    said = _read(raw)
    return Answer(
        valid=said["valid"],
        consultation=str(said.get("requestIdentifier") or "")[:80],
        digest=hashlib.sha256(raw).hexdigest(),
        name=_told(said.get("name")),
        name_is_right={"VALID": True, "INVALID": False}.get(str(said.get("traderNameMatch"))),
    )


def _told(name: Any) -> str:
    """The name, or nothing for the dashes some member states send instead."""
    plain = " ".join(str(name or "").split())
    return "" if plain == NO_NAME else plain[:240]


def _post(body: bytes) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - the operator's own setting
        settings.VIES_URL,
        data=body,
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
            return bytes(response.read(LONGEST))
    except urllib.error.HTTPError as error:
        # Its errors have a body that names them.
        with error:
            return bytes(error.read(LONGEST))
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(type(error).__name__) from error


def _read(raw: bytes) -> dict[str, Any]:
    """The answer; anything that does not plainly say yes or no is none."""
    try:
        said = json.loads(raw)
    except ValueError as error:
        raise Unavailable("unreadable") from error
    if not isinstance(said, dict):
        raise Unavailable("unreadable")
    if said.get("errorWrappers"):
        raise Unavailable(_name_of(said["errorWrappers"]))
    if not isinstance(said.get("valid"), bool):
        raise Unavailable("no answer")
    return said


def _name_of(errors: Any) -> str:
    try:
        return str(errors[0]["error"])[:80]
    except (LookupError, TypeError):
        return "error"


def _stand_in(vat_id: str, name: str) -> Answer:
    if vat_id.endswith(SILENCE_OF_STAND_IN):
        raise Unavailable("TEST_SILENCE")
    said = f"test {vat_id}"
    return Answer(
        valid=not vat_id.endswith(UNKNOWN_TO_STAND_IN),
        consultation=f"TEST-{vat_id}",
        digest=hashlib.sha256(said.encode()).hexdigest(),
        name={NAMELESS_TO_STAND_IN: "", OTHERS_TO_STAND_IN: "Somebody Else SARL"}.get(
            vat_id[-3:], name
        ),
    )
