"""Takes webhooks to the product, again and again until it accepts them."""

import http.client
import logging
import threading
from urllib.parse import urlsplit

from payments.sandbox import events
from payments.sandbox.due import run_due
from payments.sandbox.world import World

logger = logging.getLogger(__name__)
RUNNERS = 3
TIMEOUT = 10
# After a crash a webhook that was under way is taken up again this much later.
LEASE = 30
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
LOOKS_EVERY = 0.2
# With `reorder` on, webhooks gather this long so that there is an order to turn round.
GATHERS = 0.5


class Courier:
    """A few threads that deliver, and one that lets due things happen."""

    def __init__(self, world: World, url: str | None, secret: str) -> None:
        self._world = world
        self._secret = secret
        self._url = urlsplit(url) if url else None
        self._stop = threading.Event()
        jobs = [self._keep_time, *([self._run] * RUNNERS if url else [])]
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]

    def start(self) -> None:
        """Begin delivering."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is under way, then stop; the rest waits in the state."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def _keep_time(self) -> None:
        while not self._stop.wait(1):
            try:
                with self._world.state.transaction():
                    run_due(self._world)
            except Exception:
                logger.exception("Something due did not happen")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                found = self._bring_next()
            except Exception:
                logger.exception("A webhook could not be brought")
                found = False
            if not found:
                self._stop.wait(GATHERS if self._world.switches.reorder else LOOKS_EVERY)

    def _bring_next(self) -> bool:
        """Whether there was a webhook to bring."""
        state, newest_first = self._world.state, self._world.switches.reorder
        with state.transaction():
            delivery = state.lease_delivery(seconds=LEASE, newest_first=newest_first)
            if delivery is None:
                return False
            body = events.payload(self._world, delivery.event)
        accepted = self._post(body)
        with state.transaction():
            if accepted:
                state.finish_delivery(delivery.id)
            else:
                pause = min(FIRST_PAUSE * 2 ** (delivery.attempts - 1), LONGEST_PAUSE)
                state.postpone_delivery(delivery.id, seconds=pause, attempts=delivery.attempts)
        return True

    def _post(self, body: bytes) -> bool:
        """Whether the product answered 2xx. Each attempt is signed with its own time."""
        assert self._url is not None, "runners start only with an address"  # noqa: S101
        connection = http.client.HTTPConnection(
            self._url.hostname or "", self._url.port, timeout=TIMEOUT
        )
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": events.signature(body, self._secret),
            "User-Agent": "Stripe/1.0 (sandbox)",
        }
        try:
            connection.request("POST", self._url.path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            logger.debug("The product did not take a webhook: %s", error)
            return False
        finally:
            connection.close()
        return 200 <= status < 300
