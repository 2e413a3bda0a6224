"""Who gets what: every address, for every kind of person.

One row per URL name. A row says how to fill the address from the world below and which status
each actor gets on GET, and on POST (with an empty body) where POST exists. `tests/test_access.py`
fails when an address is missing here, and asks every row.

Actors, in this order:
    visitor      nobody signed in
    freelancer   has bid on the world's project and works on its contract
    rival        another freelancer, in no contract
    client       posted the project and signed the contract
    stranger     another client
    staff        a moderator with every permission

Statuses: OK 200, GO 302/303 somewhere allowed, LOGIN 302 to the sign-in page (401 in the API),
NO 403 for what you may see and not do, MISSING 404 for what you must not even know, METHOD 405,
BAD 400/409/422 for a body that was refused without effect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

OK, GO, LOGIN, NO, MISSING, METHOD, BAD = "ok", "go", "login", "no", "missing", "method", "bad"
ACTORS = ("visitor", "freelancer", "rival", "client", "stranger", "staff")

EVERYONE = (OK,) * 6
MEMBERS = (LOGIN, OK, OK, OK, OK, OK)
POST_ONLY = (METHOD,) * 6


@dataclass(frozen=True)
class Row:
    """Expected answers of one address."""

    get: tuple[str, ...]
    post: tuple[str, ...] | None = None
    kwargs: Callable[[Any], dict[str, Any]] = field(default=lambda world: {})
    query: str = ""


ACCESS: dict[str, Row] = {}

# --- pages ----------------------------------------------------------------------------------

ACCESS |= {
    "pages:landing": Row(get=EVERYONE),
    "pages:how-it-works": Row(get=EVERYONE),
    "pages:fees": Row(get=EVERYONE),
    "pages:matching": Row(get=EVERYONE),
    "pages:help": Row(get=EVERYONE),
    "pages:help-article": Row(get=EVERYONE, kwargs=lambda world: {"slug": "reviews"}),
    "pages:contact": Row(get=EVERYONE, post=(BAD,) * 6),
    "pages:terms": Row(get=EVERYONE),
    "pages:privacy": Row(get=EVERYONE),
    "pages:imprint": Row(get=EVERYONE),
    "pages:status": Row(get=EVERYONE),
    "pages:counts": Row(get=MEMBERS),
    "pages:theme": Row(get=POST_ONLY, post=(GO,) * 6),
    "pages:styleguide": Row(get=(MISSING, MISSING, MISSING, MISSING, MISSING, OK)),
    "pages:offline": Row(get=EVERYONE),
    "pages:worker": Row(get=EVERYONE),
    "pages:manifest": Row(get=EVERYONE),
    "pages:robots": Row(get=EVERYONE),
}

# --- accounts -------------------------------------------------------------------------------

# --- payments -------------------------------------------------------------------------------

# --- projects: market -----------------------------------------------------------------------

# --- projects: work -------------------------------------------------------------------------

# --- matching -------------------------------------------------------------------------------

ACCESS |= {
    "matching:for-you": Row(get=MEMBERS, post=POST_ONLY),
    "matching:project-people": Row(
        get=(LOGIN, MISSING, MISSING, OK, MISSING, MISSING),
        post=POST_ONLY,
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "matching:project-reasons": Row(
        get=(LOGIN, OK, OK, MISSING, OK, OK),
        post=POST_ONLY,
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "api:matches": Row(get=MEMBERS),
    "api:project-matches": Row(
        get=(LOGIN, MISSING, MISSING, OK, MISSING, MISSING),
        kwargs=lambda world: {"ref": world.project.ref},
    ),
}
