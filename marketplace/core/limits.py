"""How often one person, and one address, may ask for what costs more than a page.

One count for pages and the API, in Redis. Without Redis ordinary reads are let through uncounted;
what is costly (a PDF, a long export, a call to Stripe) is counted by each process for itself, at a
part of the rate: slow is safe, stopped is not, and open is an invitation.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from ipaddress import ip_address, ip_network
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.core.cache import cache
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from marketplace.core import clock
from marketplace.core.cache import ForgivingRedisCache
from marketplace.core.display import clock_text
from marketplace.core.errors import TooMany
from marketplace.core.http import address_of

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]
# So many processes may count without knowing of each other while Redis is away.
PROCESSES = 4
# A process forgets counts that have ended when it keeps more than this.
MOST_KEPT = 10_000


@dataclass(frozen=True)
class Limit:
    """So many in so many seconds, for one person and for one address."""

    seconds: int
    per_user: int
    # Offices and schools share one.
    per_address: int
    costly: bool = True


class OwnCounts:
    """Counts of this process, for while Redis is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}

    def count(self, key: str, *, seconds: int) -> tuple[int, int]:
        """One more under the key; how many there are now, and for how many seconds still."""
        now = time.monotonic()
        with self._lock:
            if len(self._counts) > MOST_KEPT:
                self._counts = {k: kept for k, kept in self._counts.items() if kept[0] > now}
            ends, counted = self._counts.get(key, (0.0, 0))
            if ends <= now:
                ends, counted = now + seconds, 0
            self._counts[key] = ends, counted + 1
            return counted + 1, max(1, round(ends - now))

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._counts.clear()


OWN = OwnCounts()


def spend(name: str, request: HttpRequest) -> None:
    """Count one more `name` of the request's person and address; raises TooMany beyond a limit.

    The names and their limits are `settings.LIMITS`; a name that is missing there has none.
    """
    told: Mapping[str, Any] | None = settings.LIMITS.get(name)
    if told is None:
        return
    limit = Limit(**told)
    wait = 0
    # The person first: whoever is refused uses nothing up of what others share with them.
    if request.user.is_authenticated:
        wait = _count(f"limit:{name}:user:{request.user.pk}", limit.per_user, limit)
    wait = wait or _count(f"limit:{name}:ip:{_network(request)}", limit.per_address, limit)
    if wait:
        again = clock.now() + timedelta(seconds=wait)
        raise TooMany(
            _("That was a lot at once. You can try again at %(time)s. Nothing has changed.")
            % {"time": clock_text(again)},
            retry_after=wait,
        )


def _network(request: HttpRequest) -> str:
    """The address; of IPv6 the network of one subscriber, who has countless addresses in it."""
    address = address_of(request)
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    return str(ip_network(f"{known}/64", strict=False))


def _count(key: str, most: int, limit: Limit) -> int:
    """0, or in how many seconds to try again."""
    counted = cast(ForgivingRedisCache, cache).count(key, seconds=limit.seconds)
    if counted is None:
        if not limit.costly:
            return 0
        counted, most = OWN.count(key, seconds=limit.seconds), max(1, most // PROCESSES)
    number, left = counted
    return left if number > most else 0


def limited(name: str, *methods: str) -> Callable[[View[P]], View[P]]:
    """Answer a page with 429 and the time to try again once its limit is used up.

    With `methods` only those count: a POST that leads to Stripe, and not its page.
    Goes below `login_required`. Pages with a form use `spend_for` instead, so that what was typed
    stays.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def counted(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                if not methods or request.method in methods:
                    spend(name, request)
            except TooMany as error:
                return too_many(request, error)
            return view(request, *args, **kwargs)

        return counted

    return decorate


def spend_for(form: BaseForm, name: str, request: HttpRequest) -> int:
    """`spend` for a page with a form: the sentence stands in the form, and what was typed stays.

    0, or in how many seconds to try again; hand that to `answered`.
    """
    try:
        spend(name, request)
    except TooMany as error:
        form.add_error(None, str(error))
        return error.retry_after
    return 0


def answered(answer: HttpResponse, again_in: int) -> HttpResponse:
    """The page of that form, as 429 when it has to wait."""
    if again_in:
        answer.status_code = TooMany.status
        answer["Retry-After"] = str(again_in)
    return answer


def too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    """The page that says when to try again."""
    again = clock.now() + timedelta(seconds=error.retry_after)
    return answered(render(request, "429.html", {"again_at": again}), error.retry_after)
